"""The vectors that came with items: one dimension for all of a catalog."""

from collections import Counter
from collections.abc import Sequence

from foretaste.domain.errors import InvalidItemError
from foretaste.domain.item import Item
from foretaste.events.vectors import vector_dim


def usual_dim(items: Sequence[Item | None]) -> int:
    """Return the dimension that most of the items' vectors have, 0 where there are none."""
    found = Counter(vector_dim(item.vector) for item in items if item is not None and item.vector)
    return max(found, key=lambda dim: (found[dim], -dim), default=0)


def require_one_dim(new: Sequence[Item], present: Sequence[Item | None]) -> None:
    """Raise `InvalidItemError` where after putting `new` over `present` vectors would differ in dimension."""
    first = next((item for item in new if item.vector), None)
    if first is None:
        return
    dim, replaced = vector_dim(first.vector), {item.item_id for item in new}
    kept = [item for item in present if item is not None and item.item_id not in replaced]
    other = next((item for item in (*new, *kept) if item.vector and vector_dim(item.vector) != dim), None)
    if other is not None:
        raise InvalidItemError(
            f"vector of item {first.item_id!r} has {dim} numbers, that of item {other.item_id!r} "
            f"{vector_dim(other.vector)}; all vectors of a catalog have the same dimension. To change it, "
            "send all items that have one in one request, or delete them first",
            field="vector",
        )

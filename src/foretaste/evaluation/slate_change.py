"""How far one list is from another one for the same question."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Change:
    """What became of a list.

    `overlap` in [0, 1] is the part of the longer list that both have, 1.0 where both are empty. `rank_shift`
    is by how many places the items that both have moved on average, 0.0 where they have none.
    """

    is_changed: bool
    overlap: float
    rank_shift: float


def change_of(before: Sequence[str], after: Sequence[str]) -> Change:
    """Return what became of a list; each item is at most once in a list."""
    place = {item: rank for rank, item in enumerate(after)}
    moved = [abs(place[item] - rank) for rank, item in enumerate(before) if item in place]
    longest = max(len(before), len(after))
    return Change(
        is_changed=list(before) != list(after),
        overlap=len(moved) / longest if longest else 1.0,
        rank_shift=sum(moved) / len(moved) if moved else 0.0,
    )

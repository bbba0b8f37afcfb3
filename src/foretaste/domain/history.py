"""What a model scores: a person's history, at a moment."""

from collections.abc import Mapping
from typing import Any

import msgspec

from foretaste.domain.arrays import Floats, Int16s, Micros, Ordinals


class History(msgspec.Struct, frozen=True, eq=False, weakref=True):
    """The latest weighted events of one person, oldest first, ordered by (time, event key).

    `item` int32, `weight` float32 (as the event's type and value gave it; negative for dislikes),
    `time` int64 microseconds, `type` int16 ordinals of event types. An item may occur repeatedly.
    `memo` is where models keep what they worked out of this very history, so that it is not worked out again.
    """

    item: Ordinals
    weight: Floats
    time: Micros
    type: Int16s
    memo: dict[Any, Any] = msgspec.field(default_factory=dict)

    def __len__(self) -> int:
        """How many events there are."""
        return len(self.item)

    @property
    def nbytes(self) -> int:
        """How many bytes the arrays of events take, with what the memo holds."""
        arrays = self.item.nbytes + self.weight.nbytes + self.time.nbytes + self.type.nbytes
        return arrays + bytes_of(self.memo)


def bytes_of(memo: Mapping[Any, Any]) -> int:
    """Return how many bytes a memo's values say that they take (`nbytes`)."""
    return sum([getattr(value, "nbytes", 0) for value in memo.values()])

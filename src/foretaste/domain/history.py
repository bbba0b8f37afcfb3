"""What a model scores: a person's history, at a moment."""

from dataclasses import dataclass, field
from typing import Any

from foretaste.domain.arrays import Floats, Int16s, Micros, Ordinals


@dataclass(frozen=True, slots=True, weakref_slot=True)
class History:
    """The latest weighted events of one person, oldest first, ordered by (time, event key).

    `item` int32, `weight` float32 (as the event's type and value gave it; negative for dislikes),
    `time` int64 microseconds, `type` int16 ordinals of event types. An item may occur repeatedly.
    `memo` is where models keep what they worked out of this very history, so that it is not worked out again.
    """

    item: Ordinals
    weight: Floats
    time: Micros
    type: Int16s
    memo: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)

    def __len__(self) -> int:
        """How many events there are."""
        return len(self.item)

"""How much the events of a history still say: recent ones more."""

from typing import Any

import msgspec
import numpy as np

from foretaste.domain.arrays import MICROS_PER_SECOND, Floats, Micros
from foretaste.domain.errors import InvalidInputError
from foretaste.domain.history import History


class Recency(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A decay over the events of a history: each one fades by its rank from the newest, by its age, or both.

    `half_life_events`: how many later events halve an event's part. `half_life_seconds`: after how much time.
    `power`: the part falls with (1 + rank)^-power, which forgets old events more slowly. None, None and 0
    leave all events equal.
    """

    half_life_events: float | None = None
    half_life_seconds: float | None = None
    power: float = 0.0

    def __post_init__(self) -> None:
        """Check the ranges; raise `InvalidInputError` naming the setting."""
        for field in ("half_life_events", "half_life_seconds"):
            value = getattr(self, field)
            if value is not None and not value > 0.0:
                raise InvalidInputError(f"`{field}` must be above 0, or absent for no decay", field=field)
        if not 0.0 <= self.power <= 100.0:
            raise InvalidInputError("`power` must be from 0 to 100", field="power")

    def decay(self, time: Micros, now: int) -> Floats:
        """Return the part of each event in (0, 1], float32 [len(time)].

        `time` int64 microseconds, oldest first; what is later than `now` counts as now. The newest
        event's part is 1 but for its age.
        """
        rank = np.arange(len(time) - 1, -1, -1, dtype=np.float64)
        halvings = np.zeros(len(time))
        if self.half_life_events is not None:
            halvings += rank / self.half_life_events
        if self.half_life_seconds is not None:
            halvings += np.maximum(now - time, 0) / (self.half_life_seconds * MICROS_PER_SECOND)
        part: np.ndarray[Any, np.dtype[np.float64]] = np.exp2(-halvings)
        if self.power:
            part *= (1.0 + rank) ** -self.power
        return part.astype(np.float32)

    def weights(self, history: History, now: int) -> Floats:
        """Return the weight of each event times its decay, float32 [len(history)]."""
        return history.weight * self.decay(history.time, now)

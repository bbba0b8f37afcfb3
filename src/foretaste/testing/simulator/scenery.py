"""What a simulation is like, in numbers."""

from hashlib import blake2b
from typing import Annotated

import msgspec
from msgspec import Meta

from foretaste.domain.arrays import MICROS_PER_SECOND

Share = Annotated[float, Meta(ge=0, le=1)]
STEP_SECONDS = 900
STEP = STEP_SECONDS * MICROS_PER_SECOND
"""Tastes, seasons and the catalog stand still for so long (a quarter of an hour), then move on."""

START = 1_704_067_200 * MICROS_PER_SECOND
"""2024-01-01 00:00 UTC, a Monday."""

CENTURY_SECONDS = 100 * 366 * 86_400
"""No simulation lasts longer, so that its moments can be counted in microseconds."""


class Scenery(msgspec.Struct, frozen=True, kw_only=True):
    """All that a simulation depends on. `start` is in microseconds UTC, `duration` in seconds.

    `rate` is how many different events there are a second, on the average. `drift` is the share of people
    whose taste changes within a day. `season` is how much hours and weekdays matter. `new_items` is the share
    of items that arrive on the way. `bots` is the share of events that come of bots, `duplicates` of those
    that are delivered twice, `late` of those that are delivered minutes after their time.
    """

    users: Annotated[int, Meta(ge=1)] = 200
    items: Annotated[int, Meta(ge=2)] = 300
    rate: Annotated[float, Meta(gt=0)] = 0.1
    duration: Annotated[float, Meta(ge=1e-6, le=CENTURY_SECONDS)] = 86_400.0
    drift: Share = 0.05
    season: Share = 0.6
    new_items: Share = 0.1
    bots: Share = 0.02
    duplicates: Share = 0.01
    late: Share = 0.02
    start: Annotated[int, Meta(ge=0)] = START
    seed: Annotated[int, Meta(ge=0, lt=2**32)] = 0

    @property
    def mark(self) -> str:
        """What tells the events of this simulation from those of any other, as of another start."""
        return f"{self.seed}-{blake2b(msgspec.json.encode(self), digest_size=5).hexdigest()}"

    @property
    def end(self) -> int:
        """The moment after the last event, in microseconds UTC."""
        return self.start + round(self.duration * MICROS_PER_SECOND)

    @property
    def steps(self) -> int:
        """How many steps the simulation has; the last may be cut short."""
        return -(-(self.end - self.start) // STEP)

    def step_of(self, moment: int) -> int:
        """Return the step in which a moment lies."""
        return (moment - self.start) // STEP

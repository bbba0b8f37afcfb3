"""What a person did of late, as features for models and dashboards: counts by kind, latest items."""

from collections.abc import Sequence

import msgspec
import numpy as np

from foretaste.domain.arrays import MICROS_PER_SECOND
from foretaste.domain.person import Person


class Activity(msgspec.Struct, frozen=True, kw_only=True):
    """How often a person did what, of all time, and the items of the window, the latest first.

    `counts` is by event type, all kinds that occurred, weightless ones too. `recent` holds each item once, by
    its latest weighted event, as (ordinal, microseconds); it looks no further back than the person's history.
    """

    counts: dict[str, int]
    recent: tuple[tuple[int, int], ...]

    @property
    def views(self) -> int:
        """How many times they viewed an item."""
        return self.counts.get("view", 0)

    @property
    def clicks(self) -> int:
        """How many times they clicked one."""
        return self.counts.get("click", 0)

    @property
    def purchases(self) -> int:
        """How many they bought."""
        return self.counts.get("purchase", 0)


def activity_of(person: Person, type_names: Sequence[str], *, now: int, window_seconds: float) -> Activity:
    """Return what a person did, `recent` being the items of the `window_seconds` before `now`.

    Of someone whose tally is too long to be kept on their own (`Person.is_whole`) nothing is known here: take
    them out of a state.
    """
    counts = np.zeros(len(type_names), np.int64)
    np.add.at(counts, person.tally_type, person.tally_count)
    begin = now - round(window_seconds * MICROS_PER_SECOND)
    latest: dict[int, int] = {}
    history = person.history
    for item, time in zip(history.item[::-1].tolist(), history.time[::-1].tolist(), strict=True):
        if begin < time <= now:
            latest.setdefault(item, time)
    return Activity(
        counts={name: count for name, count in zip(type_names, counts.tolist(), strict=True) if count},
        recent=tuple(latest.items()),
    )

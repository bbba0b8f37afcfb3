"""The past of a person as the ranker sees it: what they took, and what they passed over."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from foretaste.domain.arrays import Mask, Micros, Ordinals
from foretaste.features.state import Tally
from foretaste.ranking.shown import ShownSlates

LONGEST = 120
"""The latest so many items are looked at."""


@dataclass(frozen=True, slots=True, eq=False)
class Past:
    """Items a person took (`taken`) or was shown and left, each once, the latest last."""

    item: Ordinals
    taken: Mask
    time: Micros

    def __len__(self) -> int:
        """How many items there are."""
        return len(self.item)


NO_PAST = Past(np.empty(0, np.int32), np.empty(0, np.bool_), np.empty(0, np.int64))


def past_of(tally: Tally, taking: Mask) -> Past:
    """Return the past that a tally tells of; `taking` bool [n_types]: the type is a sign of liking.

    An item counts as taken if there is any event of a taking type, else as left.
    """
    if not len(tally):
        return NO_PAST
    item, where = np.unique(tally.item, return_inverse=True)
    taken = np.zeros(len(item), np.bool_)
    taken[where[taking[tally.type]]] = True
    time = np.full(len(item), np.iinfo(np.int64).min)
    np.maximum.at(time, where, tally.last)
    order = np.lexsort((item, time))[-LONGEST:]
    return Past(item[order].astype(np.int32), taken[order], time[order])


def taking_types(type_names: Sequence[str], taking: Collection[str]) -> Mask:
    """Return which types, by ordinal, are signs of liking."""
    return np.array([name in taking for name in type_names], np.bool_)


def pasts_of(slates: ShownSlates) -> list[Past]:
    """Return the past of the person of each slate, as their earlier slates alone tell of it.

    Earlier means at an earlier time: slates of the same moment do not know of each other.
    """
    found = [NO_PAST] * len(slates)
    seen: dict[int, dict[int, tuple[bool, int]]] = {}
    waiting: list[int] = []
    for slate in np.argsort(slates.time, kind="stable").tolist():
        if waiting and slates.time[waiting[0]] < slates.time[slate]:
            for done in waiting:
                _take_in(seen.setdefault(int(slates.user[done]), {}), slates, done)
            waiting = []
        found[slate] = _latest(seen.get(int(slates.user[slate]), {}))
        waiting.append(slate)
    return found


def _take_in(mind: dict[int, tuple[bool, int]], slates: ShownSlates, slate: int) -> None:
    window = slice(slates.start[slate], slates.start[slate + 1])
    for item, clicked in zip(slates.item[window].tolist(), slates.clicked[window].tolist(), strict=True):
        taken, _ = mind.pop(item, (False, 0))
        mind[item] = (taken or clicked, int(slates.time[slate]))


def _latest(mind: Mapping[int, tuple[bool, int]]) -> Past:
    latest = list(mind.items())[-LONGEST:]
    return Past(
        np.array([item for item, _ in latest], np.int32),
        np.array([taken for _, (taken, _) in latest], np.bool_),
        np.array([time for _, (_, time) in latest], np.int64),
    )

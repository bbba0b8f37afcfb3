"""What the people asked about had taken to before they were asked."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from foretaste.domain.arrays import Doubles, Int64s, Mask, Ordinals
from foretaste.domain.event import EventColumns


@dataclass(frozen=True, slots=True, eq=False)
class Profiles:
    """Items of n people as of n questions: those of question q are `item[start[q]:start[q + 1]]`, each once.

    `start` int64 [n + 1], `item` int32.
    """

    start: Int64s
    item: Ordinals

    def __len__(self) -> int:
        """How many questions there are."""
        return len(self.start) - 1

    def matrix(self, n_items: int) -> sparse.csr_array:
        """Return the profiles as rows of ones, float64 [n, n_items]."""
        return sparse.csr_array((np.ones(len(self.item)), self.item, self.start), shape=(len(self), n_items))

    def mean_of(self, values: Doubles) -> Doubles:
        """Return each profile's mean of `values` float64 [n_items]; float64 [n], 0 where it is empty."""
        sums = np.concatenate(([0.0], np.cumsum(values[self.item])))
        count = np.diff(self.start)
        result = np.zeros(len(self))
        np.divide(sums[self.start[1:]] - sums[self.start[:-1]], count, out=result, where=count > 0)
        return result


def profiles_before(events: EventColumns, counts: Mask, user: Ordinals, position: Int64s) -> Profiles:
    """Return what each of `user` [n] had by an event that counts before `position` int64 [n] of `events`.

    `counts` bool [len(events)] says which events are a sign of liking.
    """
    n = len(events)
    places = np.flatnonzero(counts)
    pairs = events.user[places].astype(np.int64) << 32 | events.item[places]
    _, first = np.unique(pairs, return_index=True)
    places = places[first]
    keys = events.user[places].astype(np.int64) * (n + 1) + places
    order = np.argsort(keys, kind="stable")
    keys, items = keys[order], events.item[places][order]
    owner = user.astype(np.int64) * (n + 1)
    begin, end = np.searchsorted(keys, owner), np.searchsorted(keys, owner + position)
    start = np.concatenate(([0], np.cumsum(end - begin))).astype(np.int64)
    rows = np.arange(start[-1]) - np.repeat(start[:-1] - begin, end - begin)
    return Profiles(start, items[rows])

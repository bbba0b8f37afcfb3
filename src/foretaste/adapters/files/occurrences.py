"""How often the same content was seen before: what keeps honest repeats of an import apart."""

import numpy as np
from numpy.typing import NDArray

from foretaste.domain.arrays import Int64s

Hashes = NDArray[np.uint64]


class Occurrences:
    """Numbers equal rows 0, 1, 2, … across the pieces of one file.

    Keeps sixteen bytes for each distinct row seen, in sorted runs that are merged as they grow alike: a row
    is moved as often as the logarithm of how many there are.
    """

    def __init__(self) -> None:
        self._runs: list[tuple[Hashes, Int64s]] = []

    def number(self, hashes: Hashes) -> Int64s:
        """Return for each row of the next piece how many equal rows came before it, int64 [n]."""
        distinct, position, count = np.unique(hashes, return_inverse=True, return_counts=True)
        order = np.argsort(position, kind="stable")
        starts = np.cumsum(count) - count
        within = np.empty(len(hashes), np.int64)
        within[order] = np.arange(len(hashes)) - np.repeat(starts, count)
        before = self._seen(distinct)
        self._remember(distinct, count)
        return within + before[position]

    def _seen(self, distinct: Hashes) -> Int64s:
        before = np.zeros(len(distinct), np.int64)
        for known, count in self._runs:
            at = np.minimum(np.searchsorted(known, distinct), len(known) - 1)
            before += np.where(known[at] == distinct, count[at], 0)
        return before

    def _remember(self, distinct: Hashes, count: Int64s) -> None:
        while self._runs and len(self._runs[-1][0]) < 2 * len(distinct):
            known, times = self._runs.pop()
            distinct, place = np.unique(np.concatenate((known, distinct)), return_inverse=True)
            count = np.bincount(place, np.concatenate((times, count))).astype(np.int64)
        if len(distinct):
            self._runs.append((distinct, count))

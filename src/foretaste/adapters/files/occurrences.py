"""How often the same content was seen before: what keeps honest repeats of an import apart."""

import numpy as np
from numpy.typing import NDArray

from foretaste.domain.arrays import Int64s

Hashes = NDArray[np.uint64]


class Occurrences:
    """Numbers equal rows 0, 1, 2, … across the pieces of one file.

    Keeps sixteen bytes for each distinct row seen.
    """

    def __init__(self) -> None:
        self._hash: Hashes = np.empty(0, np.uint64)
        self._count: Int64s = np.empty(0, np.int64)

    def number(self, hashes: Hashes) -> Int64s:
        """Return for each row of the next piece how many equal rows came before it, int64 [n]."""
        distinct, position, count = np.unique(hashes, return_inverse=True, return_counts=True)
        order = np.argsort(position, kind="stable")
        starts = np.cumsum(count) - count
        within = np.empty(len(hashes), np.int64)
        within[order] = np.arange(len(hashes)) - np.repeat(starts, count)
        before = self._seen(distinct)
        self._remember(distinct, before + count)
        return within + before[position]

    def _seen(self, distinct: Hashes) -> Int64s:
        before = np.zeros(len(distinct), np.int64)
        if len(self._hash):
            at = np.minimum(np.searchsorted(self._hash, distinct), len(self._hash) - 1)
            known = self._hash[at] == distinct
            before[known] = self._count[at[known]]
        return before

    def _remember(self, distinct: Hashes, count: Int64s) -> None:
        new = ~np.isin(self._hash, distinct, assume_unique=True)
        every = np.concatenate([self._hash[new], distinct])
        order = np.argsort(every, kind="stable")
        self._hash = every[order]
        self._count = np.concatenate([self._count[new], count])[order]

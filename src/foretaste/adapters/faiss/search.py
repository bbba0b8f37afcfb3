"""Searching one built FAISS index, filters before the search, exactly where that is quicker or safer."""

from typing import Any

import numpy as np

from foretaste.adapters.faiss.kinds import MOST_PROBED, Built, parameters
from foretaste.adapters.faiss.library import library
from foretaste.adapters.index_file import Bytes
from foretaste.adapters.index_labels import LabelTable
from foretaste.adapters.index_ties import best_rows, slack
from foretaste.domain.arrays import Floats, Int64s, Mask

FEW = 5_000
"""Up to so many allowed rows are all compared: as quick as any detour."""
VISITS = 40
"""How many rows `hnsw` looks at for each place in its queue, about."""
SPARE = 16
"""An exact search looks at so many more than asked for, to see where equals end."""
WITNESSES = 4096
"""So many rows, drawn when it is built, testify whether a filtered search missed something better."""


class FaissSearch:
    """One built index, never changed: what a search uses from beginning to end.

    With a filter an approximate search works harder as the share of allowed rows falls, up to where
    comparing all allowed rows is quicker. The filter may allow only what is far from the question, where such
    a search does not look: allowed rows of a fixed sample are compared, and where one of them should have
    been found, or fewer were found than there are, all allowed rows are compared.
    """

    def __init__(
        self, made: Built, labels: LabelTable, longest_row: float, *, mapped: Bytes | None = None
    ) -> None:
        self.built = made
        self.index = made.index
        self.labels = labels
        self.longest = longest_row
        self._mapped = mapped  # FAISS reads from it as long as the index lives
        count = 0 if made.kind == "flat" else self.index.ntotal
        drawn = np.random.default_rng(0).permutation(count)[:WITNESSES]
        self._witness = np.sort(drawn).astype(np.int64)
        self._testimony: Floats = self.rows(self._witness) if count else np.empty((0, 1), np.float32)

    def rows(self, ordinals: Int64s) -> Floats:
        """Return rows as they were added."""
        found: Floats = self.index.reconstruct_batch(ordinals)
        return found

    def found(self, queries: Floats, k: int, mask: Mask | None, count: int) -> tuple[Floats, Int64s]:
        """Return scores and ordinals of the best `k` of the `count` rows in `mask`."""
        selector, _bits = _selector(mask)
        effort = self._effort(k, count)
        if self._exact_is_quicker(effort, mask, count):
            return self._exact(queries, k, selector, count)
        scores, ordinals = self.index.search(queries, k, params=parameters(self.index, effort, selector))
        doubtful = (ordinals < 0).any(axis=1)
        if mask is not None:
            doubtful |= self._missed(queries, scores, ordinals, mask)
        again = np.flatnonzero(doubtful)
        if len(again):
            scores[again], ordinals[again] = self._exact(queries[again], k, selector, count)
        return scores, ordinals

    def _effort(self, k: int, count: int) -> int:
        effort = -(-self.built.effort * int(self.index.ntotal) // count)
        return max(effort, 2 * k) if self.built.kind == "hnsw" else effort

    def _exact_is_quicker(self, effort: int, mask: Mask | None, count: int) -> bool:
        if self.built.kind == "flat":
            return True
        if mask is None:
            return False
        costly = VISITS * effort >= count if self.built.kind == "hnsw" else self._most_probed() <= effort
        return count <= FEW or costly

    def _most_probed(self) -> float:
        return MOST_PROBED * float(self.index.nlist)

    def _missed(self, queries: Floats, scores: Floats, ordinals: Int64s, mask: Mask) -> Mask:
        """Return for which queries an allowed row of the sample is better than the worst found."""
        allowed = mask[self._witness]
        names = self._witness[allowed]
        better = (
            queries @ self._testimony[allowed].T > (scores[:, -1] + slack(queries, self.longest))[:, None]
        )
        missed = np.zeros(len(queries), np.bool_)
        for place in np.flatnonzero(better.any(axis=1)):
            missed[place] = not np.isin(names[better[place]], ordinals[place]).all()
        return missed

    def _exact(self, queries: Floats, k: int, selector: Any, count: int) -> tuple[Floats, Int64s]:
        """Compare all allowed rows; where equals may go on past what was looked at, look further."""
        scores = np.empty((len(queries), k), np.float32)
        ordinals = np.empty((len(queries), k), np.int64)
        off = slack(queries, self.longest)
        left, wide = np.arange(len(queries)), min(count, k + SPARE)
        while len(left):
            near, found = self._compared(queries[left], wide, selector)
            done = (near[:, -1] < near[:, k - 1] - 2 * off[left]) | (wide == count)
            for place, candidates in zip(left[done], found[done], strict=True):
                best = best_rows(queries[place], self.rows(candidates), candidates, k)
                ordinals[place], scores[place] = best
            left, wide = left[~done], min(count, 4 * wide)
        return scores, ordinals

    def _compared(self, queries: Floats, k: int, selector: Any) -> tuple[Floats, Int64s]:
        index = self.index
        if isinstance(index, library.IndexHNSW):
            index = library.downcast_index(index.storage)
        effort = index.nlist if isinstance(index, library.IndexIVFFlat) else 0
        scores, ordinals = index.search(queries, k, params=parameters(index, effort, selector))
        return scores, ordinals


def _selector(mask: Mask | None) -> tuple[Any, Bytes | None]:
    """Return FAISS's selector of the allowed rows, and the bits that must live as long as it is used."""
    if mask is None:
        return None, None
    bits = np.packbits(mask, bitorder="little")
    return library.IDSelectorBitmap(len(bits) * 8, library.swig_ptr(bits)), bits

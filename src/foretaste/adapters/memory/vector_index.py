"""An exact vector index: every inner product is computed."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from foretaste.adapters.index_file import IndexHeader, read_index, write_index
from foretaste.adapters.index_input import checked_ordinals, checked_question, checked_rows
from foretaste.adapters.index_labels import LabelTable
from foretaste.adapters.index_ties import best_rows, longest, slack
from foretaste.domain.arrays import Floats, Int64s, Mask, Ordinals
from foretaste.domain.errors import CorruptArtifactError
from foretaste.ports.vector_index import Labels, Values

BATCH = 64
"""Queries compared at once: bounds memory."""


class MemoryIndexHeader(IndexHeader, frozen=True, tag="memory"):
    """The shape of the rows that follow as little-endian float32."""

    rows: int
    dim: int


class MemoryVectorIndex:
    """Keeps the rows; exact, right for catalogs whose vectors are read within the time an answer has."""

    def __init__(self) -> None:
        self._vectors: Floats = np.empty((0, 0), np.float32)
        self._labels = LabelTable()
        self._longest = 0.0

    def build(self, vectors: Floats, labels: Sequence[Labels] | None = None) -> None:
        """Keep a copy of the rows. See `VectorIndex`."""
        rows = checked_rows(vectors, labels).copy()
        self._take(rows, LabelTable(labels))

    def search(
        self,
        queries: Floats,
        k: int,
        allowed: Mask | None = None,
        *,
        filters: Values | None = None,
        exclude: Values | None = None,
    ) -> tuple[Ordinals, Floats]:
        """Compare with every allowed row. See `VectorIndex`."""
        n, dim = self._vectors.shape
        asked = checked_question(queries, k, allowed, rows=n, dim=dim)
        mask = self._labels.mask(n, allowed, filters, exclude)
        ordinals = np.full((len(asked), k), -1, np.int32)
        scores = np.full((len(asked), k), -np.inf, np.float32)
        rows = np.arange(n) if mask is None else np.flatnonzero(mask)
        vectors = self._vectors if mask is None else self._vectors[rows]
        count = min(k, len(rows))
        off = slack(asked, self._longest)
        for start in range(0, len(asked) if count else 0, BATCH):
            products = asked[start : start + BATCH] @ vectors.T
            for place, row in enumerate(products, start):
                near = _nearest(row, count, off[place])
                best = best_rows(asked[place], vectors[near], rows[near], count)
                ordinals[place, :count], scores[place, :count] = best
        return ordinals, scores

    def rows(self, ordinals: Ordinals) -> Floats:
        """Return rows. See `VectorIndex`."""
        wanted: Floats = self._vectors[checked_ordinals(ordinals, len(self._vectors))]
        return wanted

    def save(self, path: Path) -> None:
        """Write the rows. See `VectorIndex`."""
        rows, dim = self._vectors.shape
        content = self._vectors.astype("<f4", copy=False).tobytes()
        write_index(path, MemoryIndexHeader(rows=rows, dim=dim), content, self._labels.dump())

    def load(self, path: Path) -> None:
        """Map the rows. See `VectorIndex`."""
        header, content, labels = read_index(path, MemoryIndexHeader)
        if min(header.rows, header.dim) < 0 or header.rows * header.dim * 4 != len(content):
            raise CorruptArtifactError(
                f"the index file {path.name!r} has a shape that its size contradicts; build it again"
            )
        try:
            known = LabelTable.parse(labels.data, header.rows)
        except (ValueError, msgspec.DecodeError) as error:
            raise CorruptArtifactError(f"the index file {path.name!r}: {error}; build it again") from error
        vectors = content.view("<f4").reshape(header.rows, header.dim)
        self._take(vectors.astype(np.float32, copy=False), known)

    def _take(self, vectors: Floats, labels: LabelTable) -> None:
        self._longest = longest(vectors)
        self._vectors, self._labels = vectors, labels


def _nearest(scores: Floats, count: int, off: np.float32) -> Int64s:
    """Return the places of all that may be among the `count` best, where scores are off by up to `off`."""
    if count >= len(scores):
        return np.arange(len(scores))
    least = np.partition(scores, len(scores) - count)[len(scores) - count]
    return np.flatnonzero(scores >= least - 2 * off)

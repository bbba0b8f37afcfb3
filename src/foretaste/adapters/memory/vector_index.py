"""An exact vector index: every inner product is computed."""

from pathlib import Path

import numpy as np

from foretaste.adapters.index_file import IndexHeader, read_index, write_index
from foretaste.domain.arrays import Floats, Mask, Ordinals
from foretaste.domain.errors import CorruptArtifactError

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

    def build(self, vectors: Floats) -> None:
        """Keep a copy of the rows. See `VectorIndex`."""
        self._vectors = np.array(vectors, np.float32, order="C")

    def search(self, queries: Floats, k: int, allowed: Mask | None = None) -> tuple[Ordinals, Floats]:
        """Compare with every allowed row. See `VectorIndex`."""
        ordinals = np.full((len(queries), k), -1, np.int32)
        scores = np.full((len(queries), k), -np.inf, np.float32)
        rows = np.arange(len(self._vectors)) if allowed is None else np.flatnonzero(allowed)
        vectors = self._vectors if allowed is None else self._vectors[rows]
        for start in range(0, len(queries), BATCH):
            products = queries[start : start + BATCH] @ vectors.T
            for place, row in enumerate(products, start):
                best = best_of(row, k)
                ordinals[place, : len(best)] = rows[best]
                scores[place, : len(best)] = row[best]
        return ordinals, scores

    def save(self, path: Path) -> None:
        """Write the rows. See `VectorIndex`."""
        rows, dim = self._vectors.shape
        write_index(path, MemoryIndexHeader(rows=rows, dim=dim), self._vectors.astype("<f4").tobytes())

    def load(self, path: Path) -> None:
        """Read the rows. See `VectorIndex`."""
        header, content = read_index(path, MemoryIndexHeader)
        if min(header.rows, header.dim) < 0 or header.rows * header.dim * 4 != len(content):
            raise CorruptArtifactError(
                f"the index file {path.name!r} has a shape that its size contradicts; build it again"
            )
        vectors = np.frombuffer(content, "<f4").reshape(header.rows, header.dim)
        self._vectors = vectors.astype(np.float32)


def best_of(scores: Floats, k: int) -> Ordinals:
    """Return the places of the `k` largest scores (fewer where there are fewer), equals by rising place."""
    if k >= len(scores):
        candidates = np.arange(len(scores))
    else:
        least = np.partition(scores, len(scores) - k)[len(scores) - k] if k else np.inf
        candidates = np.flatnonzero(scores >= least)
    order = np.lexsort((candidates, -scores[candidates]))[:k]
    return candidates[order].astype(np.int32)

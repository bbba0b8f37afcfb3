"""Nearest neighbours among item vectors."""

from pathlib import Path
from typing import Protocol

from foretaste.domain.arrays import Floats, Mask, Ordinals


class VectorIndex(Protocol):
    """Maximum inner product search over rows addressed by item ordinal.

    Promises (`foretaste.testing.contracts.vector_index`):

    - Results are sorted by falling inner product, then by rising ordinal; where fewer than `k` rows are
      allowed the rest are ordinal -1 with score minus infinity.
    - `allowed` is applied before the search: it never starves an answer.
    - What was saved loads to an index that answers alike.
    """

    def build(self, vectors: Floats) -> None:
        """Index `vectors`, float32 [n, dim]; row i is item ordinal i."""
        ...

    def search(self, queries: Floats, k: int, allowed: Mask | None = None) -> tuple[Ordinals, Floats]:
        """Return ordinals int32 [q, k] and scores float32 [q, k] for `queries`, float32 [q, dim]."""
        ...

    def save(self, path: Path) -> None:
        """Write the index to one file."""
        ...

    def load(self, path: Path) -> None:
        """Become the index that was saved; raise `CorruptArtifactError` if the file is damaged."""
        ...

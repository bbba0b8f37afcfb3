"""Nearest neighbours among item vectors."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from foretaste.domain.arrays import Floats, Mask, Ordinals

Labels = Mapping[str, Sequence[str]]
"""What one row is labelled with: the values of each attribute, such as `{"category": ("Drama", "War")}`."""

Values = Mapping[str, Sequence[str]]
"""A question about labels: attributes, and the values asked about."""

LARGEST = 1e15
"""The largest absolute value that a number of a vector may have: sums of products stay finite."""


class VectorIndex(Protocol):
    """Maximum inner product search over rows addressed by item ordinal.

    Promises (`foretaste.testing.contracts.vector_index`):

    - Results are sorted by falling inner product, then by rising ordinal; where fewer than `k` rows are
      allowed the rest are ordinal -1 with score minus infinity. An approximate index keeps this order among
      what it found.
    - `allowed`, `filters` and `exclude` are applied before the search: they never starve an answer.
    - Rows are as they were built until the index is built again, whatever other processes build.
    - What was saved loads to an index that answers alike.
    - What cannot be indexed or asked is refused by `InvalidInputError` and changes nothing.
    """

    def build(self, vectors: Floats, labels: Sequence[Labels] | None = None) -> None:
        """Index `vectors`, float32 [n, dim]; row i is item ordinal i, with `labels[i]` where there are any.

        What was indexed before is forgotten. Raises `InvalidInputError` for numbers that are not finite or
        larger than `LARGEST`, and where there are not as many labels as rows.
        """
        ...

    def search(
        self,
        queries: Floats,
        k: int,
        allowed: Mask | None = None,
        *,
        filters: Values | None = None,
        exclude: Values | None = None,
    ) -> tuple[Ordinals, Floats]:
        """Return ordinals int32 [q, k] and scores float32 [q, k] for `queries`, float32 [q, dim].

        Only rows of `allowed` (bool [n]) that have one of the values of every attribute in `filters`, and
        none of those in `exclude`, are in the answer. Raises `InvalidQueryError` for another dimension,
        numbers that are not finite or larger than `LARGEST`, a negative `k` or a mask of another length.
        """
        ...

    def rows(self, ordinals: Ordinals) -> Floats:
        """Return the vectors of `ordinals` as they were indexed, float32 [len(ordinals), dim].

        Raises `InvalidQueryError` for an ordinal that there is not.
        """
        ...

    def save(self, path: Path) -> None:
        """Write the index to one file: all of it, or, where a server keeps the rows, which they are there."""
        ...

    def load(self, path: Path) -> None:
        """Become the index that was saved.

        Raises `CorruptArtifactError` if the file is damaged or what it names is gone; this index is then as
        it was before.
        """
        ...

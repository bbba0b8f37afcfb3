"""What is known of items beside who took to them, as dense vectors: from their words, or sent with them.

Words: a truncated singular value decomposition of the TF-IDF matrix (Deerwester, Dumais, Furnas, Landauer,
Harshman: "Indexing by Latent Semantic Analysis", JASIS 1990). Vectors that came with the items are centred
and projected to their principal axes, which takes away what all items share.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from foretaste.domain.arrays import Doubles, Floats, Mask
from foretaste.domain.errors import CorruptArtifactError
from foretaste.domain.item import Item
from foretaste.domain.kernel import kernel
from foretaste.events.vectors import unpacked_vector, vector_dim
from foretaste.features.item_vectors import usual_dim
from foretaste.models.term_rows import TermRows
from foretaste.models.unit_rows import unit_rows
from foretaste.models.vocabulary import Vocabulary, vocabulary_of

PASSES = 4
"""Power iterations of the randomized decomposition."""
SPARE = 10
"""Directions drawn beyond those wanted."""
MOST_ROWS = 50_000
"""Items from which the axes are learnt, evenly chosen: more change them little."""
COLUMNS = 512
"""So many columns of a matrix are multiplied with all rows before the next ones are."""


@dataclass(frozen=True, slots=True, eq=False)
class Described:
    """What some items are about: `words`, float32 [n, terms] sparse, and `dense`, float32 [n, dim].

    Rows have length one, or zero where nothing is known.
    """

    words: sparse.csr_matrix
    dense: Floats

    def take(self, rows: slice | NDArray[Any]) -> "Described":
        """Return some of the rows."""
        return Described(self.words[rows], self.dense[rows])

    @property
    def told(self) -> Mask:
        """Which rows say something."""
        return np.asarray((np.diff(self.words.indptr) > 0) | self.dense.any(axis=1))


@dataclass(frozen=True, slots=True, eq=False)
class TextFeatures:
    """TF-IDF rows times `axes`, float32 [terms, dim]."""

    vocabulary: Vocabulary
    axes: Floats

    @classmethod
    def learnt(cls, items: Sequence[Item | None], dim: int, max_features: int, seed: int) -> Self:
        """Learn vocabulary and axes from the items there are: `dim` axes, fewer where texts are few."""
        vocabulary = vocabulary_of(items, max_features)
        some = [item for item in items if item is not None]
        chosen = [some[int(place)] for place in _evenly(len(some))]
        bare = cls(vocabulary, np.zeros((len(vocabulary.idf), 0), np.float32))
        return cls(vocabulary, principal_axes(bare.words(chosen), dim, seed))

    @property
    def dim(self) -> int:
        """How long the vectors are."""
        return int(self.axes.shape[1])

    def words(self, items: Sequence[Item | None]) -> sparse.csr_matrix:
        """Return the items' TF-IDF rows, float32 [len(items), terms]; none for None."""
        return self.matrix(self.vocabulary.rows(items))

    def matrix(self, rows: TermRows) -> sparse.csr_matrix:
        """Return TF-IDF rows as a matrix, float32 [n, terms]."""
        shape = (len(rows.start) - 1, len(self.vocabulary.idf))
        return sparse.csr_matrix((rows.weight, rows.term, rows.start), shape=shape)

    def of(self, items: Sequence[Item | None]) -> Floats:
        """Return unit vectors, float32 [len(items), dim]; zeros where an item says nothing."""
        return self.rows(self.words(items))

    def rows(self, words: sparse.csr_matrix) -> Floats:
        """Return TF-IDF rows on the axes, at unit length: float32 [n, dim]."""
        return unit_rows(np.asarray(words @ self.axes, np.float32))

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """Return the vocabulary's arrays and `axes`."""
        return {**self.vocabulary.arrays(), "axes": self.axes}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Rebuild; raise `CorruptArtifactError` where the arrays contradict each other."""
        vocabulary, axes = Vocabulary.from_arrays(arrays), arrays["axes"]
        if axes.ndim != 2 or len(axes) != len(vocabulary.idf):
            raise CorruptArtifactError("the axes of the artifact do not fit its vocabulary; train again")
        return cls(vocabulary, axes)


@dataclass(frozen=True, slots=True, eq=False)
class VectorFeatures:
    """The items' own vectors at unit length, less `mean`, float32 [their dim], times `axes`."""

    mean: Floats
    axes: Floats

    @classmethod
    def learnt(cls, items: Sequence[Item | None], dim: int, seed: int) -> Self:
        """Learn mean and axes; items whose vector has another dimension than most are passed over."""
        given = usual_dim(items)
        own = [item for item in items if item is not None and given and vector_dim(item.vector) == given]
        raw = np.zeros((0, given), np.float32)
        if own:
            chosen = [unpacked_vector(own[int(place)].vector) for place in _evenly(len(own))]
            raw = unit_rows(np.stack(chosen))
        mean = raw.mean(axis=0) if len(raw) > 1 else np.zeros(given, np.float32)
        return cls(mean, principal_axes(sparse.csr_matrix(raw - mean), dim, seed))

    @property
    def dim(self) -> int:
        """How long the vectors are."""
        return int(self.axes.shape[1])

    def of(self, items: Sequence[Item | None]) -> Floats:
        """Return unit vectors, float32 [len(items), dim]; zeros where an item has none."""
        raw = np.zeros((len(items), len(self.mean)), np.float32)
        has = np.zeros(len(items), np.bool_)
        for place, item in enumerate(items):
            if item is not None and item.vector and vector_dim(item.vector) == len(self.mean):
                raw[place] = unpacked_vector(item.vector)
                has[place] = True
        out = np.zeros((len(items), self.dim), np.float32)
        if has.any():
            out[has] = each_times(unit_rows(raw[has]) - self.mean, self.axes)
        return unit_rows(out)

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """Return `mean` and `axes`."""
        return {"mean": self.mean, "axes": self.axes}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Rebuild; raise `CorruptArtifactError` where the arrays contradict each other."""
        mean, axes = arrays["mean"], arrays["axes"]
        if axes.ndim != 2 or mean.shape != axes.shape[:1]:
            raise CorruptArtifactError("the axes of the artifact do not fit its vectors; train again")
        return cls(mean, axes)


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """Both kinds at once; `vector` is None where no item came with one."""

    text: TextFeatures
    vector: VectorFeatures | None

    @classmethod
    def learnt(cls, items: Sequence[Item | None], dim: int, max_features: int, seed: int) -> Self:
        """Learn what there is to learn from the items."""
        text = TextFeatures.learnt(items, dim, max_features, seed)
        vector = VectorFeatures.learnt(items, dim, seed) if usual_dim(items) else None
        return cls(text, vector)

    def describe(self, items: Sequence[Item | None], rows: TermRows | None = None) -> Described:
        """Return what items are about: their words, and the vector they came with, else the words' axes.

        `rows` are those of the vocabulary, where they are at hand.
        """
        words = self.text.words(items) if rows is None else self.text.matrix(rows)
        dense = self.text.rows(words) if self.vector is None else self.vector.of(items)
        return Described(words, dense)

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """Return the arrays of both, those of the vectors with the prefix `vector_`."""
        vector = {} if self.vector is None else self.vector.arrays()
        return {**self.text.arrays(), **{f"vector_{name}": array for name, array in vector.items()}}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Rebuild; raise `CorruptArtifactError` where the arrays contradict each other."""
        vector = (
            {"mean": arrays["vector_mean"], "axes": arrays["vector_axes"]} if "vector_mean" in arrays else {}
        )
        return cls(TextFeatures.from_arrays(arrays), VectorFeatures.from_arrays(vector) if vector else None)


def each_times(rows: Floats, matrix: Floats) -> Floats:
    """Return `rows @ matrix`, float32, each row by itself: bit-equal whatever rows it comes with."""
    out = np.zeros((len(rows), matrix.shape[1]), np.float32)
    _add_product(np.ascontiguousarray(rows, np.float32), np.ascontiguousarray(matrix, dtype=np.float32), out)
    return out


@kernel
def _add_product(rows: Floats, matrix: Floats, out: Floats) -> None:
    """Add `rows @ matrix` to `out`, every sum in the order of the columns of `rows`.

    Columns of `matrix` are taken so many at a time that they stay in the processor's cache.
    """
    dim, width = matrix.shape
    for begin in range(0, width, COLUMNS):
        for i in range(len(rows)):
            found = out[i, begin : begin + COLUMNS]
            for d in range(dim):
                factor, column = rows[i, d], matrix[d, begin : begin + COLUMNS]
                for j in range(len(found)):
                    found[j] += factor * column[j]


def principal_axes(matrix: sparse.csr_matrix, dim: int, seed: int) -> Floats:
    """Return the first right singular vectors of `matrix`, float32 [columns, ≤ dim], largest first.

    By power iterations on random directions (Halko, Martinsson, Tropp: "Finding Structure with Randomness",
    SIAM Review 2011), so that neither side is ever dense. The sign of an axis is such that its largest entry
    is positive: the same matrix and seed give the same axes, bit for bit.
    """
    wanted = min(dim, *matrix.shape)
    if not matrix.nnz or wanted < 1:
        return np.zeros((matrix.shape[1], 0), np.float32)
    rows = matrix.astype(np.float64)
    spread = min(wanted + SPARE, *matrix.shape)
    basis: Doubles = np.random.default_rng(seed).standard_normal((matrix.shape[1], spread))
    for _ in range(PASSES):
        basis = np.linalg.qr(rows.T @ np.linalg.qr(rows @ basis)[0])[0]
    _, value, turned = np.linalg.svd(rows @ basis, full_matrices=False)
    kept = value[:wanted] > 1e-6 * max(float(value[0]), 1e-12)
    axes = (basis @ turned[:wanted].T)[:, kept]
    largest = np.abs(axes).argmax(axis=0)
    axes *= np.where(axes[largest, np.arange(axes.shape[1])] < 0.0, -1.0, 1.0)
    return np.ascontiguousarray(axes.astype(np.float32))


def _evenly(count: int) -> NDArray[np.int64]:
    return np.unique(np.linspace(0, count - 1, min(count, MOST_ROWS)).astype(np.int64)) if count else _NONE


_NONE: NDArray[np.int64] = np.empty(0, np.int64)

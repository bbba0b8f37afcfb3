"""Vectors whose numbers take eight bits: to score all items, a quarter of the memory is read."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from foretaste.domain.arrays import Floats, Int8s, Ordinals
from foretaste.domain.kernel import inner_summing_kernel, kernel, summing_kernel
from foretaste.domain.lent_arrays import address_of
from foretaste.models.inverted_lists import InvertedLists

MOST = 127
"""The largest code."""
_PART = 16_384
"""So many vectors are written out at a time where all are needed."""


@dataclass(frozen=True, slots=True, eq=False)
class CodedVectors:
    """Vector i is `code[i] * row[i] * column`: int8 [n, dim], float32 [n], float32 [dim].

    Who holds such vectors means these very numbers, not the ones that they were rounded from. Where `lists`
    say which are next to each other, the best for a query are found without a look at most of them.
    """

    code: Int8s
    row: Floats
    column: Floats
    lists: InvertedLists | None = None

    @classmethod
    def of(cls, vectors: Floats) -> Self:
        """Return `vectors`, float32 [n, dim], rounded: each column by its usual size, each row by its own."""
        length = np.linalg.norm(vectors, axis=1)
        told = vectors[length > 0.0] / length[length > 0.0, np.newaxis]
        column = np.sqrt(np.square(told).mean(axis=0)) if len(told) else np.zeros(vectors.shape[1])
        sizes: Floats = np.where(column > 0.0, column, 1.0).astype(np.float32)
        return cls(*_rounded(np.ascontiguousarray(vectors), sizes), sizes)

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Return what `arrays` were those of; raise `CorruptArtifactError` for lists that are not theirs."""
        code, row = arrays["code"], arrays["row"]
        lists = None if "centre" not in arrays else InvertedLists.from_arrays(arrays, code, row)
        return cls(code, row, arrays["column"], lists)

    def __len__(self) -> int:
        """How many there are."""
        return len(self.row)

    @property
    def where(self) -> tuple[int, int, int, int]:
        """The addresses of codes and sizes of rows, how many there are, and of how many dimensions."""
        codes, sizes = address_of(self.code.reshape(-1)), address_of(self.row)
        return codes, sizes, len(self.row), len(self.column)

    def listed(self, seed: int) -> "CodedVectors":
        """Return these in lists; `seed` is the only randomness."""
        return replace(self, lists=InvertedLists.made(self.all(), seed, self.code, self.row))

    def looking(self, looks: float) -> "CodedVectors":
        """Return these in the same lists, of which searches look at `looks`; see `Centres`."""
        lists = self.lists and replace(self.lists, centres=replace(self.lists.centres, looks=looks))
        return replace(self, lists=lists)

    def with_rows(self, items: Ordinals, vectors: Floats) -> "CodedVectors":
        """Return these with other or more `vectors`, float32 [len(items), dim]; 0 for what lies between."""
        n = max(len(self), 1 + int(items.max(initial=-1)))
        code, row = np.zeros((n, len(self.column)), np.int8), np.zeros(n, np.float32)
        code[: len(self)], row[: len(self)] = self.code, self.row
        code[items], row[items] = _rounded(np.ascontiguousarray(vectors), self.column)
        lists = None
        if self.lists is not None:
            lists = self.lists.with_vectors(items, _written(code, row, self.column, items), code, row)
        return CodedVectors(code, row, self.column, lists)

    def rewritten(self, items: Ordinals, vectors: Floats) -> "CodedVectors":
        """Do as `with_rows`, over what is here, which nobody asks again: only what differs is touched."""
        here = self._of_length(1 + int(items.max(initial=-1)))
        code, row = _rounded(np.ascontiguousarray(vectors), self.column)
        other = np.flatnonzero((row != here.row[items]) | (code != here.code[items]).any(axis=1))
        items = items[other]
        here.code[items], here.row[items] = code[other], row[other]
        if here.lists is None:
            return here
        lists = here.lists.rewritten(items, here.at(items), here.code, here.row)
        return CodedVectors(here.code, here.row, here.column, lists)

    def _of_length(self, n: int) -> "CodedVectors":
        """Return these, with vectors of 0 if they are fewer than `n`."""
        more = n - len(self)
        if more <= 0:
            return self
        code = np.concatenate((self.code, np.zeros((more, self.code.shape[1]), np.int8)))
        row = np.concatenate((self.row, np.zeros(more, np.float32)))
        return CodedVectors(code, row, self.column, self.lists and self.lists.of_length(n))

    def alone(self, vectors: Floats) -> "CodedVectors":
        """Return `vectors` alone, float32 [n, dim], rounded as these are."""
        return CodedVectors(*_rounded(np.ascontiguousarray(vectors), self.column), self.column)

    def at(self, items: Ordinals) -> Floats:
        """Return the vectors of `items`, float32 [len(items), dim]; 0 for items outside."""
        return _written(self.code, self.row, self.column, items)

    def unit(self, items: Ordinals) -> Floats:
        """Return the vectors of `items` at unit length, or 0."""
        vectors = self.at(items)
        _shorten(vectors)
        return vectors

    def all(self) -> Floats:
        """Return all vectors, float32 [n, dim]."""
        return self.at(np.arange(len(self), dtype=np.int32))

    def products(self, vector: Floats) -> Floats:
        """Return the inner products of all with `vector`, float32 [n]."""
        return _products(self.code, self.row, vector * self.column)

    def products_of(self, items: Ordinals, vector: Floats) -> Floats:
        """Return the inner products of `items` with `vector`, float32 [len(items)]; 0 for items outside.

        They are those of `products`, bit for bit.
        """
        return _products_of(self.code, self.row, vector * self.column, items)

    def products_of_many(self, vectors: Floats, out: Floats) -> None:
        """Write the inner products of `vectors`, float32 [m, dim], to `out` [m, at most n]."""
        for first in range(0, out.shape[1], _PART):
            items = np.arange(first, min(first + _PART, out.shape[1]), dtype=np.int32)
            out[:, first : first + _PART] = vectors @ self.at(items).T

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays by their names."""
        lists = {} if self.lists is None else self.lists.arrays()
        return {"code": self.code, "row": self.row, "column": self.column, **lists}


@kernel
def _rounded(vectors: Floats, column: Floats) -> tuple[Int8s, Floats]:
    n, dim = vectors.shape
    code, row = np.zeros((n, dim), np.int8), np.zeros(n, np.float32)
    for i in range(n):
        largest = np.float32(0.0)
        for d in range(dim):
            largest = max(largest, abs(vectors[i, d]) / column[d])
        if largest > np.float32(0.0):
            row[i] = largest / np.float32(MOST)
            for d in range(dim):
                code[i, d] = np.int8(np.rint(vectors[i, d] / (column[d] * row[i])))
    return code, row


@kernel
def _written(code: Int8s, row: Floats, column: Floats, items: Ordinals) -> Floats:
    found = np.zeros((len(items), len(column)), np.float32)
    for k in range(len(items)):
        i = items[k]
        if 0 <= i < len(row):
            for d in range(len(column)):
                found[k, d] = np.float32(code[i, d]) * row[i] * column[d]
    return found


@summing_kernel
def _shorten(vectors: Floats) -> None:
    """Bring all vectors but those of 0 to length one."""
    for i in range(len(vectors)):
        squares = np.float32(0.0)
        for d in range(vectors.shape[1]):
            squares += vectors[i, d] * vectors[i, d]
        if squares > np.float32(0.0):
            scale = np.float32(1.0) / np.sqrt(squares)
            for d in range(vectors.shape[1]):
                vectors[i, d] *= scale


@inner_summing_kernel
def product(code: Int8s, row: Floats, vector: Floats, i: int) -> np.float32:
    """Return the inner product of vector i with a query's `vector`, float32 [dim], times `column`."""
    total = np.float32(0.0)
    for d in range(len(vector)):
        total += np.float32(code[i, d]) * vector[d]
    found: np.float32 = row[i] * total
    return found


@kernel
def _products_of(code: Int8s, row: Floats, vector: Floats, items: Ordinals) -> Floats:
    found = np.zeros(len(items), np.float32)
    for k in range(len(items)):
        if 0 <= items[k] < len(row):
            found[k] = product(code, row, vector, items[k])
    return found


@kernel
def _products(code: Int8s, row: Floats, vector: Floats) -> Floats:
    found = np.empty(len(row), np.float32)
    for i in range(len(row)):
        found[i] = product(code, row, vector, i)
    return found

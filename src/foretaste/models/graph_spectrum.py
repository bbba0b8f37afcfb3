"""The item graph: how much two items have to do with each other, and its largest eigenvectors.

P = N'N with N = U^-½ R I^-½ is the normalized item-to-item graph: R are people's strengths for items, I the
diagonal of what there is of every item and U that of every person, raised to an exponent.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse

from foretaste.domain.arrays import Doubles, Floats

SPARE = 16
"""Directions carried beside those asked for: they take up what the iteration has not yet sorted out."""
ITERATIONS = 3
NOTHING = 1e-7
"""A direction with less than this part of the largest one's square is rounding."""


@dataclass(frozen=True)
class Graph:
    """`entries` is N, float32 [users, items]; `by_item` its transpose in rows."""

    entries: sparse.csr_matrix

    @cached_property
    def by_item(self) -> sparse.csr_matrix:
        """Return N' as rows, float32 [items, users]."""
        return self.entries.T.tocsr()


@dataclass(frozen=True, slots=True)
class Spectrum:
    """The largest eigenvalues of P, falling, float32 [rank], and their vectors, float32 [items, rank]."""

    values: Floats
    vectors: Floats


def item_graph(matrix: sparse.csr_matrix, user: float) -> Graph:
    """Return the graph of `matrix`, float32 [users, items], `user` being the exponent of U."""
    amounts_of_users = power(amounts(matrix, axis=1), -user / 2.0)
    amounts_of_items = power(amounts(matrix, axis=0), -0.5)
    scaled = sparse.diags_array(amounts_of_users) @ matrix @ sparse.diags_array(amounts_of_items)
    return Graph(sparse.csr_matrix(scaled, dtype=np.float32))


def amounts(matrix: sparse.csr_matrix, axis: int) -> Doubles:
    """Return how much there is of each item (axis 0) or person (axis 1), float64."""
    return np.asarray(matrix.sum(axis=axis), np.float64).ravel()


def power(amount: Doubles, exponent: float) -> Floats:
    """Return `amount` to the power of `exponent`, zero where there is nothing, float32."""
    return np.where(amount > 0.0, np.maximum(amount, 1e-9) ** exponent, 0.0).astype(np.float32)


def spectrum(graph: Graph, rank: int, seed: int) -> Spectrum:
    """Return the `rank` largest eigenvalues of P (fewer if the graph is smaller) with their vectors.

    Subspace iteration from random directions: Halko, Martinsson, Tropp, "Finding structure with
    randomness", SIAM Review 2011, algorithm 4.4. The first values are exact, the last within a few percent.
    """
    width = min(rank + SPARE, *graph.entries.shape)
    generator = np.random.default_rng(seed)
    start = generator.standard_normal((graph.entries.shape[1], width), np.float32)
    basis = _orthonormal(start)
    for _ in range(ITERATIONS):
        basis = _orthonormal(graph.by_item @ (graph.entries @ basis))
    projected = graph.entries @ basis
    squares, turned = np.linalg.eigh((projected.T @ projected).astype(np.float64))
    largest = np.argsort(-squares, kind="stable")[: min(rank, width)]
    vectors = basis @ turned[:, largest].astype(np.float32)
    values = np.maximum(squares[largest], 0.0).astype(np.float32)
    return Spectrum(values, np.ascontiguousarray(vectors))


def _orthonormal(block: Floats) -> Floats:
    """Return orthonormal directions that span `block`, zero where there is but rounding."""
    values, basis = np.linalg.eigh((block.T @ block).astype(np.float64))
    values = np.maximum(values, 0.0)
    real = values > NOTHING * values.max(initial=0.0)
    shrink = np.where(real, 1.0 / np.sqrt(np.where(real, values, 1.0)), 0.0)
    return np.asarray(block @ (basis * shrink).astype(np.float32))

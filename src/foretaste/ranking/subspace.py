"""The main directions of sparse rows, bit-equal wherever the arrays lie in memory."""

import numpy as np
from scipy import sparse

from foretaste.domain.arrays import Doubles, Floats
from foretaste.domain.kernel import kernel

ROUNDS = 8
SPARE = 8
"""Directions carried along beyond those wanted: the wanted ones converge the faster."""


def main_directions(matrix: sparse.csr_matrix, count: int, seed: int) -> Floats:
    """Return about the first `count` right singular vectors of `matrix`, float32 [n_columns, count or fewer].

    Orthogonal iteration (Halko, Martinsson and Tropp 2011, algorithm 4.4), with sparse products and
    orthonormalization in fixed order instead of BLAS, whose last bits vary with the alignment of arrays.
    """
    room = min(count + SPARE, *matrix.shape)
    kept = min(count, room)
    if not matrix.nnz:
        return np.zeros((matrix.shape[1], 0), np.float32)
    found = np.random.default_rng(seed).normal(size=(room, matrix.shape[1]))
    turned = matrix.T.tocsr()
    orthonormalize(found)
    for _ in range(ROUNDS):
        found = np.ascontiguousarray((turned @ (matrix @ found.T)).T)
        orthonormalize(found)
    return np.ascontiguousarray(found[:kept].T, np.float32)


@kernel
def orthonormalize(rows: Doubles) -> None:
    """Make `rows` orthonormal in place, one after the other; what is left of dependent ones becomes zero."""
    n, width = rows.shape
    for i in range(n):
        for _ in range(2):
            for j in range(i):
                product = 0.0
                for k in range(width):
                    product += rows[i, k] * rows[j, k]
                for k in range(width):
                    rows[i, k] -= product * rows[j, k]
        length = 0.0
        for k in range(width):
            length += rows[i, k] * rows[i, k]
        length = np.sqrt(length)
        for k in range(width):
            rows[i, k] = rows[i, k] / length if length > 1e-12 else 0.0

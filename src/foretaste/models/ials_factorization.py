"""Alternating least squares: the vectors of both sides, each solved exactly while the other one is fixed."""

from copy import copy
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from foretaste.domain.arrays import Floats
from foretaste.models.ials_solver import eigenbasis, solve_side


@dataclass(frozen=True, slots=True)
class Factors:
    """Item vectors in the eigenbasis of their Gramian, and what a fold-in needs beside them.

    `items` float32 [n_items, dim], zero where an item was not in the data; `diagonal` float32 [dim] is the
    system's diagonal for a history of strength zero; `regularization` is added per unit of strength.
    """

    items: Floats
    diagonal: Floats
    regularization: float

    def fold_in(self, histories: sparse.csr_matrix) -> Floats:
        """Return the vectors of histories with positive strengths, float32 [rows, dim]."""
        strength = np.asarray(histories.sum(axis=1)).ravel()
        added = (self.regularization * strength).astype(np.float32)
        return solve_side(
            histories.indptr, histories.indices, histories.data, self.items, self.diagonal, added
        )


@dataclass(frozen=True, slots=True)
class Settings:
    """What `factorize` needs to know.

    `regularization` is λ, `unobserved` is alpha as a multiple of the share of pairs observed among the
    users and items that were observed at all. So alpha N, the frequency that λ counts for everyone, is
    `unobserved` times the mean strength of a row.
    """

    dim: int
    epochs: int
    regularization: float
    unobserved: float


def factorize(matrix: sparse.csr_matrix, settings: Settings, seed: int) -> Factors:
    """Fit `matrix`, float32 [users, items], every epoch solving for the users, then for the items."""
    by_user, by_item = _rows(matrix), _rows(matrix.T.tocsr())
    n_users, n_items = _occupied(by_user), _occupied(by_item)
    regularization = settings.regularization
    alpha = settings.unobserved * matrix.sum() / (n_users * n_items)
    for_user = _regularization(by_user, regularization, alpha * n_items)
    for_item = _regularization(by_item, regularization, alpha * n_users)
    generator = np.random.default_rng(seed)
    start = generator.standard_normal((matrix.shape[1], settings.dim)) * (0.1 / np.sqrt(settings.dim))
    items, spectrum = eigenbasis(start.astype(np.float32))
    for _ in range(settings.epochs):
        users = _solved(by_user, items, alpha * spectrum, for_user)
        users, spectrum = eigenbasis(users)
        items = _solved(by_item, users, alpha * spectrum, for_item)
        items, spectrum = eigenbasis(items)
    diagonal = alpha * spectrum + regularization * alpha * n_items
    return Factors(items, diagonal.astype(np.float32), regularization)


def _rows(matrix: sparse.csr_matrix) -> sparse.csr_matrix:
    """Return the matrix with row starts as the kernels take them; all else is shared."""
    rows = copy(matrix)
    rows.indptr = rows.indptr.astype(np.int64)
    return rows


def _occupied(rows: sparse.csr_matrix) -> int:
    return max(1, int(np.count_nonzero(np.diff(rows.indptr))))


def _regularization(rows: sparse.csr_matrix, regularization: float, everyone: float) -> Floats:
    frequency = np.asarray(rows.sum(axis=1)).ravel() + everyone
    scaled: Floats = np.maximum(regularization * frequency, 1e-6).astype(np.float32)
    return scaled


def _solved(rows: sparse.csr_matrix, fixed: Floats, spectrum: Floats, regularization: Floats) -> Floats:
    return solve_side(
        rows.indptr, rows.indices, rows.data, fixed, spectrum.astype(np.float32), regularization
    )

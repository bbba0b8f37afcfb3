"""EASE: the linear item-to-item model in closed form, for catalogs of up to about 15,000 items.

Steck: "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019. With P the inverse of the items'
regularized Gramian, row i column j of the model is -P_ij / P_jj, its diagonal zero. Of every row only the
`neighbours` largest values, by size, are kept.
"""

from typing import ClassVar

import msgspec
import numpy as np
from scipy import sparse
from scipy.linalg import lapack

from foretaste.domain.arrays import Floats, Int64s
from foretaste.domain.interactions import Interactions
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.models.grid_walk import walk
from foretaste.models.item_rows import ItemRows
from foretaste.models.item_to_item import LinearConfig, LinearItems, chosen_recency, value_of
from foretaste.models.training_matrix import strengths, with_items_up_to
from foretaste.models.tuning import MIN_QUERIES, best_recency, validation

USUAL_REGULARIZATION = 300.0
STEP = 2.5
MAX_FITS = 6
TUNED_ITEMS = 2_000
"""The regularization is chosen on so many of the most frequent items, since the cost is cubic."""
BLOCK = 512
"""Rows of the matrix worked on at once: bounds what is needed beside it."""


class EaseConfig(LinearConfig, frozen=True, kw_only=True, tag_field="kind", tag="ease"):
    """What EASE needs to know; what is None is chosen by `fit` and stands in the fitted model's `config`.

    `regularization` is added to the Gramian's diagonal; `neighbours` are kept per row; `strength_power` see
    `strengths`.
    """

    regularization: float | None = None
    neighbours: int = 500
    strength_power: float = 0.5

    def fit(self, interactions: Interactions, seed: int, catalog: CatalogColumns) -> "Ease":  # noqa: ARG002 - learns from interactions only
        """Learn the matrix; what the configuration leaves open is chosen on a validation part first."""
        config = self.chosen(interactions, seed)
        matrix = strengths(interactions, config.strength_power)
        known = np.flatnonzero(matrix.getnnz(axis=0))
        dense = solved(matrix[:, known], config.regularization or USUAL_REGULARIZATION)
        return Ease(config, _shortened(dense, known, matrix.shape[1], config.neighbours))

    def chosen(self, interactions: Interactions, seed: int) -> "EaseConfig":
        """Return this configuration with nothing left open."""
        if self.regularization is not None and self.recency is not None:
            return self
        questions = validation(with_items_up_to(interactions, TUNED_ITEMS), seed)
        matrix = strengths(questions.train, self.strength_power)
        start = self.recency or best_recency(questions, lambda _: 0.0)

        def at(place: tuple[int, ...]) -> float:
            return (self.regularization or USUAL_REGULARIZATION) * STEP ** place[0]

        def value(place: tuple[int, ...]) -> float:
            return value_of(questions, solved(matrix, at(place)), start)

        place: tuple[int, ...] = (0,)
        if self.regularization is None and len(questions) >= MIN_QUERIES:
            place = walk(value, ((1,), (-1,)), MAX_FITS)
        recency = chosen_recency(questions, solved(matrix, at(place)), self.recency)
        return msgspec.structs.replace(self, regularization=at(place), recency=recency)


class Ease(LinearItems[EaseConfig]):
    """EASE, its rows shortened."""

    name: ClassVar[str] = "ease"
    config_type = EaseConfig


def solved(matrix: sparse.csr_matrix, regularization: float) -> Floats:
    """Return the model of `matrix`, float32 [users, n], in full: float32 [n, n].

    Works in the memory of what it returns.
    """
    gramian = _gramian(matrix)
    diagonal = np.arange(len(gramian))
    gramian[diagonal, diagonal] += np.float32(regularization)
    factor = lapack.spotrf(gramian, lower=1, overwrite_a=1)[0]
    inverse: Floats = lapack.spotri(factor, lower=1, overwrite_c=1)[0]
    for first in range(0, len(inverse), BLOCK):
        last = first + BLOCK
        corner = np.tril(inverse[first:last, first:last])
        inverse[first:last, first:last] = corner + np.tril(corner, -1).T
        inverse[first:last, last:] = inverse[last:, first:last].T
    full: Floats = inverse.T  # the same, being symmetric, with its rows one after the other in memory
    full /= -full[diagonal, diagonal].copy()
    full[diagonal, diagonal] = 0.0
    return full


def _gramian(matrix: sparse.csr_matrix) -> Floats:
    """Return the Gramian of the columns, float32 [n, n], column by column in memory."""
    by_item = matrix.T.tocsr()
    gramian = np.empty((matrix.shape[1], matrix.shape[1]), np.float32, order="F")
    for first in range(0, len(gramian), BLOCK):
        gramian[:, first : first + BLOCK] = (by_item[first : first + BLOCK] @ matrix).toarray().T
    return gramian


def _shortened(dense: Floats, known: Int64s, n_items: int, neighbours: int) -> ItemRows:
    """Return the largest values, by size, of every row; row and column k of `dense` are item `known[k]`."""
    kept = min(neighbours, len(known))
    columns = np.empty((len(known), kept), np.int64)
    for row, values in enumerate(dense):
        columns[row] = np.sort(np.argpartition(-np.abs(values), kept - 1)[:kept])
    value = np.take_along_axis(dense, columns, axis=1)
    length = np.zeros(n_items, np.int64)
    length[known] = kept
    return ItemRows(
        start=np.concatenate(([0], np.cumsum(length))),
        item=known[columns].ravel().astype(np.int32),
        value=value.ravel(),
    )

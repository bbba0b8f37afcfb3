"""EASE and the neighbourhood model compute what their formulas say."""

import numpy as np
import pytest
from scipy import sparse

from foretaste.domain.errors import CorruptArtifactError
from foretaste.domain.interactions import Interactions
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.features.recency import Recency
from foretaste.models.ease import Ease, EaseConfig, solved
from foretaste.models.item_item import ItemItemConfig
from foretaste.models.item_rows import ItemRows
from foretaste.models.neighbourhood import Neighbourhood, NeighbourhoodConfig

NO_CATALOG = CatalogColumns.empty()


def some_interactions(n_users=30, n_items=20, seed=0):
    generator = np.random.default_rng(seed)
    user, item = np.nonzero(generator.random((n_users, n_items - 1)) < 0.3)
    n = len(user)
    return Interactions(
        user.astype(np.int32), item.astype(np.int32), np.ones(n, np.float32), np.arange(n), n_users, n_items
    )


def dense(interactions):
    matrix = np.zeros((interactions.n_users, interactions.n_items))
    matrix[interactions.user, interactions.item] = 1.0
    return matrix


def test_ease_is_the_best_linear_model_with_a_zero_diagonal():
    matrix = dense(some_interactions())[:, :19]
    found = solved(sparse.csr_matrix(matrix.astype(np.float32)), 3.0)
    for item in range(matrix.shape[1]):
        others = np.delete(np.arange(matrix.shape[1]), item)
        system = matrix[:, others].T @ matrix[:, others] + 3.0 * np.eye(len(others))
        ridge = np.linalg.solve(system, matrix[:, others].T @ matrix[:, item])
        assert found[others, item] == pytest.approx(ridge, abs=1e-4)
    assert not np.diag(found).any()


def test_ease_keeps_the_largest_values_of_every_row():
    interactions = some_interactions()
    config = EaseConfig(regularization=3.0, neighbours=5, recency=Recency())
    rows = config.fit(interactions, 0, NO_CATALOG).rows.matrix().toarray()
    full = np.zeros((20, 20), np.float32)
    full[:19, :19] = solved(sparse.csr_matrix(dense(interactions)[:, :19].astype(np.float32)), 3.0)
    for row, whole in zip(rows[:19], full[:19], strict=True):
        largest = np.argsort(-np.abs(whole))[:5]
        assert row[largest] == pytest.approx(whole[largest])
        assert np.count_nonzero(row) == 5
    assert not rows[19].any()


def test_neighbourhood_is_scaled_co_occurrence():
    interactions = some_interactions()
    matrix = dense(interactions)
    config = NeighbourhoodConfig(event=0.5, user=0.8, target=0.25, neighbours=50, recency=Recency())
    rows = config.fit(interactions, 0, NO_CATALOG).rows.matrix().toarray()
    with np.errstate(divide="ignore"):
        users = matrix.sum(axis=1) ** -0.8
        events, targets = matrix.sum(axis=0) ** -0.5, matrix.sum(axis=0) ** -0.25
    expected = (matrix.T * np.where(np.isfinite(users), users, 0.0)) @ matrix
    expected *= np.where(np.isfinite(events), events, 0.0)[:, np.newaxis]
    expected *= np.where(np.isfinite(targets), targets, 0.0)
    np.fill_diagonal(expected, 0.0)
    assert rows == pytest.approx(expected, abs=1e-5)


def test_neighbourhood_keeps_the_strongest_of_every_row_and_of_equals_the_lower_item():
    interactions = some_interactions()
    open_config = NeighbourhoodConfig(user=0.8, target=0.25, neighbours=50, recency=Recency())
    full = open_config.fit(interactions, 0, NO_CATALOG).rows.matrix().toarray()
    short_config = NeighbourhoodConfig(user=0.8, target=0.25, neighbours=4, recency=Recency())
    short = short_config.fit(interactions, 0, NO_CATALOG).rows.matrix().toarray()
    for row, whole in zip(short, full, strict=True):
        strongest = np.argsort(-whole, kind="stable")[:4]
        strongest = strongest[whole[strongest] > 0.0]
        assert np.flatnonzero(row).tolist() == sorted(strongest.tolist())


def test_the_size_of_the_catalog_decides_between_the_two():
    interactions = some_interactions()
    assert isinstance(ItemItemConfig(ease_items=19).fit(interactions, 0, NO_CATALOG), Ease)
    assert isinstance(ItemItemConfig(ease_items=18).fit(interactions, 0, NO_CATALOG), Neighbourhood)


@pytest.mark.parametrize(
    ("start", "item"),
    [
        ([0, 1, 2], [0, 2]),
        ([0, 1, 2], [-1, 0]),
        ([0, 2, 1], [0, 1]),
        ([0, 1, 3], [0, 1]),
        ([1, 1, 2], [0, 1]),
    ],
)
def test_rows_that_point_outside_are_refused(start, item):
    arrays = {
        "start": np.array(start, np.int64),
        "item": np.array(item, np.int32),
        "value": np.ones(2, np.float32),
    }
    with pytest.raises(CorruptArtifactError):
        ItemRows.from_arrays(arrays)

"""EASE computes what its formula says, and hands over to the graph filter where it would cost too much."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from foretaste.domain.errors import CorruptArtifactError
from foretaste.domain.interactions import Interactions
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.features.recency import Recency
from foretaste.models.ease import Ease, EaseConfig, solved
from foretaste.models.graph_filter import GraphFilter
from foretaste.models.item_item import ItemItemConfig, work_of_ease
from foretaste.models.item_rows import ItemRows

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


def test_what_ease_would_cost_decides_between_the_two():
    interactions = some_interactions(n_users=2)
    assert work_of_ease(interactions) > 19 * len(np.unique(interactions.item)) ** 2
    limit = int(np.ceil(np.cbrt(work_of_ease(interactions))))
    assert isinstance(ItemItemConfig(ease_items=limit).fit(interactions, 0, NO_CATALOG), Ease)
    assert isinstance(ItemItemConfig(ease_items=limit - 1).fit(interactions, 0, NO_CATALOG), GraphFilter)


def test_long_histories_cost_ease_as_many_items_do():
    few = some_interactions(n_users=50, n_items=20)
    one_person = replace(few, user=np.zeros(len(few), np.int32))
    assert work_of_ease(one_person) > work_of_ease(few)


def test_ease_works_in_the_memory_of_its_matrix():
    n_items = 2_000
    generator = np.random.default_rng(0)
    item = generator.integers(0, n_items, 20_000)
    ones = np.ones(len(item), np.float32)
    matrix = sparse.csr_matrix(
        (ones, (generator.integers(0, 3_000, len(item)), item)), shape=(3_000, n_items)
    )
    tracemalloc.start()
    solved(matrix, 10.0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2.0 * n_items * n_items * 4


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

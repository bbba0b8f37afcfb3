"""The graph filter computes what its formula says, within bounds of memory."""

import tracemalloc

import numpy as np
import pytest
from scipy import linalg, sparse

from foretaste.domain.interactions import Interactions
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.features.recency import Recency
from foretaste.models.graph_filter import GraphFilterConfig
from foretaste.models.graph_filter_rows import Filter, filtered_rows
from foretaste.models.graph_spectrum import item_graph, spectrum
from foretaste.models.training_matrix import strengths

NO_CATALOG = CatalogColumns.empty()
GIVEN = {"user": 0.8, "target": 0.25, "sharpness": 1.0, "recency": Recency()}


def some_interactions(n_users=30, n_items=20, seed=0, share=0.3):
    """The last item is in the catalog, but nobody took to it."""
    generator = np.random.default_rng(seed)
    user, item = np.nonzero(generator.random((n_users, n_items - 1)) < share)
    n = len(user)
    return Interactions(
        user.astype(np.int32), item.astype(np.int32), np.ones(n, np.float32), np.arange(n), n_users, n_items
    )


def powers(amount, exponent):
    return np.array([value**exponent if value > 0 else 0.0 for value in amount])


def by_formula(interactions, event=0.5, user=0.8, target=0.25, sharpness=1.0, low_pass=0.0, rank=256):
    matrix = strengths(interactions).toarray().astype(np.float64)
    people, items = matrix.sum(axis=1), matrix.sum(axis=0)
    normalized = powers(people, -user / 2)[:, np.newaxis] * matrix * powers(items, -0.5)
    graph = normalized.T @ normalized
    values, vectors = np.linalg.eigh(graph)
    low = vectors[:, -rank:] @ vectors[:, -rank:].T
    blurred = graph + low_pass * powers(items, -0.5)[:, np.newaxis] * low * powers(items, 0.5)
    rows = blurred @ linalg.expm(-sharpness * graph / values.max())
    rows *= powers(items, 0.5 - event)[:, np.newaxis] * powers(items, 0.5 - target)
    np.fill_diagonal(rows, 0.0)
    return np.maximum(np.where(graph != 0.0, rows, 0.0), 0.0)


def learnt(interactions, **changes):
    config = GraphFilterConfig(**{"neighbours": 50, **GIVEN, **changes})
    return config.fit(interactions, 0, NO_CATALOG).rows


@pytest.mark.parametrize(
    "numbers",
    [
        {"sharpness": 0.0},
        {"sharpness": 1.0},
        {"sharpness": 2.5, "user": 0.5, "target": 0.0},
        {"event": 0.7, "user": 0.7, "target": 0.4, "sharpness": 0.0},
        {"sharpness": 2.5, "low_pass": 0.2},
        {"sharpness": 0.0, "low_pass": 0.3, "rank": 5},
        {"event": 0.7, "target": 0.4, "sharpness": 1.0, "low_pass": 0.3},
    ],
)
def test_rows_are_the_filtered_graph(numbers):
    interactions = some_interactions()
    rows = learnt(interactions, **numbers).matrix().toarray()
    assert rows == pytest.approx(by_formula(interactions, **numbers), abs=1e-5)


def test_a_few_eigenvectors_come_close_to_the_whole_filter():
    interactions = some_interactions(n_users=200, n_items=80, share=0.1)
    whole = by_formula(interactions)
    near = learnt(interactions, rank=24, neighbours=80).matrix().toarray()
    far = learnt(interactions, sharpness=0.0, neighbours=80).matrix().toarray()
    assert np.linalg.norm(near - whole) < 0.25 * np.linalg.norm(far - whole)


def test_the_strongest_of_every_row_are_kept_and_of_equals_the_lower_item():
    interactions = some_interactions()
    full = learnt(interactions, sharpness=0.0).matrix().toarray()
    short = learnt(interactions, sharpness=0.0, neighbours=4).matrix().toarray()
    for row, whole in zip(short, full, strict=True):
        strongest = np.argsort(-whole, kind="stable")[:4]
        strongest = strongest[whole[strongest] > 0.0]
        assert np.flatnonzero(row).tolist() == sorted(strongest.tolist())


def test_eigenvalues_are_those_of_the_graph():
    matrix = strengths(some_interactions(n_users=300, n_items=150, share=0.05))
    graph = item_graph(matrix, 0.8)
    found = spectrum(graph, 20, seed=3)
    whole = np.linalg.eigvalsh((graph.by_item @ graph.entries).toarray().astype(np.float64))[::-1]
    assert found.values[0] == pytest.approx(whole[0], rel=1e-4)
    assert found.values == pytest.approx(whole[:20], rel=0.1)
    assert found.vectors.T @ found.vectors == pytest.approx(np.eye(20), abs=1e-4)


def test_the_same_seed_gives_the_same_bits():
    interactions = some_interactions(n_users=300, n_items=150, share=0.05)
    one, other = (learnt(interactions, rank=10) for _ in range(2))
    assert one.value.tobytes() == other.value.tobytes()
    assert one.item.tobytes() == other.item.tobytes()


def test_memory_does_not_grow_with_the_square_of_the_catalog():
    n_items = 6_000
    generator = np.random.default_rng(0)
    item = generator.integers(0, n_items, 20_000)
    user = generator.integers(0, 4_000, len(item))
    ones = np.ones(len(item), np.float32)
    matrix = sparse.csr_matrix((ones, (user, item)), shape=(4_000, n_items))
    tracemalloc.start()
    filtered_rows(matrix, Filter(rank=8), neighbours=20, seed=0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < n_items * n_items * 4 / 10


@pytest.mark.parametrize("n_items", [0, 1])
def test_the_smallest_catalogs_are_learnt(n_items):
    users = np.arange(3 * n_items, dtype=np.int32)
    nothing = np.zeros(len(users), np.int32)
    ones = np.ones(len(users), np.float32)
    interactions = Interactions(users, nothing, ones, np.arange(len(users)), len(users), n_items)
    rows = GraphFilterConfig().fit(interactions, 0, NO_CATALOG).rows
    assert rows.n_items == n_items
    assert not len(rows.item)


def test_what_is_left_open_is_chosen_and_what_is_given_stays():
    generator = np.random.default_rng(0)
    group = generator.integers(0, 5, 300)
    user = np.repeat(np.arange(300), 8)
    item = group[user] * 20 + (generator.pareto(1.0, len(user)) * 3).astype(np.int64) % 20
    interactions = Interactions(
        user.astype(np.int32),
        item.astype(np.int32),
        np.ones(len(user), np.float32),
        np.zeros(len(user), np.int64),
        300,
        100,
        timed=False,
    )
    chosen = GraphFilterConfig(user=0.8).chosen(interactions, 0)
    assert chosen.user == 0.8
    assert chosen.recency == Recency()
    assert None not in {chosen.target, chosen.sharpness}
    assert chosen == GraphFilterConfig(user=0.8).chosen(interactions, 0)

"""iALS minimizes its loss, and chooses what its configuration leaves open."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from foretaste.domain.interactions import Interactions
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.features.recency import Recency
from foretaste.models.ials import IALSConfig, usual_dim
from foretaste.models.ials_factorization import Settings, factorize
from foretaste.models.training_matrix import strengths
from foretaste.testing.clustered_shop import clustered_shop

REGULARIZATION, UNOBSERVED = 0.02, 5.0


def loss(matrix, items, settings):
    """Return the loss at the best user vectors for `items`, written down as the paper has it."""
    n_users, n_items = matrix.shape
    dense = matrix.toarray().astype(np.float64)
    alpha = settings.unobserved * dense.sum() / (n_users * n_items)
    total, vectors = 0.0, items.astype(np.float64)
    for row in dense:
        scale = settings.regularization * (row.sum() + alpha * n_items)
        weight = row + alpha
        system = (vectors.T * weight) @ vectors + scale * np.eye(vectors.shape[1])
        user = np.linalg.solve(system, vectors.T @ row)
        predicted = vectors @ user
        total += (row * (1.0 - predicted) ** 2 + alpha * predicted**2).sum() + scale * user @ user
    for item, column in zip(vectors, dense.T, strict=True):
        total += settings.regularization * (column.sum() + alpha * n_users) * item @ item
    return total


def test_every_epoch_lowers_the_loss_of_the_paper():
    generator = np.random.default_rng(0)
    dense = (generator.random((40, 30)) < 0.2) * generator.integers(1, 4, (40, 30))
    matrix = sparse.csr_matrix(dense.astype(np.float32))
    losses = []
    for epochs in (1, 2, 4, 8):
        settings = Settings(4, epochs, REGULARIZATION, UNOBSERVED)
        losses.append(loss(matrix, factorize(matrix, settings, 0).items, settings))
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < 0.99 * losses[0]


def test_a_live_history_scores_as_the_same_history_folded_in_with_many():
    shop = clustered_shop()
    config = IALSConfig(
        dim=8, regularization=REGULARIZATION, unobserved=UNOBSERVED, strength_power=1.0, recency=Recency()
    )
    model = config.fit(shop.interactions, 0, CatalogColumns.empty())
    matrix = strengths(shop.interactions, power=1.0)
    factors = factorize(matrix, Settings(8, config.epochs, REGULARIZATION, UNOBSERVED), 0)
    factors = replace(factors, items=model.item_factors)
    users = factors.fold_in(matrix)
    for user in (0, 5, 9):
        expected = factors.items @ users[user]
        live = model.score(shop.history(user), shop.moment)
        assert live[: len(expected)] == pytest.approx(expected, rel=1e-3, abs=1e-4)


def test_given_values_stay_and_open_ones_are_chosen():
    shop = clustered_shop()
    config = IALSConfig(regularization=0.02, recency=Recency(half_life_events=7.0)).chosen(
        shop.interactions, 0
    )
    assert config.regularization == 0.02
    assert config.recency == Recency(half_life_events=7.0)
    assert config.unobserved is not None
    assert config.dim == usual_dim(100)


def test_without_times_nothing_is_forgotten():
    shop = clustered_shop().interactions
    untimed = Interactions(
        shop.user, shop.item, shop.weight, np.zeros_like(shop.time), shop.n_users, shop.n_items, timed=False
    )
    config = IALSConfig(dim=8, regularization=0.02, unobserved=5.0).chosen(untimed, 0)
    assert config.recency == Recency()


def test_too_little_data_takes_the_usual_values():
    few = Interactions(
        np.zeros(3, np.int32), np.arange(3, dtype=np.int32), np.ones(3, np.float32), np.arange(3), 1, 3
    )
    config = IALSConfig().chosen(few, 0)
    assert (config.regularization, config.unobserved) == (0.004, 24.0)


@pytest.mark.parametrize(
    ("n_items", "dim"), [(0, 128), (2_000, 128), (10_000, 128), (40_000, 256), (10**6, 256)]
)
def test_the_dimension_grows_with_the_root_of_the_catalog(n_items, dim):
    assert usual_dim(n_items) == dim


@pytest.mark.parametrize(("n_items", "dim"), [(0, 128), (4_000, 128), (10_000, 256), (40_000, 256)])
def test_without_times_smaller_catalogs_have_many_dimensions_too(n_items, dim):
    assert usual_dim(n_items, timed=False) == dim


def test_twice_the_breadth_is_twice_the_dimensions():
    shop = clustered_shop().interactions
    chosen = IALSConfig(breadth=2, regularization=0.02, unobserved=5.0).chosen(shop, 0)
    assert chosen.dim == 2 * usual_dim(100)
    assert IALSConfig(dim=8, breadth=2, regularization=0.02, unobserved=5.0).chosen(shop, 0).dim == 8

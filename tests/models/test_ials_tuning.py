"""How iALS finds its regularization and the weight of what was not observed."""

from dataclasses import replace

import numpy as np
import pytest

from foretaste.domain.interactions import Interactions
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.models import ials_tuning
from foretaste.models.grid_walk import walk
from foretaste.models.ials import IALSConfig
from foretaste.models.ials_factorization import factorize
from foretaste.models.ials_tuning import (
    LEAST_BEGUN,
    LEAST_FITS,
    MOST_FITS,
    STEPS,
    USUAL_REGULARIZATION,
    USUAL_UNOBSERVED,
    choose,
    fits,
    usual_regularization,
)
from foretaste.models.training_matrix import part
from foretaste.models.tuning import validation
from foretaste.testing.clustered_shop import clustered_shop


def without_times(shop):
    return replace(shop, time=np.zeros_like(shop.time), timed=False)


def of_size(n, timed):
    empty = np.zeros(n, np.int32)
    return Interactions(empty, empty, empty, empty, 1, 1, timed=timed)


@pytest.fixture
def tried(monkeypatch):
    """Every fit that a search asks for, as its settings; made narrow, for they are what is looked at."""
    every = []

    def recorded(matrix, settings, seed):
        every.append(settings)
        return factorize(matrix, replace(settings, dim=8, epochs=2), seed)

    monkeypatch.setattr(ials_tuning, "factorize", recorded)
    return every


def test_without_times_trials_are_fitted_as_the_model_will_be(tried):
    IALSConfig(dim=130, epochs=4).chosen(without_times(clustered_shop().interactions), 0)
    assert {(settings.dim, settings.epochs) for settings in tried} == {(130, 4)}


def test_trials_of_a_wide_model_are_narrower(tried):
    IALSConfig(dim=300, epochs=2).chosen(without_times(clustered_shop().interactions), 0)
    assert {(settings.dim, settings.epochs) for settings in tried} == {(256, 2)}


def test_in_order_trials_are_fitted_narrower_and_shorter_than_the_model(tried):
    IALSConfig(dim=130, epochs=4).chosen(clustered_shop().interactions, 0)
    assert {(settings.dim, settings.epochs) for settings in tried} == {(128, 3)}


def test_a_search_takes_fewer_fits_of_a_large_log():
    assert fits(of_size(1_000, timed=False)) == MOST_FITS
    assert LEAST_FITS < fits(of_size(400_000, timed=False)) < MOST_FITS
    assert fits(of_size(3_000_000, timed=False)) == LEAST_FITS
    assert fits(of_size(3_000_000, timed=True)) == MOST_FITS


def test_a_search_makes_no_more_fits_than_it_may(tried):
    IALSConfig(dim=8).chosen(without_times(clustered_shop().interactions), 0)
    assert LEAST_FITS <= len(tried) <= MOST_FITS


def test_only_what_was_tried_is_chosen(tried):
    found = choose(clustered_shop().interactions, 0, dim=8, epochs=5, strength_power=0.5)
    assert (found.regularization, found.unobserved) in {
        (settings.regularization, settings.unobserved) for settings in tried
    }


def test_without_times_what_was_tried_is_chosen_less_regularized_as_the_whole_log_is_denser(tried):
    data = without_times(clustered_shop().interactions)
    found = choose(data, 0, dim=8, epochs=5, strength_power=0.5)
    denser = usual_regularization(data) / usual_regularization(validation(data, 0).train)
    assert 0.8 < denser < 1.0
    assert any(
        found.regularization == pytest.approx(denser * settings.regularization)
        and found.unobserved == settings.unobserved
        for settings in tried
    )


def test_a_search_begins_where_the_valley_should_lie(tried):
    for data in (clustered_shop().interactions, without_times(clustered_shop().interactions)):
        tried.clear()
        choose(data, 0, dim=8, epochs=5, strength_power=0.5)
        first = tried[0]
        usual = usual_regularization(validation(data, 0).train)
        assert (first.regularization, first.unobserved) == (usual, USUAL_UNOBSERVED)


def test_on_a_dense_log_a_search_begins_no_lower_than_such_valleys_lie(tried):
    user, item = np.divmod(np.flatnonzero(np.random.default_rng(0).random(200 * 200) < 0.5), 200)
    ones, none = np.ones(len(user), np.float32), np.zeros(len(user), np.int64)
    dense = Interactions(user.astype(np.int32), item.astype(np.int32), ones, none, 200, 200, timed=False)
    choose(dense, 0, dim=8, epochs=1, strength_power=0.5)
    assert usual_regularization(dense) < LEAST_BEGUN
    assert tried[0].regularization == LEAST_BEGUN


def test_what_is_given_stays_as_it_is(tried):
    data = without_times(clustered_shop().interactions)
    found = choose(data, 0, dim=8, epochs=5, strength_power=0.5, regularization=0.3)
    assert found.regularization == 0.3
    assert {settings.regularization for settings in tried} == {0.3}


def test_what_was_chosen_on_a_part_of_a_log_without_times_suits_the_whole_one():
    whole = without_times(clustered_shop().interactions)
    some = part(whole, np.random.default_rng(0).random(len(whole)) < 0.6)
    found = IALSConfig(dim=8).fit(some, 0, CatalogColumns.empty()).config
    again = found.fit(whole, 0, CatalogColumns.empty()).config
    denser = usual_regularization(whole) / usual_regularization(some)
    assert again.regularization == pytest.approx(denser * found.regularization)
    assert again.fit(whole, 0, CatalogColumns.empty()).config == again


def test_a_regularization_that_was_given_holds_on_every_log():
    whole = without_times(clustered_shop().interactions)
    given = IALSConfig(dim=8, regularization=0.3)
    assert given.fit(whole, 0, CatalogColumns.empty()).config.regularization == 0.3


def test_the_fewer_interactions_tell_of_a_vector_the_more_it_is_regularized():
    def usual(n, timed):
        every = np.arange(n, dtype=np.int32)
        ones, none = np.ones(n, np.float32), np.zeros(n, np.int64)
        return usual_regularization(Interactions(every % 40, every % 60, ones, none, 40, 60, timed=timed))

    assert usual(1_200, timed=False) == pytest.approx(usual(600, timed=False) / 2)
    assert usual(1_200, timed=True) == usual(600, timed=True) == USUAL_REGULARIZATION


@pytest.mark.parametrize("ridge", [2, -2])
def test_a_search_finds_a_valley_that_no_near_place_tells_of(ridge):
    def value(place):
        return 2.0 if sum(place) == ridge else 1.0

    assert sum(walk(value, STEPS, MOST_FITS)) == ridge

"""The place where an item usually stood foretells how it is clicked, as far as the log says so."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from foretaste.ranking.shown import ShownSlates
from foretaste.ranking.usual_places import FEWEST, rate_by_place, usual_places

N_ITEMS = 60


def test_the_usual_place_is_the_mean_of_all():
    slates = ShownSlates.of([0, 1], [1, 2], [[0, 1], [1, 2, 0]], [[True, False], [False, False, True]])
    expected = [np.log(1) + np.log(3), np.log(2) + np.log(1), 2 * np.log(2), 0.0]
    np.testing.assert_allclose(2 * usual_places(slates, 4), expected)


def test_unknown_items_have_no_place():
    slates = ShownSlates.of([0], [1], [[9, -1, 0]], [[True, False, False]])
    np.testing.assert_allclose(usual_places(slates, 2), [np.log(3), 0.0])


def test_items_that_stand_lower_and_are_clicked_less_are_expected_to_be():
    place, looks = np.linspace(0.0, 2.0, N_ITEMS), np.full(N_ITEMS, 1000.0)
    clicks = looks * 0.3 * np.exp(-0.8 * place)
    np.testing.assert_allclose(rate_by_place(place, looks, clicks, 0.15), clicks / looks, rtol=0.02)


def test_where_places_tell_nothing_the_mean_is_expected():
    place, looks = np.linspace(0.0, 2.0, N_ITEMS), np.full(N_ITEMS, 100.0)
    np.testing.assert_allclose(rate_by_place(place, looks, 0.2 * looks, 0.2), 0.2)


def test_few_items_and_items_without_looks_are_expected_to_be_common():
    place, looks = np.linspace(0.0, 2.0, N_ITEMS), np.full(N_ITEMS, 100.0)
    looks[FEWEST - 1 :] = 0.0
    assert set(rate_by_place(place, looks, looks * place, 0.3).tolist()) == {0.3}
    looks[:FEWEST] = 100.0
    rate = rate_by_place(place, looks, 0.1 * looks * place, 0.3)
    assert set(rate[FEWEST:].tolist()) == {0.3}
    assert 0.3 not in rate[:FEWEST]


def test_looks_next_to_none_tell_nothing_and_do_no_harm():
    hardly = np.full(N_ITEMS, 5e-324)
    rate = rate_by_place(np.linspace(0.0, 2.0, N_ITEMS), hardly, np.zeros(N_ITEMS), 0.3)
    assert rate == pytest.approx(0.3)


numbers = st.floats(0.0, 1e6)


@given(
    place=arrays(np.float64, N_ITEMS, elements=st.floats(0.0, 10.0)),
    looks=arrays(np.float64, N_ITEMS, elements=numbers),
    clicks=arrays(np.float64, N_ITEMS, elements=numbers),
    base=st.floats(1e-3, 1.0),
)
def test_any_counts_give_rates_between_none_and_one(place, looks, clicks, base):
    rate = rate_by_place(place, looks, clicks, base)
    assert np.isfinite(rate).all()
    assert ((rate > 0.0) & (rate <= 1.0)).all()

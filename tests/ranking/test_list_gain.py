"""What an order is worth by clicks, also where some places were looked at more than others."""

import numpy as np
import pytest
from test_place_effects import PLACES, TRUE, sorted_lists

from foretaste.ranking.list_gain import gains_at_alike_places, list_gains
from foretaste.ranking.shown import ShownSlates

FLAT = np.zeros(PLACES)


def test_a_click_counts_by_the_inverse_odds_of_its_place():
    slates = ShownSlates.of([0, 1], [0, 1], [[5, 6]] * 2, [[True, False], [False, True]])
    odds = np.log([1.0, 0.25])
    as_shown = gains_at_alike_places(slates, -slates.position.astype(np.float64), odds)
    other_way = gains_at_alike_places(slates, slates.position.astype(np.float64), odds)
    below = 1.0 / np.log2(3.0)
    assert as_shown == pytest.approx(np.array([1.0, 4.0 * below]) / 2.5)
    assert other_way == pytest.approx(np.array([below, 4.0]) / 2.5)


def test_the_common_level_of_effects_changes_nothing():
    slates, score, _ = sorted_lists(100)
    once, again = (gains_at_alike_places(slates, score, TRUE + level) for level in (0.0, 3.0))
    np.testing.assert_allclose(once, again)


def test_where_places_do_not_matter_and_one_is_clicked_it_is_ndcg():
    slates, score, _ = sorted_lists(100, one_each=True)
    np.testing.assert_allclose(gains_at_alike_places(slates, score, FLAT), list_gains(slates, score))


@pytest.mark.parametrize("one_each", [False, True])
def test_a_better_order_is_known_though_places_flatter_the_one_that_was_shown(one_each):
    slates, score, truth = sorted_lists(3000, one_each=one_each, noise=0.4)
    alike = [gains_at_alike_places(slates, by, TRUE).mean() for by in (truth, score)]
    flattered = [np.nanmean(list_gains(slates, by)) for by in (truth, score)]
    assert alike[0] > alike[1]
    assert flattered[0] < flattered[1]


def test_without_clicks_no_order_is_worth_anything():
    slates = ShownSlates.of([0], [0], [[5, 6]], [[False, False]])
    assert gains_at_alike_places(slates, np.zeros(2), FLAT).tolist() == [0.0]

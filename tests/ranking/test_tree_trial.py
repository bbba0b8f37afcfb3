"""Later slates tell how many trees there are, but nobody's clicks how their own slates are scored."""

import numpy as np
from slate_world import MINUTE, PLACES

from foretaste.ranking.lambdamart import BoostingOptions
from foretaste.ranking.shown import ShownSlates
from foretaste.ranking.tree_trial import Table, trial

N_LISTS, ROUNDS, CLICKS = 40, 60, 3


def a_table(people, second):
    """Return slates of people who click what has most of one feature and `second`, of each, of another."""
    features = np.random.default_rng(len(people)).random((len(people) * N_LISTS * PLACES, 2))
    liked = features[:, 0] + np.repeat(second, N_LISTS * PLACES) * features[:, 1]
    lists = liked.reshape(-1, PLACES)
    clicked = lists >= np.sort(lists, axis=1)[:, -CLICKS, None]
    slates = ShownSlates.of(
        np.repeat(people, N_LISTS),
        np.arange(len(lists)) * MINUTE,
        np.tile(np.arange(PLACES), (len(lists), 1)),
        clicked,
    )
    nothing = np.zeros(len(liked))
    return Table(slates, features, nothing, 0.0, nothing, np.zeros(2, np.bool_))


def trees_of(second):
    """Return the scores of two later people's slates, float64 [2, rows], and how many trees did best."""
    earlier, later = a_table(np.arange(20), np.full(20, 0.5)), a_table(np.arange(2), np.array(second))
    scores, best = trial(earlier, later, "lambdarank", 0, ROUNDS, BoostingOptions())
    return scores.reshape(2, -1), best


def test_the_clicks_of_a_person_choose_the_trees_of_others_and_not_the_own():
    alike, unlike = trees_of([0.5, 0.5])[0], trees_of([-0.5, 0.5])[0]
    assert (alike[0] == unlike[0]).all()
    assert (alike[1] != unlike[1]).any()


def test_more_trees_are_grown_where_later_people_click_as_earlier_ones_did():
    assert trees_of([0.5, 0.5])[1] > trees_of([-0.5, -0.5])[1]


def test_one_person_alone_is_scored_by_the_trees_that_did_best():
    earlier, later = a_table(np.arange(20), np.full(20, 0.5)), a_table(np.arange(1), np.array([0.5]))
    scores, best = trial(earlier, later, "lambdarank", 0, ROUNDS, BoostingOptions())
    assert 1 <= best <= ROUNDS
    assert len(np.unique(scores)) > PLACES

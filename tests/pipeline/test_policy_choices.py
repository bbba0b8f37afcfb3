"""What a scenario's policy makes of the same scores: distance, surprise, popularity."""

import msgspec
import numpy as np
import pytest
from pipeline_world import N_USERS, a_query, a_world

from foretaste.pipeline.compose import rank, shortlist
from foretaste.pipeline.scenario import DISCOVER, HOME, SHIPPED, adjusted

PERSON = 5


@pytest.fixture(scope="module")
def world():
    return a_world()


def shown(world, scenario, person=PERSON, **asked):
    return shortlist(a_query(k=10, **asked), world.view(person, scenario)).item.tolist()


def counts_of(world):
    return np.append(world.state.items.interactions, np.zeros(5, np.int64))


def with_(scenario=HOME, **changes):
    return msgspec.structs.replace(scenario, **changes)


def test_popularity_correction_is_the_order_of_the_odds_over_popularity(world):
    ranked = rank(a_query(), world.view(PERSON))
    counts = counts_of(world)[ranked.item]
    expected = ranked.item[np.argsort(-(ranked.score - 0.7 * np.log1p(counts)), kind="stable")][:10]
    asked = {"diversity_lambda": 1.0, "popularity_correction": 0.7}
    assert shown(world, HOME, **asked) == expected.tolist()
    assert shown(world, with_(popularity_correction=0.7), diversity_lambda=1.0) == expected.tolist()


def test_the_query_decides_before_the_scenario(world):
    plain = shown(world, HOME, diversity_lambda=1.0)
    corrected = with_(popularity_correction=1.0)
    assert shown(world, corrected, diversity_lambda=1.0) != plain
    assert shown(world, corrected, diversity_lambda=1.0, popularity_correction=0.0) == plain


def test_corrected_lists_hold_rarer_items(world):
    popular = np.log1p(counts_of(world))
    gained = []
    for person in range(N_USERS):
        usual, rare = (
            shown(world, HOME, person, diversity_lambda=1.0, popularity_correction=c) for c in (0.0, 1.0)
        )
        gained.append(popular[usual].sum() - popular[rare].sum())
    assert min(gained) > -1e-9
    assert max(gained) > 0.1


def test_surprises_come_earlier_and_only_those_among_the_best(world):
    pure = with_(diversity_lambda=1.0)
    usual, surprising = shown(world, pure), shown(world, with_(pure, serendipity_weight=0.9))
    assert usual != surprising
    best = rank(a_query(), world.view(PERSON)).item[:30].tolist()
    assert set(surprising) <= set(best)


def test_pure_relevance_asked_for_is_pure_relevance_in_any_scenario(world):
    assert shown(world, DISCOVER, diversity_lambda=1.0) == shown(world, HOME, diversity_lambda=1.0)


def test_a_threshold_keeps_like_items_apart(world):
    near, far = (shown(world, with_(diversity_lambda=1.0, diversity_threshold=t)) for t in (0.0, 0.3))
    assert near != far


def test_settings_change_the_scenarios_of_persons_and_no_others():
    changed = adjusted(SHIPPED, diversity_threshold=0.5)
    assert changed["home"].diversity_threshold == changed["discover"].diversity_threshold == 0.5
    assert changed["discover"].serendipity_weight == DISCOVER.serendipity_weight == 0.2
    assert changed["similar"] == SHIPPED["similar"]
    assert adjusted(SHIPPED) == dict(SHIPPED)

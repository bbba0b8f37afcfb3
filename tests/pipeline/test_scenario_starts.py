"""What scenarios start from, what they leave to be shown, and what they call their answers."""

import msgspec
import numpy as np
import pytest
from pipeline_world import GONE, MINUTE, N_ITEMS, NOBODY, NOW, a_curve, a_manifest, a_query, a_world

from foretaste.domain.history import History
from foretaste.domain.item import CatalogEntry
from foretaste.models.popularity import Popularity, PopularityConfig
from foretaste.models.rising import Rising, RisingConfig
from foretaste.pipeline.artifact import assemble
from foretaste.pipeline.compose import answer
from foretaste.pipeline.occasion import has_start
from foretaste.pipeline.plan import plan_of
from foretaste.pipeline.scenario import (
    BECAUSE,
    CART,
    HOME,
    NEW,
    NEXT_IN_SESSION,
    RERANK,
    SHIPPED,
    SIMILAR,
    TRENDING,
    Scenario,
    chain_of,
    circle_of,
)
from foretaste.pipeline.starting import latest_item, present_session
from foretaste.ranking.blend import Blend

PERSON = 4
CLASSIC = 'category == "classic"'


@pytest.fixture(scope="module")
def world():
    return a_world()


def items_of(slate):
    return [item.item_idx for item in slate.items]


def changed(scenario, **changes):
    return msgspec.structs.replace(scenario, **changes)


@pytest.mark.parametrize("scenario", SHIPPED.values(), ids=lambda scenario: scenario.name)
def test_every_shipped_scenario_answers(world, scenario):
    slate = answer(
        a_query(scenario=scenario.name, k=5), world.view(PERSON, scenario, seeds=(1, 2, 4, 5, 8, 9))
    )
    assert len(slate.items) == 5
    assert (slate.scenario, slate.versions.scenario_version) == (scenario.name, scenario.version)
    assert not set(items_of(slate)) & set(GONE.values())


def test_a_cart_is_answered_with_what_goes_with_all_of_it_and_not_with_itself(world):
    both = items_of(answer(a_query(k=8), world.view(-1, CART, seeds=(1, 5))))
    one = items_of(answer(a_query(k=8), world.view(-1, CART, seeds=(1,))))
    assert not {1, 5} & set(both)
    assert both != one
    assert answer(a_query(), world.view(-1, CART, seeds=(1, 5))).source == "similar"


def test_a_cart_of_one_item_starts_as_similar_does(world):
    alike = changed(CART, name="similar", sources=SIMILAR.sources, diversity_lambda=1.0, title="")
    slates = [answer(a_query(k=9), world.view(-1, one, seeds=(4,))) for one in (SIMILAR, alike)]
    assert items_of(slates[0]) == items_of(slates[1])


def test_only_the_items_of_the_query_are_put_in_order(world):
    asked = (9, 2, 5, GONE["hidden"], N_ITEMS)
    slate = answer(a_query(k=20, scenario="rerank"), world.view(PERSON, RERANK, seeds=asked))
    assert sorted(items_of(slate)) == sorted({*asked} - set(GONE.values()))
    free = items_of(
        answer(a_query(k=100), world.view(PERSON, changed(HOME, consumed=frozenset(), diversity_lambda=1.0)))
    )
    assert [item for item in free if item in asked] == items_of(slate)


@pytest.mark.parametrize(("kind", "did"), [("watch", "watched"), ("click", "looked at")])
def test_the_latest_item_is_named_in_the_heading_and_not_shown(kind, did):
    world = a_world()
    world.record(PERSON, 2, kind, NOW - 1)
    slate = answer(a_query(k=30), world.view(PERSON, BECAUSE))
    assert slate.title == f"Because you {did} Film 2"
    assert 2 not in items_of(slate)
    assert all("Film 2" in item.reason for item in slate.items[:3])


def test_the_client_may_say_which_item_it_is_because_of(world):
    own = world.state.history(PERSON).item.tolist()
    slate = answer(a_query(), world.view(PERSON, BECAUSE, seeds=(own[0],)))
    assert slate.title == f"Because you watched Film {own[0]}"
    never = next(item for item in range(N_ITEMS) if item not in own)
    assert (
        answer(a_query(), world.view(PERSON, BECAUSE, seeds=(never,))).title
        == f"Because you looked at Film {never}"
    )


def test_what_was_disliked_is_no_reason():
    history = History(
        item=np.array([3, 4], np.int32),
        weight=np.array([1.0, -1.0], np.float32),
        time=np.array([1, 2], np.int64),
        type=np.zeros(2, np.int16),
    )
    assert latest_item(history) == (3,)


def test_a_session_is_what_was_done_since_the_last_long_pause():
    times = np.array([0, 10, 50, 55, 70]) * MINUTE
    history = History(
        item=np.arange(5, dtype=np.int32),
        weight=np.ones(5, np.float32),
        time=times,
        type=np.zeros(5, np.int16),
    )
    assert present_session(history, 80 * MINUTE).item.tolist() == [2, 3, 4]
    assert present_session(history, 100 * MINUTE).item.tolist() == [2, 3, 4]
    assert present_session(history, 101 * MINUTE).item.tolist() == []
    assert present_session(present_session(history, 80 * MINUTE), 80 * MINUTE).item.tolist() == [2, 3, 4]
    assert present_session(history, 80 * MINUTE) is present_session(history, 80 * MINUTE)


def test_what_is_next_in_the_session_does_not_depend_on_earlier_days():
    world = a_world()
    view = world.view(PERSON, NEXT_IN_SESSION)
    assert has_start(a_query(), view)
    later = NOW + 100 * MINUTE
    assert not has_start(a_query(now=later), view)
    world.record(NOBODY, 5, "watch", later - MINUTE)
    world.record(PERSON, 5, "watch", later - MINUTE)
    plain = changed(NEXT_IN_SESSION, consumed=frozenset({"dismiss"}))
    alone, long = (answer(a_query(now=later), world.view(user, plain)) for user in (NOBODY, PERSON))
    assert [item.score for item in alone.items] == [item.score for item in long.items]


@pytest.mark.parametrize("scenario", [CART, BECAUSE, NEXT_IN_SESSION])
def test_strangers_give_nothing_to_start_from(world, scenario):
    assert scenario.needs_history
    assert not has_start(a_query(), world.view(-1, scenario))


def test_only_the_newest_items_are_shown(world):
    slate = answer(a_query(k=30), world.view(PERSON, changed(NEW, newest=6)))
    free = set(range(N_ITEMS + 1)) - set(GONE.values()) - set(world.state.history(PERSON).item.tolist())
    assert set(items_of(slate)) <= set(range(N_ITEMS + 1))
    assert len(slate.items) == 6
    assert min(items_of(slate)) >= sorted(free)[-9]


def test_what_became_available_last_is_the_newest():
    world = a_world()
    item = msgspec.structs.replace(world.catalog.item(0), available_from=NOW - MINUTE)
    world.catalog = world.catalog.apply(
        [CatalogEntry(ordinal=0, version=world.catalog.version + 1, item=item)]
    )
    slate = answer(a_query(k=5, user_id=None), world.view(-1, changed(NEW, newest=1)))
    assert items_of(slate) == [0]


def test_filters_and_boosts_of_a_recipe_hold_beside_those_of_the_query(world):
    recipe = changed(HOME, filter=(CLASSIC,), boost=("year > 1993 : 5",))
    whole = answer(a_query(k=40, filter=(CLASSIC,), boost=("year > 1993 : 5",)), world.view(PERSON))
    slate = answer(a_query(k=40), world.view(PERSON, recipe))
    assert [(item.item_idx, item.score) for item in slate.items] == [
        (item.item_idx, item.score) for item in whole.items
    ]
    assert any(item.boosts for item in slate.items)
    both = answer(a_query(k=40, filter=("year > 1993",)), world.view(PERSON, recipe))
    assert 0 < len(both.items) < len(slate.items)


def test_the_same_question_to_another_recipe_has_another_id(world):
    first = answer(a_query(), world.view(PERSON))
    second = answer(a_query(), world.view(PERSON, changed(HOME, per_source=101)))
    assert first.recommendation_id != second.recommendation_id


def test_a_source_that_is_switched_off_does_not_answer_and_others_weigh_what_is_said(world):
    usual = plan_of(None, world.view(PERSON), 9, in_session=True)
    recipe = changed(HOME, weights={"popularity": 0.0, "ials": 2.5})
    plan = plan_of(None, world.view(PERSON, recipe), 9, in_session=True)
    assert set(plan.sources) == set(usual.sources) - {"popularity"}
    before = dict(zip(usual.sources, usual.weights.tolist(), strict=False))
    for source, weight in zip(plan.sources, plan.weights.tolist(), strict=False):
        assert weight == before[source] * (2.5 if source == "ials" else 1.0)


def test_what_starts_from_nothing_is_answered_by_its_own_sources(world):
    recipe = changed(TRENDING, sources=("content", "transitions", "popularity"), weights={"transitions": 0.0})
    assert plan_of(None, world.view(PERSON, recipe), 0, in_session=False).sources == ("popularity", "content")
    known = plan_of(None, world.view(PERSON, changed(HOME, cold_sources=("ease",))), 0, in_session=False)
    assert known.sources == ("ease",)


def test_what_is_popular_is_so_ever_and_not_of_late(world):
    models = {
        "popularity": Popularity(PopularityConfig()),
        "popularity_day": Popularity(PopularityConfig(half_life=86_400.0)),
        "rising_day": Rising(RisingConfig()),
        "ials": world.artifact.models["ials"],
    }
    artifact = assemble(models, Blend.even(tuple(models)), a_curve(), a_manifest())
    plans = {
        name: plan_of(None, world.view(-1, SHIPPED[name], artifact=artifact), 0, in_session=False).sources
        for name in ("popular", "trending")
    }
    assert plans == {
        "popular": ("popularity",),
        "trending": ("popularity", "popularity_day", "rising_day"),
    }


@pytest.mark.parametrize("sources", [("ncf",), ("popularity",)])
def test_where_none_of_the_sources_is_there_others_answer(world, sources):
    recipe = changed(TRENDING, sources=sources, weights={"popularity": 0.0})
    assert answer(a_query(), world.view(PERSON, recipe)).items


def test_each_fallback_is_followed_by_its_own_and_none_comes_twice():
    assert chain_of("cart", SHIPPED) == ("home", "trending", "popular")
    assert chain_of("popular", SHIPPED) == ()


def test_a_circle_is_found_wherever_it_begins():
    known = {
        name: Scenario(name=name, fallback=fallback)
        for name, fallback in {"a": ("b",), "b": ("c", "d"), "c": (), "d": ("b",), "e": ("a", "none")}.items()
    }
    assert circle_of("b", known) == ("b", "d", "b")
    assert circle_of("a", known) == circle_of("e", known) == ()

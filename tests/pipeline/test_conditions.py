"""Filters and boosts in the composition: what may be shown, and what is added to scores."""

from dataclasses import replace
from types import SimpleNamespace

import msgspec
import numpy as np
import pytest
from pipeline_world import MINUTE, N_USERS, NEW, NOBODY, NOW, World, a_query, a_world

from foretaste.domain.arrays import Ordinals
from foretaste.pipeline.compose import answer, answer_among, rank
from foretaste.pipeline.explain import decompose
from foretaste.pipeline.reranking import ordered
from foretaste.pipeline.scenario import HOME, Scenario
from foretaste.pipeline.scoring import scored

NORTH = 'studio == "north"'
PLAIN = {"k": 30, "diversity_lambda": 1.0}


@pytest.fixture(scope="module")
def world() -> World:
    return a_world()


def a_scenario(**changes) -> Scenario:
    return msgspec.structs.replace(HOME, **changes)


def scores_of(slate) -> dict[str, float]:
    return {item.item_id: item.score for item in slate.items}


def test_only_what_matches_is_shown_with_the_scores_that_it_has_anyway(world):
    everything = scores_of(answer(a_query(**PLAIN), world.view()))
    found = answer(a_query(**PLAIN, filter=(NORTH,)), world.view())
    assert found.items
    assert all(item.metadata["studio"] == "north" for item in found.items)
    shared = scores_of(found).keys() & everything.keys()
    assert {name: scores_of(found)[name] for name in shared} == {name: everything[name] for name in shared}


def test_several_filters_all_hold_and_what_they_leave_out_is_counted(world):
    usual = len(answer(a_query(k=50, diversity_lambda=1.0), world.view(NOBODY)).items)
    found = answer(a_query(**PLAIN, filter=(NORTH, "year > 1993")), world.view(NOBODY))
    assert all(item.metadata["studio"] == "north" and item.metadata["year"] > 1993 for item in found.items)
    assert found.filtered >= usual - len(found.items) > 0


@pytest.mark.parametrize("user", [0, 5, NOBODY])
def test_a_filter_never_starves_an_answer(world, user):
    view = world.view(user, scenario=a_scenario(per_source=1))
    wanted = [item for item in range(NEW + 1) if item % 7 == 2]
    found = answer(a_query(**PLAIN, filter=("year == 1992",)), view)
    shown = view.catalog.available(NOW)
    had = set(world.state.tally(user).item.tolist()) if user != NOBODY else set()
    assert {item.item_idx for item in found.items} >= {one for one in wanted if shown[one] and one not in had}


def test_what_the_person_did_is_asked_of_every_request():
    world = a_world()
    world.record(0, 4, "view", NOW - 3 * MINUTE)
    view = world.view(0, scenario=a_scenario(consumed=frozenset()))

    def shown(text: str, now: int = NOW) -> bool:
        return "i4" in scores_of(answer(a_query(**PLAIN, now=now, filter=(text,)), view))

    assert shown("viewed within 1h")
    assert not shown("not viewed within 1h")
    assert not shown("viewed within 1h", NOW + 120 * MINUTE)
    assert shown("viewed", NOW + 120 * MINUTE)
    assert shown('times("view") >= 1')


def test_a_boost_adds_what_it_says_and_nothing_else(world):
    before = scores_of(answer(a_query(**PLAIN), world.view()))
    after = answer(a_query(**PLAIN, boost=(f"{NORTH} : 2", "0.1 * (year - 1990)")), world.view())
    for item in after.items:
        added = np.log(2.0) * (item.metadata["studio"] == "north") + 0.1 * (item.metadata["year"] - 1990)
        assert sum(part.added for part in item.boosts) == pytest.approx(added)
        if item.item_id in before:
            assert item.score == pytest.approx(before[item.item_id] + added, abs=1e-5)
    assert [item.score for item in after.items] == sorted((item.score for item in after.items), reverse=True)


def test_a_boost_that_changes_nothing_is_not_named_and_the_chance_stays_what_it_was(world):
    before = {item.item_id: item.match for item in answer(a_query(**PLAIN), world.view()).items}
    after = answer(a_query(**PLAIN, boost=(f"{NORTH} : 8",)), world.view()).items
    for item in after:
        assert [part.boost for part in item.boosts] == [f"{NORTH} : 8"] * (item.metadata["studio"] == "north")
        if item.item_id in before:
            assert item.match == pytest.approx(before[item.item_id], abs=1e-6)


def test_what_is_boosted_is_found_though_no_source_proposes_it(world):
    view = world.view(0, scenario=a_scenario(per_source=1))
    query = a_query(k=1, diversity_lambda=1.0)
    assert answer(query, view).items[0].item_idx != NEW
    lift = f'if item_id == "i{NEW}" then 50 else 0'
    assert answer(a_query(k=1, diversity_lambda=1.0, boost=(lift,)), view).items[0].item_idx == NEW


def test_what_is_better_than_the_demoted_comes_up(world):
    view = world.view(0, scenario=a_scenario(per_source=1))
    best = rank(a_query(k=1), view).item[0]
    lowered = f'item_id == "i{best}" : 1e-6'
    found = answer(a_query(k=3, diversity_lambda=1.0, boost=(lowered,)), view)
    assert len(found.items) == 3
    assert best not in [item.item_idx for item in found.items]


@pytest.mark.parametrize("user", range(0, N_USERS, 7))
def test_parts_and_boosts_sum_to_the_score(world, user):
    query = a_query(boost=(f"{NORTH} : 3", "(1995 - year) / 10"))
    view = world.view(user)
    found = ordered(query, view)
    places = np.argsort(-found.score)[:10]
    parts = decompose(found, places, view)
    total = parts.contribution.sum(axis=1) + parts.standing.sum(axis=1) - found.offset
    assert total + found.asked[:, places].sum(axis=0) == pytest.approx(found.score[places], abs=1e-4)


def test_evidence_explains_a_smaller_share_of_what_is_boosted(world):
    def share(**more) -> float:
        asked = a_query(explain=True, filter=(NORTH,), k=1, diversity_lambda=1.0, **more)
        return answer(asked, world.view(3)).items[0].explained_share

    assert share(boost=(f"{NORTH} : 1000",)) < share()


def test_boosts_come_after_the_ranker_whose_order_they_would_else_lose_to(world):
    ranker = SimpleNamespace(
        n_items=NEW + 1,
        columns=SimpleNamespace(sources=()),
        score=lambda request: np.arange(len(request.item), dtype=np.float64),
    )
    view = msgspec.structs.replace(world.view(0), artifact=replace(world.artifact, ranker=ranker))
    without = scores_of(answer(a_query(**PLAIN), view))
    boosted = answer(a_query(**PLAIN, boost=(f"{NORTH} : 2",)), view)
    for item in boosted.items:
        if item.item_id in without:
            added = sum(part.added for part in item.boosts)
            assert item.score == pytest.approx(without[item.item_id] + added, abs=1e-4)


def test_candidates_that_were_brought_along_are_filtered_and_boosted(world):
    brought: Ordinals = np.array([0, 1, 2, 4, 5], np.int32)
    found = answer_among(a_query(filter=(NORTH,), boost=("year - 1990",)), world.view(), brought)
    assert {item.item_idx for item in found.items} == {1, 5}
    assert found.filtered == 3
    assert all(item.boosts[0].added == item.metadata["year"] - 1990 for item in found.items)


def test_the_same_query_gives_the_same_bits(world):
    query = a_query(filter=(NORTH,), boost=("recency(available_from, 1h)", "year > 1993 : 2"))
    assert answer(query, world.view()) == answer(query, world.view())


def test_without_expressions_nothing_is_asked_about_them(world):
    assert scored(a_query(), world.view()).asked is None
    assert not answer(a_query(), world.view()).items[0].boosts

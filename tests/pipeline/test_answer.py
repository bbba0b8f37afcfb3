"""What every answer keeps to, whatever is asked."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pipeline_world import (
    GONE,
    GROUPS,
    MINUTE,
    N_ITEMS,
    N_USERS,
    NEW,
    NOBODY,
    NOW,
    TYPES,
    World,
    a_query,
    a_world,
)

from foretaste.domain.errors import UnknownModelError, UnknownScenarioError
from foretaste.pipeline.compose import answer, candidates, pairs, rank, sample, shortlist
from foretaste.pipeline.scenario import DISCOVER, HOME, SHIPPED, SIMILAR, TRENDING, find_scenario
from foretaste.ranking.contexts import context_at

FILTERS = st.dictionaries(
    st.sampled_from(["category", "studio", "year", "nothing"]),
    st.sampled_from([("comedy",), ("drama", "horror"), ("north",), ("1991", "1992"), ("none such",)]),
    max_size=2,
)


@pytest.fixture(scope="module")
def world() -> World:
    return a_world()


def ordinals(slate) -> list[int]:
    return [place.item_idx for place in slate.items]


def watched(world: World, user: int) -> set[int]:
    tally = world.state.tally(user)
    return set(tally.item[tally.type == TYPES.index("watch")].tolist())


def matching(world: World, query, view) -> set[int]:
    """Return what may be shown, worked out item by item."""
    found = set()
    for ordinal in range(NEW + 1):
        item = world.catalog.item(ordinal)
        shown = item is not None and item.in_stock and not item.hidden
        shown = shown and (item.available_from or 0) <= NOW < (item.available_until or NOW + 1)
        shown = shown and all(_has(item, *wanted) for wanted in query.filters.items())
        if shown and not any(_has(item, *forbidden) for forbidden in query.exclude.items()):
            found.add(ordinal)
    found -= set(view.excluded.tolist())
    return found - (watched(world, view.user) if view.scenario.consumed else set())


def _has(item, attribute, values) -> bool:
    if attribute == "category":
        return bool(set(item.categories) & set(values))
    value = item.attributes.get(attribute)
    return value in values or value in [float(text) for text in values if text.replace(".", "").isdigit()]


class NotToBeAsked:
    name = "ials"

    def basis(self, _moment: object) -> None:
        return None

    def score(self, *_given: object) -> None:
        raise AssertionError("a source that nobody hears was asked")


QUERIES = {
    "user": st.integers(-1, N_USERS + 3),
    "k": st.integers(1, 50),
    "filters": FILTERS,
    "exclude": FILTERS,
    "excluded": st.lists(st.integers(-1, N_ITEMS + 5), max_size=8),
    "trade_off": st.sampled_from([None, 0.0, 0.3, 0.8, 1.0]),
    "scenario": st.sampled_from([HOME, TRENDING, DISCOVER]),
}


@given(**QUERIES)
@settings(max_examples=150, deadline=None)
def test_an_answer_has_as_many_of_the_matching_items_as_there_are_and_no_others(
    world, user, k, filters, exclude, excluded, trade_off, scenario
):
    query = a_query(k=k, filters=filters, exclude=exclude, diversity_lambda=trade_off)
    view = world.view(user, scenario, excluded=np.array(excluded, np.int32))
    slate = answer(query, view)
    allowed = matching(world, query, view)
    assert set(ordinals(slate)) <= allowed
    assert len(set(ordinals(slate))) == len(slate.items) == min(k, len(allowed))


@given(**QUERIES)
@settings(max_examples=60, deadline=None)
def test_the_same_question_has_the_same_answer_to_the_bit(
    world, user, k, filters, exclude, excluded, trade_off, scenario
):
    query = a_query(k=k, filters=filters, exclude=exclude, diversity_lambda=trade_off, explain=True)
    view = world.view(user, scenario, excluded=np.array(excluded, np.int32))
    assert msgspec.msgpack.encode(answer(query, view)) == msgspec.msgpack.encode(answer(query, view))


@given(**QUERIES)
@settings(max_examples=60, deadline=None)
def test_filters_and_exclusions_change_no_score_and_no_order(
    world, user, k, filters, exclude, excluded, trade_off, scenario
):
    del trade_off
    narrow = rank(
        a_query(k=k, filters=filters, exclude=exclude),
        world.view(user, scenario, excluded=np.array(excluded, np.int32)),
    )
    wide = rank(a_query(k=50), world.view(user, scenario))
    kept = np.isin(wide.item, narrow.item)
    assert wide.item[kept].tolist() == narrow.item.tolist()
    assert wide.score[kept].tobytes() == narrow.score.tobytes()


@pytest.mark.parametrize("reason", list(GONE))
@pytest.mark.parametrize("scenario", [HOME, TRENDING, DISCOVER])
def test_what_is_not_available_is_never_shown(world, reason, scenario):
    slate = answer(a_query(k=50), world.view(NOBODY, scenario))
    assert GONE[reason] not in ordinals(slate)
    assert len(slate.items) == NEW + 1 - len(GONE)


def test_pure_relevance_is_the_order_of_scores(world):
    slate = answer(a_query(diversity_lambda=1.0, k=20), world.view(3))
    ranked = rank(a_query(k=20), world.view(3))
    assert ordinals(slate) == ranked.item[:20].tolist()
    assert all(a.score >= b.score for a, b in zip(slate.items, slate.items[1:], strict=False))


def test_pure_relevance_asked_for_switches_the_turns_of_categories_off(world):
    slate = answer(a_query(diversity_lambda=1.0), world.view(3, DISCOVER))
    assert ordinals(slate) == rank(a_query(), world.view(3, DISCOVER)).item[:10].tolist()


def test_less_lambda_means_more_categories(world):
    def categories(trade_off: float) -> int:
        slates = [answer(a_query(diversity_lambda=trade_off, k=6), world.view(user)) for user in range(20)]
        return sum(len({place.categories[0] for place in slate.items}) for slate in slates)

    assert categories(0.0) > categories(1.0)


def test_the_turns_of_categories_come_before_any_repetition(world):
    slate = answer(a_query(k=6), world.view(3, DISCOVER))
    main = [place.categories[0] for place in slate.items]
    assert sorted(main[:3]) == sorted(set(GROUPS))
    assert sorted(main[3:]) == sorted(set(GROUPS))


def test_the_group_a_person_likes_comes_first(world):
    for user in range(N_USERS):
        left = [item for item in range(user % 3, N_ITEMS, 3) if item not in watched(world, user)]
        left = [item for item in left if item not in GONE.values()]
        assert set(rank(a_query(), world.view(user)).item[: len(left)].tolist()) == set(left)


def test_people_without_history_get_what_is_trending_and_are_told(world):
    slate = answer(a_query(k=5, diversity_lambda=1.0), world.view(NOBODY))
    assert slate.source == "trending"
    assert {place.reason for place in slate.items} == {"Popular right now"}
    used = world.state.items.popularity(3, NOW)
    shown = [float(used[place.item_idx]) for place in slate.items]
    assert shown == sorted(shown, reverse=True)


def test_one_event_is_enough_for_a_list_of_ones_own():
    world = a_world()
    world.record(NOBODY, 6, "click")
    slate = answer(a_query(k=5, explain=True), world.view(NOBODY))
    assert slate.source == "personalized"
    assert ordinals(slate) != ordinals(answer(a_query(k=5), world.view(NOBODY + 1)))
    assert {evidence.item_idx for place in slate.items for evidence in place.explanation} == {6}


def test_the_answer_changes_with_the_next_event():
    world = a_world()
    before = ordinals(answer(a_query(), world.view(4)))
    world.record(4, before[0], "watch")
    after = ordinals(answer(a_query(), world.view(4)))
    assert before[0] not in after
    assert after[:9] != before[1:]


def test_a_dismissed_item_is_never_shown_again():
    world = a_world()
    first = ordinals(answer(a_query(), world.view(4)))[0]
    world.record(4, first, "dismiss")
    for scenario in (HOME, TRENDING, DISCOVER):
        assert first not in ordinals(answer(a_query(k=50), world.view(4, scenario)))


def test_an_item_that_nobody_took_to_yet_is_recommended_for_what_it_is_about(world):
    fond_of_comedy = 3
    slate = answer(a_query(k=50, filters={"category": ("comedy",)}), world.view(fond_of_comedy))
    place = next(place for place in slate.items if place.item_idx == NEW)
    assert place.sources == ("content",)
    assert place.reason == "New in comedy"
    alone = answer(a_query(k=4, model="content"), world.view(fond_of_comedy))
    assert NEW in ordinals(alone)


def test_similar_items_are_of_the_same_kind_and_not_the_item_itself(world):
    for seed in (0, 4, 8):
        slate = answer(a_query(user_id=None, k=5), world.view(-1, SIMILAR, seeds=(seed,)))
        assert slate.source == "similar"
        assert seed not in ordinals(slate)
        assert {place.item_idx % 3 for place in slate.items} == {seed % 3}


def test_similar_items_of_one_without_any_trace_are_what_is_trending(world):
    slate = answer(a_query(user_id=None, k=5), world.view(-1, SIMILAR))
    assert slate.source == "trending"
    assert len(slate.items) == 5


def test_a_model_asked_for_answers_alone(world):
    slate = answer(a_query(model="transitions", k=5), world.view(5))
    assert {source for place in slate.items for source in place.sources} <= {"transitions"}


def test_an_unknown_model_is_named_beside_those_there_are(world):
    with pytest.raises(UnknownModelError, match=r"'oracle'.*content, ease, ials, popularity, transitions"):
        answer(a_query(model="oracle"), world.view(5))


def test_an_unknown_scenario_is_named_beside_those_there_are():
    assert find_scenario("home", SHIPPED) is HOME
    with pytest.raises(UnknownScenarioError, match=r"'hom'.*discover, email, home, .*similar, trending"):
        find_scenario("hom", SHIPPED)
    assert all(name == scenario.name for name, scenario in SHIPPED.items())


def test_filters_are_counted(world):
    everything = answer(a_query(), world.view(5)).filtered
    filtered = answer(a_query(filters={"category": ("comedy",)}), world.view(5)).filtered
    shown = [item for item in range(NEW + 1) if item not in {*GONE.values(), *watched(world, 5)}]
    assert everything == 0
    assert filtered == len([item for item in shown if item % 3 != 0])


def test_min_score_leaves_out_what_scores_less(world):
    all_of_them = answer(a_query(k=20, diversity_lambda=1.0), world.view(5)).items
    bound = all_of_them[6].score
    enough = answer(a_query(k=20, diversity_lambda=1.0, min_score=bound), world.view(5)).items
    assert [place.item_idx for place in enough] == [place.item_idx for place in all_of_them[:7]]


def test_the_match_rises_with_the_score_and_is_a_chance(world):
    items = answer(a_query(k=20, diversity_lambda=1.0), world.view(5)).items
    matches = [place.match for place in items]
    assert matches == sorted(matches, reverse=True)
    assert all(0.0 <= match <= 1.0 for match in matches)


def test_an_item_known_from_events_only_has_no_title_and_is_recommended():
    world = a_world()
    world.item_names += ["unlisted"]
    for user in range(0, 30, 3):
        world.record(user, NEW + 1, "watch")
    slate = answer(a_query(k=50), world.view(36))
    place = next(place for place in slate.items if place.item_id == "unlisted")
    assert place.title == ""
    assert place.categories == ()


@pytest.mark.parametrize(("minutes", "boosted"), [(59, True), (61, False)])
def test_the_last_hours_categories_are_boosted(minutes, boosted):
    world = a_world()
    for item in (1, 4):
        world.record(NOBODY, item, "click", NOW - minutes * MINUTE)
    plain = rank(a_query(), world.view(NOBODY, msgspec.structs.replace(HOME, boost_seconds=0.0)))
    ranked = rank(a_query(), world.view(NOBODY))
    plain_score = dict(zip(plain.item.tolist(), plain.score.tolist(), strict=True))
    for item, score in zip(ranked.item.tolist(), ranked.score.tolist(), strict=True):
        fits = boosted and "drama" in world.catalog.item(item).categories
        assert score == pytest.approx(
            plain_score[item] + (0.075 if fits else 0.0) + extra(world, item, boosted)
        )


def extra(world: World, item: int, boosted: bool) -> float:
    """Item 4 is a classic too: half of its half of the interest, times the weight .1, goes to classics."""
    return 0.025 if boosted and "classic" in world.catalog.item(item).categories else 0.0


def test_training_sees_what_serving_ranks(world):
    ranked, view = rank(a_query(), world.view(5)), world.view(5)
    truth = int(ranked.item[2])
    seen = sample(a_query(), view, truth)
    blended = seen.columns.astype(np.float64) @ world.artifact.blend.row(seen.length)
    order = np.argsort(-blended, kind="stable")
    assert candidates(a_query(), view).item[order].tolist() == ranked.item.tolist()
    assert order[2] == seen.truth
    assert sample(a_query(), view, GONE["hidden"]).truth == -1
    scores, labels = pairs(ranked, np.array([truth], np.int32))
    assert labels.sum() == 1
    assert scores[labels][0] == ranked.score[2]


def test_only_sources_that_the_moment_hears_are_asked(world):
    weights, quiet = world.artifact.blend.weights.copy(), world.artifact.blend.sources.index("ials")
    weights[context_at(len(world.state.history(5)), in_session=True), quiet] = 0.0
    artifact = replace(
        world.artifact,
        models={**world.artifact.models, "ials": NotToBeAsked()},
        blend=replace(world.artifact.blend, weights=weights),
    )
    view = world.view(5, artifact=artifact)
    assert "ials" not in candidates(a_query(), view).sources
    assert sample(a_query(), view, NEW).columns.shape[1] == len(world.artifact.blend.sources) + 1
    with pytest.raises(AssertionError, match="was asked"):
        candidates(a_query(now=NOW + 60 * MINUTE), view)


def test_a_shortlist_is_the_slate_without_its_presentation(world):
    query, view = a_query(diversity_lambda=0.5), world.view(5)
    assert shortlist(query, view).item.tolist() == ordinals(answer(query, view))

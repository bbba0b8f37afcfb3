"""Answers under rules: bounds hold, places are kept, what gives way is said; pages follow each other."""

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pipeline_world import GROUPS, MINUTE, NOW, TYPES, World, a_query, a_world, columns_of

from foretaste.domain.slate_rules import InvalidRuleError, Quota, Rest, SlateRules, Slot, together
from foretaste.events.weights import EventWeights
from foretaste.features.state import State, StateConfig
from foretaste.pipeline.compose import answer, shortlist
from foretaste.pipeline.scenario import DISCOVER, HOME, with_recipe

PERSON = 5
NAMED = {f"i{number}": number for number in range(31)}


@pytest.fixture(scope="module")
def world():
    return a_world()


def asked(world, scenario=HOME, shown=(), k=10, user=PERSON, excluded=(), **query):
    view = world.view(
        user,
        scenario,
        shown=np.array(shown, np.int32),
        excluded=np.array(excluded, np.int32),
        named=NAMED,
    )
    return answer(a_query(k=k, **query), view)


def items(slate):
    return [item.item_idx for item in slate.items]


def said(slate):
    return {one.rule: one.reason for one in slate.relaxed}


def genre(item):
    return GROUPS[item % 3]


def test_rules_that_ask_for_nothing_change_nothing(world):
    for scenario in (HOME, DISCOVER):
        plain = asked(world, scenario)
        assert [(one.item_idx, one.score) for one in asked(world, scenario, rules=SlateRules()).items] == [
            (one.item_idx, one.score) for one in plain.items
        ]


def test_a_maximum_holds_for_each_value(world):
    rules = SlateRules(quotas=(Quota(each="category", at_most=3),))
    slate = asked(world, k=7, rules=rules)
    counts = [sum(genre(item) == one for item in items(slate)) for one in GROUPS]
    assert max(counts) == 3
    assert len(slate.items) == 7
    assert said(slate) == {}


def test_a_minimum_brings_up_what_no_source_would_have(world):
    rules = SlateRules(quotas=(Quota(filter="year == 1996", at_least=2),))
    pure = msgspec.structs.replace(HOME, per_source=1)
    assert sum(item % 7 == 6 for item in items(asked(world, pure, k=2, rules=rules))) == 2
    assert sum(item % 7 == 6 for item in items(asked(world, pure, k=2))) < 2


def test_a_slot_is_for_an_item_or_for_the_best_that_matches(world):
    rules = SlateRules(slots=(Slot(place=2, item_id="i30"), Slot(place=4, filter='"horror" in category')))
    found = items(asked(world, k=5, user=0, rules=rules))
    assert found[1] == 30
    assert genre(found[3]) == "horror"


def test_a_pin_that_may_not_be_shown_is_said_and_leaves_its_place_to_others(world):
    rules = SlateRules(slots=(Slot(place=1, item_id="i17"), Slot(place=2, item_id="unheard of")))
    slate = asked(world, k=5, rules=rules)
    assert len(slate.items) == 5
    assert said(slate)["slots[0]"] == "item 'i17' is unknown, or may not be shown here"
    assert "slots[1]" in said(slate)


def test_maxima_give_way_where_there_is_nothing_else_and_say_so(world):
    rules = SlateRules(quotas=(Quota(filter='"drama" in category', at_most=1),))
    slate = asked(world, k=5, filter=('"drama" in category',), user=0, rules=rules)
    assert len(slate.items) == 5
    assert said(slate) == {"quotas[0]": "5 items, more than 1"}


def test_a_minimum_beyond_what_there_is_is_said(world):
    rules = SlateRules(quotas=(Quota(filter="year == 1890", at_least=1), Quota(each="category", at_least=4)))
    slate = asked(world, k=5, rules=rules)
    assert len(slate.items) == 5
    assert said(slate)["quotas[0]"] == "0 items, fewer than 1"
    assert said(slate)["quotas[1]"].startswith("fewer than 4 of ")


def test_rules_of_scenario_and_request_hold_together(world):
    scenario = msgspec.structs.replace(
        HOME,
        rules=SlateRules(
            quotas=(Quota(each="category", at_most=3),),
            slots=(Slot(place=1, item_id="i30"), Slot(place=2, item_id="i4")),
        ),
    )
    slate = asked(world, scenario, k=9, user=0, rules=SlateRules(slots=(Slot(place=1, item_id="i5"),)))
    assert items(slate)[:2] == [5, 4]
    assert max(sum(genre(item) == one for item in items(slate)) for one in GROUPS) == 3


def test_rules_that_contradict_each_other_are_refused():
    for wrong in (
        lambda: Quota(filter="a == 1", each="a", at_least=1),
        lambda: Quota(each="a"),
        lambda: Quota(each="a", at_least=3, at_most=2),
        lambda: Slot(place=1),
        lambda: SlateRules(slots=(Slot(place=1, item_id="a"), Slot(place=1, item_id="b"))),
        lambda: SlateRules(slots=(Slot(place=1, item_id="a"), Slot(place=2, item_id="a"))),
        lambda: SlateRules(slots=(Slot(place=1, item_id="a"),), forbidden=("a",)),
        lambda: together(SlateRules(slots=(Slot(place=1, item_id="a"),)), SlateRules(forbidden=("a",))),
    ):
        with pytest.raises(InvalidRuleError):
            wrong()
    with pytest.raises(msgspec.ValidationError, match=r"above `at_most` 2.* `\$\.quotas\[0\]`"):
        msgspec.json.decode('{"quotas": [{"each": "a", "at_least": 3, "at_most": 2}]}', type=SlateRules)


def test_own_mix_brings_in_the_persons_other_kind(world):
    taste = asked(world, k=9, diversity_lambda=1.0, rules=SlateRules(own_mix=0.95))
    history = world.state.history(PERSON)
    own = np.bincount(history.item % 3, weights=np.maximum(history.weight, 0), minlength=3)
    got = np.bincount(np.array(items(taste)) % 3, minlength=3)
    plain = np.bincount(np.array(items(asked(world, k=9, diversity_lambda=1.0))) % 3, minlength=3)
    far = [np.abs(counts / counts.sum() - own / own.sum()).sum() for counts in (got, plain)]
    assert far[0] <= far[1]


def test_serendipity_and_variety_work_within_the_bounds(world):
    rules = SlateRules(quotas=(Quota(each="category", at_most=4),), serendipity_weight=0.9)
    varied = items(asked(world, k=9, diversity_lambda=0.3, rules=rules))
    plain = items(
        asked(world, k=9, diversity_lambda=1.0, rules=msgspec.structs.replace(rules, serendipity_weight=0))
    )
    assert varied != plain
    for found in (varied, plain):
        assert max(sum(genre(item) == one for item in found) for one in GROUPS) <= 4


def test_categories_take_turns_within_the_bounds(world):
    rules = SlateRules(slots=(Slot(place=1, item_id="i30"),))
    found = items(asked(world, DISCOVER, k=3, rules=rules))
    assert found[0] == 30
    assert sorted(genre(item) for item in found) == sorted(GROUPS)


SHOWING = (*TYPES, "impression")


@pytest.fixture
def watched():
    """Return a world of its own, whose people can be shown something."""
    world = a_world()
    state = State(StateConfig(weights=EventWeights()), lambda: SHOWING)
    world = World(state, world.catalog, world.artifact)
    rows = [(PERSON, item, 1, NOW - 10_000 * MINUTE) for item in (2, 5, 8)]
    state.apply(columns_of(*map(np.array, zip(*rows, strict=True)), np.arange(len(rows))))
    return world


def record(world, item, kind, at):
    seq = world.state.seq
    world.state.apply(columns_of([PERSON], [item], [SHOWING.index(kind)], [at], [seq], seq))


def resting_answer(world, now=NOW, **query):
    view = world.view(PERSON, type_names=SHOWING, named=NAMED)
    rules = SlateRules(rest=Rest(impressions=2, seconds=3600.0), slots=query.pop("slots", ()))
    return answer(a_query(now=now, rules=rules, **query), view)


def test_what_was_shown_often_without_effect_rests_and_comes_back(watched):
    first = items(resting_answer(watched, k=3))[0]
    record(watched, first, "impression", NOW)
    assert items(resting_answer(watched, k=3))[0] == first
    record(watched, first, "impression", NOW)
    assert first not in items(resting_answer(watched, k=10))
    assert items(resting_answer(watched, now=NOW + 60 * MINUTE, k=3))[0] == first


def test_what_was_taken_notice_of_does_not_rest(watched):
    first = items(resting_answer(watched, k=3))[0]
    for kind in ("impression", "impression", "view"):
        record(watched, first, kind, NOW)
    assert first in items(resting_answer(watched, k=10))


def test_pinned_items_do_not_rest(watched):
    first = items(resting_answer(watched, k=3))[0]
    for _ in range(2):
        record(watched, first, "impression", NOW)
    pinned = resting_answer(watched, k=3, slots=(Slot(place=2, item_id=f"i{first}"),))
    assert items(pinned)[1] == first
    assert pinned.relaxed == ()


def test_rest_gives_way_rather_than_starve_the_answer(watched):
    everything = items(resting_answer(watched, k=50))
    for item in everything:
        for _ in range(2):
            record(watched, item, "impression", NOW + item)
    slate = resting_answer(watched, k=3)
    assert sorted(items(slate)) == sorted(everything)[:3]
    assert said(slate) == {"rest": "3 items should rest, but there is nothing else to show"}


bounds = st.tuples(st.integers(0, 2), st.none() | st.integers(2, 4))


@given(
    least_most=st.lists(bounds, min_size=3, max_size=3),
    k=st.integers(1, 12),
    user=st.integers(0, 5),
    trade_off=st.sampled_from([0.3, 0.8, 1.0]),
)
@settings(deadline=None, max_examples=60)
def test_bounds_hold_wherever_they_can(world, least_most, k, user, trade_off):
    quotas = tuple(
        Quota(filter=f'"{name}" in category', at_least=least, at_most=most)
        for name, (least, most) in zip(GROUPS, least_most, strict=True)
        if least or most is not None
    )
    slate = asked(world, k=k, user=user, diversity_lambda=trade_off, rules=SlateRules(quotas=quotas))
    everything = items(asked(world, k=50, user=user))
    there = [sum(genre(item) == name for item in everything) for name in GROUPS]
    most = [
        min(there[at], bound) if bound is not None else there[at] for at, (_, bound) in enumerate(least_most)
    ]
    least = [min(there[at], bound) for at, (bound, _) in enumerate(least_most)]
    assert len(slate.items) == min(k, len(everything))
    if sum(least) <= k <= sum(most):
        counts = [sum(genre(item) == name for item in items(slate)) for name in GROUPS]
        assert all(low <= count <= high for low, count, high in zip(least, counts, most, strict=True))
    kept = all(
        low <= sum(genre(item) == name for item in items(slate))
        and (high is None or sum(genre(item) == name for item in items(slate)) <= high)
        for name, (low, high) in zip(GROUPS, least_most, strict=True)
    )
    assert kept == (slate.relaxed == ())


@given(pages=st.lists(st.integers(1, 7), min_size=1, max_size=5), user=st.integers(0, 5))
@settings(deadline=None, max_examples=40)
def test_pages_one_after_another_are_one_long_page(world, pages, user):
    shown = []
    for k in pages:
        shown += items(asked(world, k=k, shown=shown, user=user, diversity_lambda=1.0))
    assert shown == items(asked(world, k=sum(pages), user=user, diversity_lambda=1.0))


@pytest.mark.parametrize("scenario", [HOME, DISCOVER])
@pytest.mark.parametrize(
    "rules", [None, SlateRules(quotas=(Quota(each="category", at_most=2),), own_mix=0.5)]
)
def test_pages_never_repeat_and_leave_nothing_out(world, scenario, rules):
    shown, everything = [], set(items(asked(world, scenario, k=50)))
    while page := items(asked(world, scenario, k=4, shown=shown, rules=rules)):
        assert not set(page) & set(shown)
        shown += page
    assert set(shown) == everything


def test_places_are_counted_through_the_pages(world):
    rules = SlateRules(slots=(Slot(place=1, item_id="i30"), Slot(place=6, item_id="i22")))
    first = items(asked(world, k=4, rules=rules))
    second = items(asked(world, k=4, shown=first, rules=rules))
    assert (first[0], second[1]) == (30, 22)


def test_a_shortlist_is_the_slate_that_is_answered(world):
    rules = SlateRules(quotas=(Quota(each="category", at_most=3),))
    view = world.view(PERSON, named=NAMED)
    query = with_recipe(a_query(rules=rules), HOME)
    assert shortlist(query, view).item.tolist() == items(answer(query, view))

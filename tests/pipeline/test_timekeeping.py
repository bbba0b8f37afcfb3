"""Answers against the clock: what is late is left out and named, and nothing else changes."""

from itertools import count

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pipeline_world import NOBODY, a_query, a_world

from foretaste.pipeline.compose import answer, answer_among
from foretaste.pipeline.scenario import DISCOVER, HOME, SHIPPED
from foretaste.pipeline.timekeeping import DIVERSITY, EXPLANATION, REASONS, Hurried, Repeating, Watching

SOURCES = {"popularity", "ials", "ease", "transitions", "content"}


@pytest.fixture(scope="module")
def world():
    return a_world()


def ticking(per_look=1.0):
    """A clock on which each look takes so long."""
    return count(per_look, per_look).__next__


def late(seconds):
    """What keeps the time of an answer by a clock that ticks once for each stage."""
    return Hurried(0.0, seconds, ticking())


@settings(max_examples=40)
@given(
    user=st.sampled_from([0, 5, 17, -1, NOBODY]),
    scenario=st.sampled_from(sorted(SHIPPED)),
    explain=st.booleans(),
    boost=st.sampled_from([(), ("year > 1993 : 2",)]),
)
def test_an_answer_in_time_is_that_without_a_clock(world, user, scenario, explain, boost):
    query = a_query(k=5, explain=explain, boost=boost, scenario=scenario)
    view = world.view(user, SHIPPED[scenario], seeds=(4, 6))
    in_time = answer(query, msgspec.structs.replace(view, timekeeper=Hurried(0.0, 1.0, lambda: 0.6)))
    assert in_time == answer(query, view)
    assert in_time.left_out == ()


def test_the_weightiest_source_answers_however_late_it_is(world):
    plan_weights = world.artifact.blend.row(8, in_session=False)[:-1]
    heaviest = world.artifact.blend.sources[plan_weights.argmax()]
    slate = answer(a_query(k=5), world.view(timekeeper=late(0.0)))
    assert len(slate.items) == 5
    assert {source for item in slate.items for source in item.sources} <= {heaviest}
    assert SOURCES - {heaviest} <= set(slate.left_out)


def test_sources_are_asked_as_long_as_there_is_time(world):
    slate = answer(a_query(k=5), world.view(timekeeper=late(4.0)))
    missing = set(slate.left_out) & SOURCES
    assert 0 < len(missing) < len(SOURCES) - 1
    assert not missing & {source for item in slate.items for source in item.sources}


def test_the_order_is_that_of_relevance_where_there_is_no_time_for_variety(world):
    by_relevance = answer(a_query(k=6, diversity_lambda=1.0), world.view(scenario=DISCOVER))
    keeper = Repeating((DIVERSITY,))
    slate = answer(a_query(k=6), world.view(scenario=DISCOVER, timekeeper=keeper))
    assert [item.item_idx for item in slate.items] == [item.item_idx for item in by_relevance.items]
    assert slate.left_out == (DIVERSITY,)


def test_reasons_and_explanations_are_left_out_and_the_list_stays(world):
    whole = answer(a_query(k=5, explain=True), world.view())
    slate = answer(a_query(k=5, explain=True), world.view(timekeeper=Repeating((REASONS, EXPLANATION))))
    assert [item.item_idx for item in slate.items] == [item.item_idx for item in whole.items]
    assert [item.sources for item in slate.items] == [item.sources for item in whole.items]
    assert all(item.explanation is None for item in slate.items)
    assert any(item.reason.startswith("Because of") for item in whole.items)
    assert not any(item.reason.startswith("Because of") for item in slate.items)


@settings(max_examples=30)
@given(seconds=st.floats(0.0, 16.0), scenario=st.sampled_from([HOME, DISCOVER]), explain=st.booleans())
def test_what_was_left_out_is_all_it_takes_to_answer_the_same_again(world, seconds, scenario, explain):
    query, view = a_query(k=5, explain=explain), world.view(scenario=scenario)
    slate = answer(query, msgspec.structs.replace(view, timekeeper=late(seconds)))
    assert answer(query, msgspec.structs.replace(view, timekeeper=Repeating(slate.left_out))) == slate


def test_given_candidates_are_ranked_by_what_there_is_time_for(world):
    items = np.array([1, 2, 4, 8], np.int32)
    slate = answer_among(a_query(k=4), world.view(timekeeper=late(0.0)), items)
    assert len(slate.items) == 4
    assert slate.left_out


def test_stages_are_seen_with_their_times_and_candidates(world):
    watching = Watching(late(100.0), ticking(0.5))
    slate = answer(a_query(k=5, explain=True), world.view(timekeeper=watching))
    stages = [stage for stage, _ in watching.began]
    assert stages[0] == "filters"
    assert set(stages) >= SOURCES | {"blend", "choice", "reasons", "explanation"}
    moments = [began for _, began in watching.began]
    assert moments == sorted(moments)
    assert watching.ended > moments[-1]
    assert set(stages) <= set(watching.flow)
    assert watching.flow["choice"] == (watching.flow["blend"][1], len(slate.items))
    assert watching.flow["filters"][0] > watching.flow["filters"][1] > 0

"""What is kept of people from one answer to the next changes no answer, and has a bound."""

import numpy as np
import pytest
from pipeline_world import GROUPS, N_ITEMS, N_USERS, NOW, TYPES, a_query, a_world

from foretaste.pipeline.compose import answer
from foretaste.pipeline.known import OWN, KnownPeople
from foretaste.pipeline.scenario import HOME, SIMILAR


@pytest.mark.parametrize("room", [0, 10 * OWN, 10**9])
@pytest.mark.parametrize("scenario", [HOME, SIMILAR], ids=lambda scenario: scenario.name)
def test_answers_from_what_was_kept_are_those_from_nothing(room, scenario):
    world, known, draw = a_world(), KnownPeople(room), np.random.default_rng(3)
    for number in range(40):
        user, item = int(draw.integers(N_USERS)), int(draw.integers(N_ITEMS))
        if number % 3 == 0:
            world.record(user, item, TYPES[int(draw.integers(len(TYPES)))], NOW - 1_000 + number)
        filters = {"category": (GROUPS[number % 3],)} if number % 2 else {}
        query = a_query(scenario=scenario.name, filters=filters, explain=True, now=NOW + number)
        asked = {"scenario": scenario, "seeds": () if item < 0 else (item,)}
        kept = answer(query, world.view(user % 5, known=known, **asked))
        assert kept == answer(query, world.view(user % 5, known=KnownPeople(), **asked))


def test_a_person_is_the_same_until_their_next_event():
    world, known = a_world(), KnownPeople()
    before, other = known.of(world.state, 1), known.of(world.state, 2)
    world.record(1, 4, "watch")
    assert known.of(world.state, 1) is not before
    assert known.of(world.state, 1).history.item.tolist() == world.state.history(1).item.tolist()
    assert known.of(world.state, 2) is other


def test_of_more_people_than_there_is_room_for_those_asked_about_last_are_kept():
    world = a_world()
    known = KnownPeople(3 * OWN)
    first, second = known.of(world.state, 1), known.of(world.state, 2)
    assert known.of(world.state, 1) is first
    known.of(world.state, 3)
    assert known.of(world.state, 2) is not second


def test_those_who_are_scored_together_are_all_kept_whatever_they_take():
    world, known = a_world(), KnownPeople(0, least=3)
    first, *others = [known.of(world.state, user) for user in (1, 2, 3)]
    assert all(known.of(world.state, user) is one for user, one in zip((2, 3), others, strict=True))
    assert known.of(world.state, 1) is first
    known.of(world.state, 4)
    assert known.of(world.state, 2) is not others[0]


def test_there_is_room_for_as_many_as_what_was_worked_out_of_them_leaves():
    world, kept = a_world(), {}
    for size in (0, 10 * OWN):
        known = KnownPeople(44 * OWN)
        first = [known.of(world.state, user) for user in range(N_USERS)]
        for _ in range(40):
            for user in range(N_USERS):
                known.of(world.state, user).history.memo["worked out"] = np.zeros(size, np.int8)
        kept[size] = sum(known.of(world.state, user) is one for user, one in enumerate(first))
    assert kept[0] == N_USERS
    assert kept[10 * OWN] < 4

"""Who touched an item lately, and what is remembered without being counted."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foretaste.domain.errors import CorruptSnapshotError
from foretaste.events.weights import weigh
from foretaste.features.state import State, StateConfig
from foretaste.testing.event_factories import EPOCH, EVENT_TYPES, event_columns, random_events, rearranged

CLICK, DISLIKE, IMPRESSION = (EVENT_TYPES.index(name) for name in ("click", "dislike", "impression"))
MINUTE = 60_000_000


def folded(events, **settings_of_state):
    state = State(StateConfig(**settings_of_state), lambda: EVENT_TYPES)
    state.apply(events)
    return state


def touches_by_definition(events, item, most):
    weight = weigh(EVENT_TYPES, events.type, events.value, StateConfig().weights)
    latest = {}
    for row in np.flatnonzero((events.item == item) & (weight > 0.0)).tolist():
        user, minute = int(events.user[row]), int(events.time[row]) // MINUTE
        latest[user] = max(latest.get(user, minute), minute)
    found = sorted(((minute, user) for user, minute in latest.items()), reverse=True)[:most]
    return [user for _, user in found], [minute * MINUTE for minute, _ in found]


@settings(max_examples=60)
@given(st.integers(0, 10_000), st.integers(1, 20), st.integers(1, 300), st.randoms(use_true_random=False))
def test_an_item_knows_the_latest_people_whatever_the_order_of_arrival(seed, most, n_events, random):
    events = random_events(seed, n_events, n_users=40, n_items=4, in_order=False)
    order = list(range(n_events))
    random.shuffle(order)
    for arrived in (events, rearranged(events, np.array(order))):
        state = folded(arrived, touches_per_item=most)
        for item in range(4):
            users, times = state.people.touches(item)
            assert (users.tolist(), times.tolist()) == touches_by_definition(events, item, most)


def test_an_item_remembers_no_more_people_than_it_is_told_to():
    state = folded(event_columns([(user, 0, CLICK, 60 * user) for user in range(50)]), touches_per_item=7)
    assert state.people.touches(0)[0].tolist() == [49, 48, 47, 46, 45, 44, 43]


def test_a_person_is_there_once_with_their_latest_touch():
    state = folded(event_columns([(1, 0, CLICK, 0), (2, 0, CLICK, 60), (1, 0, CLICK, 120)]))
    users, times = state.people.touches(0)
    assert users.tolist() == [1, 2]
    assert times.tolist() == [EPOCH + 2 * MINUTE, EPOCH + MINUTE]


def test_what_nobody_liked_is_touched_by_nobody():
    state = folded(event_columns([(1, 0, DISLIKE, 0), (2, 0, IMPRESSION, 60)]))
    assert len(state.people.touches(0)[0]) == 0
    assert len(state.people.touches(99)[0]) == len(state.people.touches(-1)[0]) == 0


def test_a_snapshot_with_a_touch_of_nobody_is_refused():
    state = folded(random_events(0, 50))
    snapshot = dict(state.snapshot())
    snapshot["touches"] = snapshot["touches"] | 0xFFFF
    with pytest.raises(CorruptSnapshotError, match="touches"):
        folded(random_events(0, 0)).restore(snapshot)


def test_what_is_only_remembered_is_in_its_persons_history_and_nowhere_else():
    events = random_events(3, 200)
    state = folded(events.take(0, 150))
    counts, neighbours = state.items.interactions.tolist(), state.items.together(1)[1].tolist()
    touched = state.people.touches(1)[0].tolist()
    heard = state.people.sessions.users.copy()
    state.remember(events.take(150, 200))
    everything = folded(events)
    for user in range(5):
        assert state.history(user).item.tolist() == everything.history(user).item.tolist()
        assert state.tally(user).count.sum() == everything.tally(user).count.sum()
    assert state.items.interactions.tolist() == counts
    assert state.items.together(1)[1].tolist() == neighbours
    assert state.people.touches(1)[0].tolist() == touched
    assert (state.people.sessions.users == heard).all()
    assert state.seq == 200
    assert everything.items.interactions.tolist() != counts


def test_remembering_nothing_leaves_people_live():
    events = random_events(3, 100)
    state = folded(events.take(0, 50))
    state.remember(replace_empty(events))
    state.apply(events.take(50, 100))
    assert state.people.touches(0)[0].tolist() == folded(events).people.touches(0)[0].tolist()


def replace_empty(events):
    return replace(events.take(50, 50))

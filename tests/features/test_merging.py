"""One person becomes another: their pasts are one, and stay one."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foretaste.events.vocabulary import MERGE_FROM, MERGE_INTO
from foretaste.features.merging import Aliases, resolved
from foretaste.features.state import State, StateConfig
from foretaste.testing.contracts.fold import assert_same
from foretaste.testing.event_factories import EPOCH, EVENT_TYPES, event_columns, random_events

TYPES = (*EVENT_TYPES, MERGE_FROM, MERGE_INTO)
FROM, INTO, CLICK = TYPES.index(MERGE_FROM), TYPES.index(MERGE_INTO), TYPES.index("click")
ITEM = 8
"""The reserved item."""


def new(**config):
    return State(StateConfig(**config), lambda: TYPES)


def with_merges(events, merges):
    """Put pairs of events that tell of merges into a stream: (place, old, into)."""
    rows = list(range(len(events)))
    told = {place: (old, into) for place, old, into in merges}
    columns = {name: [] for name in ("user", "item", "type", "time", "key", "value")}
    for row in [*rows, len(events)]:
        if row in told:
            for user, kind in zip(told[row], (FROM, INTO), strict=True):
                values = (user, ITEM, kind, EPOCH, len(columns["user"]), np.nan)
                for name, value in zip(columns, values, strict=True):
                    columns[name].append(value)
        if row < len(events):
            for name, column in columns.items():
                column.append(getattr(events, name)[row])
    arrays = {name: np.array(column, getattr(events, name).dtype) for name, column in columns.items()}
    return replace(events, seq=np.arange(1, 1 + len(arrays["user"])), **arrays)


def knowledge(state, user):
    """What a state knows of a person, in an order of its own."""
    history, tally, summary = state.history(user), state.tally(user), state.summary(user)
    rows = sorted(
        zip(
            tally.item.tolist(),
            tally.type.tolist(),
            tally.count.tolist(),
            tally.last.tolist(),
            strict=True,
        )
    )
    return (
        history.item.tolist(),
        history.weight.tolist(),
        history.time.tolist(),
        history.type.tolist(),
        rows,
        summary,
    )


@st.composite
def merged_streams(draw):
    events = random_events(
        draw(st.integers(0, 10_000)), draw(st.integers(1, 80)), in_order=draw(st.booleans())
    )
    places = draw(st.lists(st.integers(0, len(events)), max_size=3, unique=True))
    people = st.integers(0, 4)
    return events, with_merges(events, [(place, draw(people), draw(people)) for place in sorted(places)])


@given(merged_streams())
@settings(max_examples=150)
def test_what_is_known_of_a_person_is_as_if_all_had_always_been_theirs(streams):
    _, stream = streams
    state, from_the_start = new(), new()
    state.apply(stream)
    from_the_start.apply(resolved(stream, TYPES))
    for user in range(5):
        assert knowledge(state, state.person(user)) == knowledge(from_the_start, state.person(user))


@given(merged_streams())
@settings(max_examples=100)
def test_who_touched_an_item_is_the_person_they_are_now(streams):
    _, stream = streams
    state, from_the_start = new(), new()
    state.apply(stream)
    from_the_start.apply(resolved(stream, TYPES))
    for item in range(8):
        assert [part.tolist() for part in state.people.touches(item)] == [
            part.tolist() for part in from_the_start.people.touches(item)
        ]


@given(merged_streams(), st.integers(0, 90))
@settings(max_examples=100)
def test_a_stream_with_merges_is_folded_alike_in_one_batch_one_by_one_and_from_a_snapshot(streams, cut):
    _, stream = streams
    whole, single, restored = new(), new(), new()
    whole.apply(stream)
    for place in range(len(stream)):
        single.apply(stream.take(place, place + 1))
    restored.apply(stream.take(0, min(cut, len(stream))))
    again = new()
    again.restore(restored.snapshot())
    again.apply(stream)
    assert_same(single.snapshot(), whole.snapshot())
    assert_same(again.snapshot(), whole.snapshot())


@given(merged_streams())
@settings(max_examples=50)
def test_short_histories_keep_the_latest_of_both(streams):
    events, _ = streams
    state, one = new(history_length=7), new(history_length=7)
    state.apply(with_merges(events, [(len(events), 1, 0)]))
    one.apply(replace(events, user=np.where(events.user == 1, 0, events.user).astype(np.int32)))
    assert knowledge(state, 0)[:4] == knowledge(one, 0)[:4]


def test_items_keep_what_they_learnt():
    events = random_events(5, 60)
    state, plain = new(), new()
    state.apply(with_merges(events, [(30, 1, 0)]))
    plain.apply(events)
    assert state.items.interactions[:8].tolist() == plain.items.interactions.tolist()
    assert state.items.interactions[ITEM:].tolist() in ([], [0])


def test_an_event_that_comes_later_under_the_old_id_is_the_persons():
    before = event_columns([(0, 1, CLICK, 0), (1, 2, CLICK, 1)])
    state = new()
    state.apply(with_merges(before, [(2, 1, 0)]))
    late = event_columns([(1, 3, CLICK, 9)], previous_seq=4)
    state.apply(late)
    assert state.history(0).item.tolist() == [1, 2, 3]
    assert state.history(1).item.tolist() == []
    assert state.merged_into(0) == [1]


def test_merges_follow_one_another():
    aliases = Aliases()
    aliases.add(3, 2)
    aliases.add(2, 1)
    assert [aliases.person(user) for user in (1, 2, 3, 4)] == [1, 1, 1, 4]
    assert aliases.people(np.array([3, 9, 2], np.int32)).tolist() == [1, 9, 1]


def test_to_be_merged_into_oneself_changes_nothing():
    events = random_events(5, 20)
    state, plain = new(), new()
    state.apply(with_merges(events, [(10, 1, 1)]))
    plain.apply(events)
    assert knowledge(state, 1) == knowledge(plain, 1)


def test_people_without_events_can_be_merged():
    state = new()
    state.apply(with_merges(event_columns([(0, 1, CLICK, 0)]), [(1, 70, 0), (0, 99, 80)]))
    assert state.person(70) == 0
    assert state.history(99).item.tolist() == []
    state.apply(event_columns([(70, 5, CLICK, 3), (99, 6, CLICK, 4)], previous_seq=5))
    assert state.history(0).item.tolist() == [1, 5]
    assert state.history(80).item.tolist() == [6]


@pytest.mark.parametrize("n", [1, 40, 3000])
def test_long_pasts_are_merged(n):
    rows = [(place % 2, place % 97, CLICK, place) for place in range(n)]
    state = new(history_length=5000)
    state.apply(with_merges(event_columns(rows), [(n, 1, 0)]))
    assert len(state.history(0)) == n
    assert state.summary(0).events == n
    assert state.summary(1).events == 0


def test_each_id_has_the_number_of_its_own_last_event():
    state = new()
    state.apply(with_merges(event_columns([(0, 1, CLICK, 0), (1, 2, CLICK, 1)]), [(2, 1, 0)]))
    assert [state.user_seq(user) for user in (0, 1)] == [4, 4]
    state.apply(event_columns([(1, 3, CLICK, 9), (1, 4, CLICK, 10)], previous_seq=4))
    assert [state.user_seq(user) for user in (0, 1)] == [6, 6]
    state.apply(event_columns([(0, 3, CLICK, 9)], previous_seq=6))
    assert [state.user_seq(user) for user in (0, 1)] == [7, 6]
    again = new()
    again.restore(state.snapshot())
    assert again.user_seq(1) >= 6

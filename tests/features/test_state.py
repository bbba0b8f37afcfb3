from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foretaste.domain.errors import CorruptSnapshotError, InvalidInputError
from foretaste.domain.event import EventColumns
from foretaste.events.weights import weigh
from foretaste.features import warm_up
from foretaste.features.neighbours import FOLLOW_UNIT
from foretaste.features.snapshots import seq_of_snapshot
from foretaste.features.state import State, StateConfig, state_at
from foretaste.testing.event_factories import EPOCH, EVENT_TYPES, event_columns, random_events, rearranged

VIEW, CLICK, DISLIKE, IMPRESSION = (EVENT_TYPES.index(t) for t in ("view", "click", "dislike", "impression"))
SECOND = 1_000_000


def type_names():
    return EVENT_TYPES


def folded(events, **settings_of_state):
    state = State(StateConfig(**settings_of_state), type_names)
    state.apply(events)
    return state


def clicks(*items, user=0):
    return event_columns([(user, item, CLICK, place) for place, item in enumerate(items)])


@st.composite
def streams(draw, longest=60):
    n_events = draw(st.integers(1, longest))
    return random_events(
        draw(st.integers(0, 10_000)),
        n_events,
        n_users=draw(st.integers(1, 4)),
        n_items=draw(st.integers(1, 30)),
        span_seconds=draw(st.sampled_from([5, 3_600, 86_400 * 400])),
        in_order=draw(st.booleans()),
    )


def positives_in_order(events, weights):
    """Return each user's positive events as (item, time), by (time, key)."""
    order = np.lexsort((events.key, events.time))
    sequences = defaultdict(list)
    for place in order[weights[order] > 0]:
        sequences[int(events.user[place])].append((int(events.item[place]), int(events.time[place])))
    return sequences


def pairs_by_definition(events, weights, window, gap=None):
    follow, together = Counter(), Counter()
    for sequence in positives_in_order(events, weights).values():
        for i, (first, first_time) in enumerate(sequence):
            for distance, (then, then_time) in enumerate(sequence[i + 1 : i + 1 + window], 1):
                if first != then and (gap is None or then_time - first_time <= gap * SECOND):
                    follow[first, then] += (FOLLOW_UNIT + distance // 2) // distance
                    together[first, then] += 1
                    together[then, first] += 1
    return follow, together


def pairs_of(state):
    follow, together = {}, {}
    for item in range(state.items.n_items):
        others, weight = state.items.followers(item)
        follow |= {(item, int(o)): int(w * FOLLOW_UNIT) for o, w in zip(others, weight, strict=True)}
        others, count = state.items.together(item)
        together |= {(item, int(o)): int(c) for o, c in zip(others, count, strict=True)}
    return follow, together


@given(streams(), st.integers(1, 7), st.sampled_from([None, 1, 3_600]))
@settings(max_examples=150)
def test_neighbours_are_the_pairs_within_the_window_of_each_history(events, window, gap):
    state = folded(events, window=window, pair_gap_seconds=gap)
    weights = weigh(EVENT_TYPES, events.type, events.value, state.config.weights)
    assert pairs_of(state) == pairs_by_definition(events, weights, window, gap)


@given(streams(longest=200), st.integers(1, 9))
@settings(max_examples=100)
def test_events_in_order_make_the_same_pairs_however_short_the_history(events, window):
    events = rearranged(events, np.lexsort((events.key, events.time)))
    state = folded(events, window=window, history_length=window)
    weights = weigh(EVENT_TYPES, events.type, events.value, state.config.weights)
    positive = weights > 0
    if (weights < 0).any():  # negative events take places in so short a history
        events = EventColumns(
            previous_seq=0,
            **{name: getattr(events, name)[positive] for name in EventColumns.__slots__[1:]},
        )
        state, weights = folded(events, window=window, history_length=window), weights[positive]
    assert pairs_of(state) == pairs_by_definition(events, weights, window)


@given(streams(longest=200), st.integers(1, 12))
@settings(max_examples=150)
def test_a_history_is_the_latest_weighted_events_by_time_and_key(events, length):
    state = folded(events, history_length=length)
    weights = weigh(EVENT_TYPES, events.type, events.value, state.config.weights)
    order = np.lexsort((events.key, events.time))
    for user in range(5):
        kept = order[(events.user[order] == user) & (weights[order] != 0)][-length:]
        history = state.history(user)
        assert history.item.tolist() == events.item[kept].tolist()
        assert history.type.tolist() == events.type[kept].tolist()
        assert history.time.tolist() == events.time[kept].tolist()
        assert history.weight.tolist() == weights[kept].tolist()


@given(streams(longest=200))
@settings(max_examples=100)
def test_a_tally_counts_each_item_and_type_weightless_ones_included(events):
    state = folded(events)
    for user in range(5):
        own = np.flatnonzero(events.user == user)
        counts = Counter(zip(events.item[own].tolist(), events.type[own].tolist(), strict=True))
        tally = state.tally(user)
        combinations = list(zip(tally.item.tolist(), tally.type.tolist(), strict=True))
        assert sorted(combinations) == sorted(counts)
        assert dict(zip(combinations, tally.count.tolist(), strict=True)) == counts
        for (item, type_ordinal), last in zip(combinations, tally.last.tolist(), strict=True):
            same = own[(events.item[own] == item) & (events.type[own] == type_ordinal)]
            assert last == events.time[same].max()
        summary = state.summary(user)
        assert summary.events == len(own)
        assert summary.first == (events.time[own].min() if len(own) else None)
        assert summary.last == (events.time[own].max() if len(own) else None)
        assert state.user_seq(user) == (events.seq[own].max() if len(own) else 0)


@given(streams(longest=120), st.data())
@settings(max_examples=60)
def test_events_may_come_in_any_order_and_in_any_batches(events, data):
    order = np.array(data.draw(st.permutations(range(len(events)))))
    shuffled = rearranged(events, order)
    state = folded(events.take(0, 0))
    start = 0
    while start < len(events):
        stop = data.draw(st.integers(start + 1, len(events)))
        state.apply(shuffled.take(start, stop))
        start = stop
    assert state.fingerprint() == folded(events).fingerprint()


@given(streams(longest=120), st.integers(0, 120))
@settings(max_examples=60)
def test_a_past_state_is_the_fold_of_a_prefix(events, seq):
    past = state_at(events, StateConfig(), type_names, seq=seq)
    assert past.fingerprint() == folded(events.take(0, min(seq, len(events)))).fingerprint()


def test_a_past_moment_knows_only_events_up_to_then():
    events = clicks(3, 1, 2)
    past = state_at(events, StateConfig(), type_names, time=EPOCH + SECOND)
    assert past.history(0).item.tolist() == [3, 1]


def test_a_late_event_takes_back_the_pairs_it_parts():
    late = event_columns([(0, 1, CLICK, 0), (0, 2, CLICK, 20), (0, 9, CLICK, 10)])
    state = folded(late, window=1)
    assert pairs_of(state)[0] == {(1, 9): FOLLOW_UNIT, (9, 2): FOLLOW_UNIT}


def test_an_event_older_than_a_full_history_counts_everywhere_but_among_neighbours():
    events = event_columns([(0, 1, CLICK, 10), (0, 2, CLICK, 20), (0, 3, CLICK, 0)])
    state = folded(events, history_length=2)
    assert state.history(0).item.tolist() == [1, 2]
    assert sorted(state.tally(0).item.tolist()) == [1, 2, 3]
    assert state.items.interactions.tolist() == [0, 1, 1, 1]
    assert pairs_of(state)[0] == {(1, 2): FOLLOW_UNIT}


def test_negative_events_stay_in_the_history_and_make_no_pairs():
    state = folded(event_columns([(0, 1, CLICK, 0), (0, 2, DISLIKE, 1), (0, 3, CLICK, 2)]), window=1)
    assert state.history(0).item.tolist() == [1, 2, 3]
    assert state.history(0).weight[1] < 0
    assert pairs_of(state)[0] == {(1, 3): FOLLOW_UNIT}


def test_impressions_are_counted_and_not_remembered():
    state = folded(event_columns([(0, 1, IMPRESSION, 0)]))
    assert len(state.history(0)) == 0
    assert state.tally(0).count.tolist() == [1]
    assert state.items.n_items == 2
    assert state.items.interactions.tolist() == [0, 0]


@pytest.mark.parametrize("user", [-1, 1, 10_000])
def test_an_unknown_user_has_an_empty_state(user):
    state = folded(clicks(1, 2))
    assert len(state.history(user)) == 0
    assert len(state.tally(user)) == 0
    assert state.summary(user).events == 0
    assert state.user_seq(user) == 0


def test_a_user_between_others_without_events_is_empty():
    state = folded(clicks(1, 2, user=7))
    assert state.n_users == 8
    assert state.summary(3).first is None
    assert len(state.tally(3)) == 0


def test_a_copy_of_a_history_is_not_changed_by_later_events():
    state = folded(clicks(1, 2))
    history = state.history(0)
    state.apply(event_columns([(0, 3, CLICK, 1)], previous_seq=2, keys=[-1]))
    assert history.item.tolist() == [1, 2]
    assert state.history(0).item.tolist() == [1, 3, 2]


def test_thousands_of_neighbours_are_found_again():
    events = clicks(*[item for other in range(1, 1500) for item in (0, other)])
    others, counts = folded(events, window=1).items.together(0)
    assert others.tolist() == list(range(1, 1500))
    assert set(counts[:-1].tolist()) == {2.0}


def test_a_full_row_keeps_its_stronger_half_and_then_the_younger_items():
    repeated = [item for other in range(1, 11) for item in (0, other)] * 3
    once = [item for other in range(11, 65) for item in (0, other)]
    state = folded(clicks(*repeated, *once), window=1, neighbours_per_item=64)
    assert len(state.items.together(0)[0]) == 64
    state.apply(event_columns([(0, 0, CLICK, 1_000), (0, 65, CLICK, 1_001)], previous_seq=state.seq))
    assert state.items.together(0)[0].tolist() == [*range(1, 11), *range(43, 66)]


def test_a_restored_state_shortens_rows_at_the_same_events():
    events = random_events(1, 3_000, n_users=20, n_items=300, in_order=False)
    whole = folded(events, neighbours_per_item=64)
    restored = folded(events.take(0, 0), neighbours_per_item=64)
    restored.restore(folded(events.take(0, 1_500), neighbours_per_item=64).snapshot())
    restored.apply(events.take(1_500, 3_000))
    assert restored.fingerprint() == whole.fingerprint()


def test_a_long_log_is_folded_in_parts_as_if_it_were_one():
    events = random_events(2, 70_000, n_users=300, n_items=2_000)
    singly = folded(events.take(0, 0))
    for start in range(0, len(events), 9_999):
        singly.apply(events.take(start, min(start + 9_999, len(events))))
    assert singly.fingerprint() == folded(events).fingerprint()


def test_events_in_read_only_memory_are_folded():
    events = clicks(1, 2)
    for column in (events.seq, events.user, events.time, events.value):
        column.flags.writeable = False
    assert folded(events).history(0).item.tolist() == [1, 2]


def test_a_snapshot_of_other_settings_is_refused():
    snapshot = folded(clicks(1, 2), window=3).snapshot()
    with pytest.raises(CorruptSnapshotError, match="settings"):
        folded(clicks(1)).restore(snapshot)


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("history_lengths", lambda a: a * np.int64(1 << 62)),
        ("history_lengths", lambda a: a - 1),
        ("tally_lengths", lambda a: a + 1),
        ("tally", lambda a: a + (1 << 40)),
        ("history", lambda a: -a - 1),
        ("neighbours", lambda a: a + 100),
        ("buckets", lambda a: a - 1),
        ("header", lambda a: a + 1),
    ],
)
def test_a_snapshot_that_contradicts_itself_is_refused(name, damage):
    state = folded(clicks(1, 2, 3))
    snapshot = dict(state.snapshot())
    snapshot[name] = damage(snapshot[name])
    with pytest.raises(CorruptSnapshotError):
        state.restore(snapshot)
    assert state.history(0).item.tolist() == [1, 2, 3]


def test_a_snapshot_is_laid_out_beside_the_state_and_taken_later():
    first, second = folded(clicks(1)), folded(clicks(2))
    before = first.fingerprint()
    laid_out = first.laid_out(second.snapshot())
    assert first.fingerprint() == before != second.fingerprint()
    first.become(laid_out)
    assert first.fingerprint() == second.fingerprint()


def test_after_a_restore_a_users_events_are_known_up_to_the_snapshot():
    events = event_columns([(0, 1, CLICK, 0), (2, 1, CLICK, 1), (2, 2, CLICK, 2)])
    state = folded(clicks(1))
    state.restore(folded(events).snapshot())
    assert [state.user_seq(user) for user in range(3)] == [3, 0, 3]


@pytest.mark.parametrize(
    "setting",
    [
        {"history_length": 0},
        {"window": 33},
        {"neighbours_per_item": 1},
        {"half_lives": ()},
        {"half_lives": (float("nan"),)},
        {"pair_gap_seconds": -1.0},
    ],
)
def test_a_setting_out_of_range_is_named(setting):
    with pytest.raises(InvalidInputError) as caught:
        StateConfig(**setting)
    assert caught.value.field in setting


def test_warming_up_compiles_all_that_a_first_event_and_answer_need():
    warm_up()
    state = folded(clicks(1, 2))
    assert len(state.items.popularity(0, EPOCH)) == 3


@pytest.mark.parametrize("is_restored", [False, True])
def test_a_state_with_room_takes_the_next_events_without_being_copied(is_restored):
    state = folded(event_columns([(place, place, CLICK, place) for place in range(512)]))
    before = state.fingerprint()
    if is_restored:
        state.restore(state.snapshot())
    else:
        state.make_room()
    assert state.fingerprint() == before
    held = state._holder.arrays
    state.apply(event_columns([(512, 512, CLICK, 512), (0, 1, CLICK, 513)], previous_seq=512))
    assert state._holder.arrays is held


def test_a_restored_state_has_the_room_that_would_be_made():
    state = folded(event_columns([(place, place, CLICK, place) for place in range(512)]))
    state.restore(state.snapshot())
    held = state._holder.arrays
    state.make_room()
    assert state._holder.arrays is held


def test_a_snapshot_is_of_one_moment_and_says_which():
    state = folded(clicks(1, 2, 3))
    snapshot = state.snapshot()
    state.apply(event_columns([(1, 5, CLICK, 9)], previous_seq=3))
    assert seq_of_snapshot(snapshot) == 3
    assert len(snapshot["history"]) == 3

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foretaste.events.weights import weigh
from foretaste.features.item_state import no_items
from foretaste.features.popularity import LEVELS, NEVER, SLOTS, UNIT, count_event
from foretaste.features.state import State, StateConfig
from foretaste.testing.event_factories import EPOCH, EVENT_TYPES, event_columns, random_events

CLICK = EVENT_TYPES.index("click")
HOUR, DAY = 3_600, 86_400
SECOND = 1_000_000


def folded(events, **settings_of_state):
    state = State(StateConfig(**settings_of_state), lambda: EVENT_TYPES)
    state.apply(events)
    return state


def counted(times, amounts):
    """Return the buckets of one item after counting `amounts` at `times`, in this order."""
    buckets = np.zeros((1, SLOTS), np.int32)
    newest = NEVER
    for time, amount in zip(times, amounts, strict=True):
        newest = count_event(buckets, 0, newest, time, amount)
    return newest, buckets


def border(newest, level):
    return newest + 1 if level == 0 else (newest // 2**level - 1) * 2**level


def buckets_by_definition(times, amounts):
    newest, buckets = max(times), np.zeros((1, SLOTS), np.int32)
    for time, amount in zip(times, amounts, strict=True):
        inside = max(time, border(newest, LEVELS))
        level = next(level for level in range(LEVELS) if inside >= border(newest, level + 1))
        bucket = inside // 2**level
        buckets[0, bucket % 4 if level == 0 else 2 + 2 * level + bucket % 2] += amount
    return newest, buckets


@given(
    st.lists(
        st.tuples(
            st.one_of(st.integers(0, 40), st.integers(0, 5_000), st.integers(-(2**22), 2**26)),
            st.integers(1, 99),
        ),
        min_size=1,
        max_size=40,
    )
)
@settings(max_examples=400)
def test_buckets_depend_on_the_set_of_events_alone(events):
    times, amounts = zip(*events, strict=True)
    newest, buckets = counted(times, amounts)
    expected_newest, expected = buckets_by_definition(times, amounts)
    assert newest == expected_newest
    assert buckets.tolist() == expected.tolist()


def test_a_full_bucket_stays_full():
    most = 2**31 - 1
    _, buckets = counted([5, 5, 5_000], [most, most, 1])
    assert sorted(buckets[0].tolist())[-2:] == [1, most]


@pytest.mark.parametrize("half_life", [HOUR, DAY, 30 * DAY, math.inf])
@pytest.mark.parametrize("seed", range(3))
def test_popularity_is_the_decayed_sum_of_weights_within_the_width_of_buckets(half_life, seed):
    events = random_events(seed, 400, n_items=6, span_seconds=3 * DAY)
    state = folded(events, half_lives=(half_life,))
    now = int(events.time.max()) + HOUR * SECOND
    weights = np.maximum(weigh(EVENT_TYPES, events.type, events.value, state.config.weights), 0.0)
    halvings = (now - events.time) / SECOND / half_life
    exact = np.bincount(events.item, weights * np.exp2(-halvings), minlength=state.items.n_items)
    assert state.items.popularity(0, now) == pytest.approx(exact, rel=0.25, abs=1e-4)


def test_each_half_life_has_its_own_order():
    events = event_columns([*[(0, 1, CLICK, place) for place in range(10)], (0, 2, CLICK, 40 * HOUR)])
    state = folded(events, half_lives=(HOUR, 30 * DAY))
    now = EPOCH + 41 * HOUR * SECOND
    assert state.items.popularity(0, now).argmax() == 2
    assert state.items.popularity(1, now).argmax() == 1


def test_popularity_halves_every_half_life():
    state = folded(event_columns([(0, 0, CLICK, 0)]), half_lives=(HOUR,))
    values = [state.items.popularity(0, EPOCH + hours * HOUR * SECOND)[0] for hours in range(1, 5)]
    assert [one / later for one, later in pairwise(values)] == pytest.approx([2.0] * 3)


def test_popularity_does_not_depend_on_what_was_asked_before():
    events = random_events(3, 300, n_items=20)
    moments = [int(events.time.max()) + seconds * SECOND for seconds in (0, 7, 1_000, 90_000, 8_000_000)]
    asked = folded(events.take(0, 100))
    for moment in moments[::-1]:
        asked.items.popularity(1, moment)
    asked.apply(events.take(100, 300))
    for moment in moments:
        fresh = folded(events)
        assert asked.items.popularity(1, moment).tobytes() == fresh.items.popularity(1, moment).tobytes()


def test_popularity_after_a_restore_is_that_of_the_snapshot():
    events = random_events(4, 300, n_items=20)
    now = int(events.time.max())
    state = folded(events)
    restored = folded(random_events(5, 500, n_items=30))
    restored.items.popularity(0, now)
    restored.restore(state.snapshot())
    assert restored.items.popularity(0, now).tobytes() == state.items.popularity(0, now).tobytes()


def test_the_order_of_items_outlives_decades_of_silence():
    events = random_events(6, 300, n_items=20)
    state = folded(events)
    soon = state.items.popularity(0, int(events.time.max()))
    decades = state.items.popularity(0, int(events.time.max()) + 30 * 365 * DAY * SECOND)
    assert decades.max() > 0
    assert decades.argmax() == soon.argmax()


def test_a_moment_before_the_latest_event_does_not_inflate_it_beyond_double():
    state = folded(event_columns([(0, 0, CLICK, 100 * DAY)]), half_lives=(HOUR,))
    past = state.items.popularity(0, EPOCH)
    assert np.isfinite(past).all()


def test_one_event_of_the_far_future_does_not_touch_other_items():
    events = random_events(7, 200, n_items=10)
    now = int(events.time.max())
    plain = folded(events).items.popularity(0, now)
    state = folded(events)
    future = event_columns([(0, 11, CLICK, 300 * 365 * DAY)], previous_seq=200)
    state.apply(future)
    assert state.items.popularity(0, now)[:10].tobytes() == plain[:10].tobytes()


def test_interactions_count_positive_events():
    events = random_events(8, 200, n_items=10)
    state = folded(events)
    positive = weigh(EVENT_TYPES, events.type, events.value, state.config.weights) > 0
    assert state.items.interactions.tolist() == np.bincount(events.item[positive], minlength=10).tolist()


def test_the_newest_event_of_an_item_is_known_to_the_minute():
    state = folded(event_columns([(0, 1, CLICK, 90), (0, 1, CLICK, 30)]))
    assert state.items.newest.tolist() == [np.iinfo(np.int64).min, (EPOCH + 90 * SECOND) // UNIT * UNIT]


def test_kernels_see_the_same_neighbours_as_readers():
    check_neighbours(folded(random_events(9, 300, n_items=12)))


def test_kernels_see_the_neighbours_of_now_however_much_more_is_known():
    state = folded(random_events(9, 60, n_items=12))
    rng = np.random.default_rng(9)
    for n_items in (12, 400, 400, 400, 400, 3_000):
        state.items.neighbours  # noqa: B018 - what was seen before is not what is seen now
        rows = [(int(rng.integers(5)), int(rng.integers(n_items)), CLICK, 10**6 + k) for k in range(300)]
        rows.append((0, n_items - 1, CLICK, 10**6 + 300))
        state.apply(event_columns(rows, previous_seq=state.seq))
        check_neighbours(state)


def check_neighbours(state):
    rows = state.items.neighbours
    assert rows.interactions.tolist() == state.items.interactions.tolist()
    for item in range(state.items.n_items):
        row = slice(rows.start[item], rows.start[item] + rows.length[item])
        follow = dict(zip(rows.item[row].tolist(), (rows.follow[row] / 256).tolist(), strict=True))
        together = dict(zip(rows.item[row].tolist(), rows.together[row].tolist(), strict=True))
        others, weight = state.items.followers(item)
        assert {key: value for key, value in follow.items() if value} == dict(
            zip(others.tolist(), weight.tolist(), strict=True)
        )
        assert {key: value for key, value in together.items() if value} == dict(
            zip(*(column.tolist() for column in state.items.together(item)), strict=True)
        )


@pytest.mark.parametrize("item", [-1, 99])
def test_an_unknown_item_has_no_neighbours(item):
    items = folded(random_events(9, 50)).items
    assert len(items.followers(item)[0]) == 0
    assert len(items.together(item)[0]) == 0


def test_no_items_are_an_empty_state():
    items = no_items()
    assert items.n_items == 0
    assert len(items.popularity(0, EPOCH)) == 0
    assert len(items.interactions) == 0
    assert items.seq == 0

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from foretaste.domain.person import NOBODY
from foretaste.features.activity import activity_of
from foretaste.features.person import limits_of, person_of
from foretaste.features.state import State, StateConfig
from foretaste.testing.event_factories import EPOCH, EVENT_TYPES, event_columns, random_events

VIEW, CLICK, PURCHASE, IMPRESSION = (
    EVENT_TYPES.index(t) for t in ("view", "click", "purchase", "impression")
)
SECOND = 1_000_000


def person_after(events, **how):
    state = State(StateConfig(**how), lambda: EVENT_TYPES)
    state.apply(events)
    return person_of(state, 0, limits_of(state.config))


def test_views_clicks_and_purchases_are_counted():
    rows = [(0, item, kind, item) for kind, n in ((VIEW, 3), (CLICK, 2), (PURCHASE, 1)) for item in range(n)]
    activity = activity_of(person_after(event_columns(rows)), EVENT_TYPES, now=EPOCH, window_seconds=60.0)
    assert (activity.views, activity.clicks, activity.purchases) == (3, 2, 1)


def test_recent_items_are_those_of_the_window_the_latest_first_each_once():
    rows = [(0, 1, VIEW, 0), (0, 2, VIEW, 50), (0, 3, CLICK, 60), (0, 2, CLICK, 70), (0, 4, IMPRESSION, 80)]
    activity = activity_of(
        person_after(event_columns(rows)), EVENT_TYPES, now=EPOCH + 100 * SECOND, window_seconds=60.0
    )
    assert activity.recent == ((2, EPOCH + 70 * SECOND), (3, EPOCH + 60 * SECOND))


def test_of_nobody_nothing_is_known():
    activity = activity_of(NOBODY, EVENT_TYPES, now=EPOCH, window_seconds=60.0)
    assert (activity.counts, activity.recent, activity.views) == ({}, (), 0)


@given(st.integers(0, 5_000), st.integers(1, 80))
@settings(max_examples=60)
def test_counts_are_of_all_time_however_short_the_history(seed, n_events):
    events = random_events(seed, n_events, n_users=1, in_order=False)
    activity = activity_of(person_after(events, history_length=2), EVENT_TYPES, now=EPOCH, window_seconds=1e9)
    assert activity.counts == Counter(EVENT_TYPES[kind] for kind in events.type)
    assert len(activity.recent) <= 2

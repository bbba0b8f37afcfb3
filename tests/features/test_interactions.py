from foretaste.domain.event import no_events
from foretaste.events.weights import EventWeights
from foretaste.features.interactions import interactions_of
from foretaste.testing.event_factories import EPOCH, EVENT_TYPES, event_columns

CLICK, DISLIKE, IMPRESSION = (EVENT_TYPES.index(t) for t in ("click", "dislike", "impression"))


def test_only_positive_events_are_interactions_in_the_order_of_time():
    events = event_columns(
        [(0, 1, CLICK, 30), (1, 2, DISLIKE, 0), (2, 3, IMPRESSION, 0), (3, 4, CLICK, 10), (4, 5, CLICK, 10)]
    )
    interactions = interactions_of(events, EVENT_TYPES, EventWeights())
    assert interactions.user.tolist() == [3, 4, 0]
    assert interactions.item.tolist() == [4, 5, 1]
    assert interactions.weight.tolist() == [0.5, 0.5, 0.5]
    assert interactions.timed


def test_ordinals_are_counted_over_all_events_unless_told():
    events = event_columns([(7, 9, IMPRESSION, 0)])
    interactions = interactions_of(events, EVENT_TYPES, EventWeights())
    assert (interactions.n_users, interactions.n_items) == (8, 10)
    told = interactions_of(events, EVENT_TYPES, EventWeights(), n_users=100, n_items=200)
    assert (told.n_users, told.n_items) == (100, 200)


def test_events_without_time_are_not_timed():
    events = event_columns([(0, 0, CLICK, -EPOCH // 1_000_000)])
    assert not interactions_of(events, EVENT_TYPES, EventWeights()).timed


def test_no_events_are_no_interactions():
    interactions = interactions_of(no_events(), EVENT_TYPES, EventWeights())
    assert (len(interactions), interactions.n_users, interactions.n_items) == (0, 0, 0)

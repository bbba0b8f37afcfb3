"""How good answers turned out to be: slates beside what people did then."""

import numpy as np

from foretaste.domain.event import EventColumns
from foretaste.domain.slate import Exposure, Versions
from foretaste.training.online_quality import online_quality

MINUTE = 60_000_000
HOUR = 60 * MINUTE
NOW = 1_000 * HOUR
USERS = {"ann": 0, "bob": 1}


def shown(user, items, *, ago, source="personalized", artifact="v1", scenario="home"):
    versions = Versions(
        state_seq=0, item_state_seq=0, catalog_version=0, artifact=artifact, blend="b", scenario=scenario
    )
    return Exposure(
        recommendation_id=f"{user}{ago}",
        user_id=user,
        scenario=scenario,
        source=source,
        time=NOW - ago,
        items=tuple(items),
        scores=(0.0,) * len(items),
        propensities=(1.0,) * len(items),
        versions=versions,
    )


def did(*events):
    """Events of (user, item, how long ago)."""
    n = len(events)
    user, item, ago = np.array(events, np.int64).reshape(n, 3).T
    return EventColumns(
        previous_seq=0,
        seq=np.arange(1, n + 1),
        user=user.astype(np.int32),
        item=item.astype(np.int32),
        type=np.zeros(n, np.int16),
        time=NOW - ago,
        key=np.arange(n),
        value=np.full(n, np.nan, np.float32),
    )


def quality(exposures, events, liking=None, buying=None, hours=(24.0,)):
    likes = np.ones(len(events), np.bool_) if liking is None else np.array(liking)
    buys = np.zeros(len(events), np.bool_) if buying is None else np.array(buying)
    return online_quality(exposures, USERS, events, likes, buys, now=NOW, hours=hours)


def test_a_slate_that_something_was_taken_from_counts_as_clicked():
    slates = [shown("ann", [1, 2], ago=3 * HOUR), shown("bob", [1, 2], ago=3 * HOUR)]
    (day,) = quality(slates, did((0, 2, 2 * HOUR), (1, 7, 2 * HOUR)))
    assert (day.overall.slates, day.overall.clicked, day.overall.click_through) == (2, 1, 0.5)


def test_a_slate_that_something_was_bought_from_counts_as_converted():
    slates = [shown("ann", [1, 2], ago=3 * HOUR), shown("bob", [1, 2], ago=3 * HOUR)]
    events = did((0, 2, 2 * HOUR), (1, 1, 2 * HOUR), (1, 7, HOUR))
    (day,) = quality(slates, events, buying=[True, False, True])
    assert (day.overall.clicked, day.overall.bought, day.overall.conversion) == (2, 1, 0.5)


def test_the_next_event_is_a_hit_if_its_item_stood_in_the_latest_slate():
    slates = [shown("ann", [1], ago=50 * MINUTE), shown("ann", [2], ago=40 * MINUTE)]
    (day,) = quality(slates, did((0, 1, 45 * MINUTE), (0, 2, 30 * MINUTE), (0, 1, 20 * MINUTE)))
    assert (day.overall.next_events, day.overall.hits) == (3, 2)
    assert day.overall.hit_rate == 0.666667


def test_what_comes_later_than_an_hour_was_not_to_be_foretold():
    (day,) = quality([shown("ann", [1], ago=3 * HOUR)], did((0, 1, HOUR)))
    assert (day.overall.next_events, day.overall.hit_rate) == (0, None)
    assert day.overall.click_through == 1.0


def test_only_signs_of_liking_count():
    (day,) = quality([shown("ann", [1], ago=MINUTE)], did((0, 1, 0)), liking=[False])
    assert (day.overall.clicked, day.overall.next_events) == (0, 0)


def test_qualities_are_told_by_source_model_and_scenario():
    slates = [
        shown("ann", [1], ago=2 * MINUTE),
        shown("bob", [5], ago=2 * MINUTE, source="trending", artifact="v2", scenario="discover"),
    ]
    (day,) = quality(slates, did((0, 1, MINUTE), (1, 4, MINUTE)))
    assert {name: each.hit_rate for name, each in day.by_source.items()} == {"personalized": 1, "trending": 0}
    assert {name: each.click_through for name, each in day.by_model.items()} == {"v1": 1, "v2": 0}
    assert {name: each.slates for name, each in day.by_scenario.items()} == {"home": 1, "discover": 1}


def test_a_window_holds_the_slates_of_its_hours():
    slates = [shown("ann", [1], ago=30 * MINUTE), shown("ann", [1], ago=5 * HOUR)]
    hour, day = quality(slates, did(), hours=(1.0, 24.0))
    assert (hour.overall.slates, day.overall.slates) == (1, 2)
    assert day.overall.people == 1


def test_strangers_and_similar_items_are_not_counted():
    slates = [shown("eve", [1], ago=MINUTE), shown("ann", [1], ago=MINUTE, scenario="similar")]
    (day,) = quality(slates, did((0, 1, 0)))
    assert (day.overall.slates, day.overall.next_events) == (0, 0)
    assert (day.overall.click_through, day.by_source) == (None, {})

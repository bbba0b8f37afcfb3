"""What a profile tells of preferences: topics, sources and times of what a person liked."""

import pytest

import foretaste as ft
from foretaste.app.wiring import home_in_memory

CATALOG = [
    {"item_id": "vote", "categories": ["politics", "europe"]},
    {"item_id": "law", "categories": ["politics"]},
    {"item_id": "match", "categories": ["sport"]},
]


def did(item_id, type, timestamp, source=None):  # noqa: A002 - the field is called so everywhere
    context = {} if source is None else {"source": source}
    return {
        "user_id": "ann",
        "item_id": item_id,
        "type": type,
        "timestamp": timestamp,
        "context": context,
        "event_id": f"{item_id}-{timestamp}",
    }


@pytest.fixture
def rec():
    with ft.Recommender(home_in_memory()) as empty:
        empty.put_items(CATALOG)
        yield empty


def told(found):
    return [(each.name, each.count, each.percentage) for each in found]


def test_topics_sources_and_times_are_counted(rec):
    rec.record_many(
        [
            did("vote", "click", "2024-06-03T08:10:00Z", "newsletter"),
            did("law", "click", "2024-06-03T08:20:00Z", "search"),
            did("match", "click", "2024-06-08T20:00:00Z", "newsletter"),
            did("law", "click", "2024-06-10T07:59:00Z"),
        ]
    )
    profile = rec.profile("ann")
    found = profile.preferences
    assert found.events == 4
    assert told(found.topics) == [("politics", 3, 75.0), ("europe", 1, 25.0), ("sport", 1, 25.0)]
    assert told(found.sources) == [("newsletter", 2, 50.0), ("search", 1, 25.0)]
    assert told(found.hours) == [("06:00-09:00", 3, 75.0), ("18:00-21:00", 1, 25.0)]
    assert told(found.weekdays) == [("Monday", 3, 75.0), ("Saturday", 1, 25.0)]
    assert found.topics[0].last_at == profile.last_activity_at == "2024-06-10T07:59:00Z"


def test_what_was_only_shown_or_disliked_is_no_preference(rec):
    rec.record_many(
        [
            did("match", "impression", "2024-06-03T08:00:00Z", "search"),
            did("match", "dislike", "2024-06-03T09:00:00Z", "search"),
            did("law", "click", "2024-06-03T10:00:00Z"),
        ]
    )
    found = rec.profile("ann").preferences
    assert found.events == 1
    assert told(found.topics) == [("politics", 1, 100.0)]
    assert found.sources == ()


def test_of_topics_and_sources_the_most_frequent_are_told(rec):
    rec.put_items([{"item_id": f"i{number}", "categories": [f"c{number}"]} for number in range(20)])
    rec.record_many(
        [did(f"i{number}", "click", f"2024-06-03T10:{number:02}:00Z", f"s{number}") for number in range(20)]
    )
    found = rec.profile("ann", top_categories=3).preferences
    assert found.events == 20
    assert [each.name for each in found.topics] == ["c0", "c1", "c10"]
    assert len(found.sources) == 3

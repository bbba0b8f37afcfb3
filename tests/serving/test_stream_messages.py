"""From messages to events and dead letters."""

import gc
import json
from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foretaste.ports.event_stream import ReceivedMessage, StreamBatch
from foretaste.serving.ingest import KEPT_OF_LARGE, MOST_DEAD_PARTS, ingested

NOW = 1_700_000_000_000_000
ARRIVED = NOW - 5_000_000


def batch_of(*values, time=ARRIVED, key=b"k", headers=()):
    messages = tuple(
        ReceivedMessage(partition=2, offset=10 + place, time=time, value=value, key=key, headers=headers)
        for place, value in enumerate(values)
    )
    return StreamBatch(stream="stream", messages=messages)


def click(**more):
    return {"user_id": "ann", "item_id": "x", "type": "click", **more}


def read(*values, **more):
    given = [value if isinstance(value, bytes) else json.dumps(value).encode() for value in values]
    return whole(batch_of(*given, **more))


def whole(batch):
    ((_, found),) = ingested(batch, now=NOW)
    return found


def reason(letter):
    return dict(letter.headers)["foretaste-reason"].decode()


def test_one_event_a_list_and_a_batch_by_name_are_all_taken():
    found = read(click(), [click(), click()], {"events": [click()]})
    assert len(found.events) == 4
    assert found.dead == ()


def test_a_batch_of_many_events_comes_in_portions_that_each_say_how_far_they_go():
    values = [json.dumps([click()] * events).encode() for events in (4, 5, 2, 20, 1)]
    batch = replace(batch_of(*values, b"poison"), reached={"stream/2": 16, "stream/3": 7}, lost=3)
    found = list(ingested(batch, now=NOW, most=10))
    assert [(len(part.messages), len(read.events), len(read.dead)) for part, read in found] == [
        (2, 9, 0),
        (1, 2, 0),
        (1, 20, 0),
        (2, 1, 1),
    ]
    assert [part.reached for part, _ in found] == [
        {"stream/2": 12},
        {"stream/2": 13},
        {"stream/2": 14},
        {"stream/2": 16, "stream/3": 7},
    ]
    assert [part.lost for part, _ in found] == [0, 0, 0, 3]


def test_the_names_that_other_systems_use_are_understood():
    found = read({"user_id": 7, "item_id": 8, "event_type": "Product Viewed", "rating": 3})
    assert [(each.user_id, each.item_id, each.type, each.value) for each in found.events] == [
        ("7", "8", "view", 3.0)
    ]


def test_what_is_no_event_leaves_nothing_to_the_garbage_collector():
    gc.collect()
    gc.disable()
    try:
        assert len(read([click(), {}]).dead) == 1
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_an_event_that_says_nothing_of_itself_is_named_by_where_it_stands():
    again = [read([click(), click()], click()).events for _ in range(2)]
    assert again[0] == again[1]
    assert len({event.event_id for event in again[0]}) == 3


def test_an_event_s_own_id_and_time_stay():
    event = read(click(event_id="e1", timestamp=NOW - 60_000_000)).events[0]
    assert (event.event_id, event.timestamp) == ("e1", NOW - 60_000_000)


def test_the_same_event_sent_twice_with_its_time_is_the_same_event():
    one, other = read(click(timestamp=NOW), click(timestamp=NOW)).events
    assert one == other


@pytest.mark.parametrize(
    ("stamped", "expected"),
    [(ARRIVED, ARRIVED), (0, NOW), (NOW + 10**12, NOW)],
    ids=["then", "never", "ahead"],
)
def test_an_event_without_a_time_happened_when_the_stream_took_it(stamped, expected):
    assert read(click(), time=stamped).events[0].timestamp == expected


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (b"", "empty"),
        (b"\xff\xfe", "JSON"),
        (b"{", "JSON"),
        (b"17", "object"),
        (b"[" * 800_000, "nested"),
        (b'{"item_id": "x", "type": "click"}', "user_id"),
        (b'{"user_id": "ann", "item_id": "x"}', "type"),
    ],
)
def test_what_cannot_be_an_event_is_a_dead_letter_that_says_why(value, words):
    found = read(value, headers=(("trace", b"1"),))
    assert found.events == []
    (letter,) = found.dead
    assert words in reason(letter)
    assert (letter.value, letter.key) == (value, b"k")
    told = dict(letter.headers)
    assert told["trace"] == b"1"
    assert (told["foretaste-stream"], told["foretaste-partition"], told["foretaste-offset"]) == (
        b"stream",
        b"2",
        b"10",
    )


def test_the_good_events_of_a_message_are_taken_and_the_bad_ones_are_letters_of_their_own():
    found = read([click(), click(user_id=""), click(), {}])
    assert len(found.events) == 2
    assert [json.loads(letter.value) for letter in found.dead] == [click(user_id=""), {}]


def test_a_message_with_very_many_bad_events_is_one_dead_letter():
    value = json.dumps([{}] * (MOST_DEAD_PARTS + 1) + [click()]).encode()
    found = read(value)
    assert len(found.events) == 1
    assert [letter.value for letter in found.dead] == [value]


def test_a_message_that_is_too_large_is_cut():
    value = json.dumps(click(note="x" * (1 << 20))).encode()
    (letter,) = read(value).dead
    assert letter.value == value[:KEPT_OF_LARGE]
    assert dict(letter.headers)["foretaste-bytes"] == str(len(value)).encode()
    assert "bytes" in reason(letter)


def test_events_that_share_the_write_of_one_person_are_counted():
    found = read(click(), click(), click(user_id="bob"), click())
    assert found.debounced == 2


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(list(click())), inner),
)


@given(values=st.lists(st.binary() | JSON.map(lambda value: json.dumps(value).encode()), max_size=5))
def test_every_message_becomes_events_or_dead_letters(values):
    found = whole(batch_of(*values))
    offsets = {int(dict(letter.headers)["foretaste-offset"]) for letter in found.dead}
    assert len(found.events) + len(found.dead) >= len(values)
    assert len(offsets) + len(found.events) >= len(values)
    assert whole(batch_of(*values)) == found
    assert all(msgspec.json.encode(event) for event in found.events)

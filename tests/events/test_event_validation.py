"""What is accepted as an event, what it becomes, and how what is refused is explained."""

import json
import math
from datetime import UTC, date, datetime, timedelta, timezone

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foretaste.domain.errors import InvalidEventError
from foretaste.events.validation import EventLimits, parse_event

SECOND = 1_000_000
NOW = 1_709_296_200 * SECOND  # 2024-03-01T12:30:00Z
PLAIN = {"user_id": "u", "item_id": "i", "type": "click"}


def parse(**changes):
    raw = {name: value for name, value in {**PLAIN, **changes}.items() if value is not ...}
    return parse_event(raw, now=NOW)


def refused(raw):
    with pytest.raises(InvalidEventError) as error:
        parse_event(raw, now=NOW)
    return error.value


def test_a_full_event_is_taken_as_it_is():
    checked = parse(
        event_id="e",
        timestamp="2024-03-01T12:00:00Z",
        value=2.5,
        session_id="s",
        recommendation_id="r",
        context={"device": "phone"},
    )
    event = checked.event
    assert (event.event_id, event.user_id, event.item_id, event.type) == ("e", "u", "i", "click")
    assert event.timestamp == NOW - 1800 * SECOND
    assert (event.value, event.session_id, event.recommendation_id) == (2.5, "s", "r")
    assert event.context == {"device": "phone"}
    assert (checked.ahead, checked.known, checked.minted) == (0, True, False)


def test_json_text_and_mappings_mean_the_same():
    raw = {**PLAIN, "timestamp": 1_700_000_000, "rating": 4}
    text = json.dumps(raw)
    events = [parse_event(form, now=NOW) for form in (raw, text, text.encode(), msgspec.Raw(text.encode()))]
    assert events == [events[0]] * 4


@pytest.mark.parametrize("name", ["type", "event_type", "interaction_type"])
def test_the_type_is_found_under_each_of_its_names(name):
    event = parse_event({"user_id": "u", "item_id": "i", name: "Product Viewed"}, now=NOW).event
    assert event.type == "view"


def test_an_unknown_type_is_accepted_and_reported_as_unknown():
    checked = parse(type="Zoomed In")
    assert (checked.event.type, checked.known) == ("zoomed_in", False)


def test_a_rating_is_a_value_and_makes_the_event_a_rating():
    event = parse(type=..., rating=4).event
    assert (event.type, event.value) == ("rating", 4.0)


def test_integers_are_ids_too():
    event = parse(user_id=196, item_id=np.int64(242), event_id=7, session_id=1).event
    assert (event.user_id, event.item_id, event.event_id, event.session_id) == ("196", "242", "7", "1")


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=64))
def test_any_unicode_is_an_id_and_stays_as_it_is(text):
    assert parse(user_id=text).event.user_id == text
    assert parse_event(json.dumps({**PLAIN, "item_id": text}), now=NOW).event.item_id == text


@pytest.mark.parametrize("field", ["user_id", "item_id", "event_id", "session_id", "recommendation_id"])
@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("x" * 257, "257 bytes"),
        ("é" * 129, "258 bytes"),
        ("x" * 2**20, "at most 256"),
        ("a\0b", "NUL"),
        ("a\ud800", "surrogate"),
        ([], "expected"),
        ({"a": 1}, "expected"),
        (1.5, "expected"),
        (True, "expected"),
    ],
    ids=["long", "long-in-bytes", "megabyte", "nul", "surrogate", "list", "object", "float", "bool"],
)
def test_a_bad_id_is_refused_by_name(field, value, reason):
    error = refused({**PLAIN, field: value})
    assert error.field == field
    assert field in error.message
    assert reason in error.message


@pytest.mark.parametrize("field", ["user_id", "item_id", "type"])
def test_a_missing_field_is_named(field):
    raw = {name: value for name, value in PLAIN.items() if name != field}
    for without in (raw, {**raw, field: None}, {**raw, field: ""}):
        assert refused(without).field == field


def test_an_id_of_256_bytes_is_allowed():
    assert parse(user_id="é" * 128).event.user_id == "é" * 128


def test_an_integer_with_too_many_digits_is_no_id():
    assert refused({**PLAIN, "user_id": 10**5000}).field == "user_id"
    assert isinstance(
        refused('{"item_id": "i", "type": "view", "user_id": ' + "9" * 5000 + "}"), InvalidEventError
    )


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e39, 10**5000], ids=lambda _: "")
def test_a_value_must_be_finite(value):
    assert refused({**PLAIN, "value": value}).field == "value"


@pytest.mark.parametrize("text", ['{"value": NaN}', '{"value": 1e999}', '{"value": Infinity}'])
def test_a_value_must_be_finite_in_json_too(text):
    assert isinstance(refused(text), InvalidEventError)


def test_names_of_one_field_that_contradict_each_other_are_refused():
    assert refused({**PLAIN, "event_type": "view"}).field == "type"
    assert refused({**PLAIN, "value": 1, "rating": 2}).field == "value"
    assert parse(event_type="clicked", value=3, rating=3).event.value == 3.0


@pytest.mark.parametrize("text", ["", "{", "nonsense", '{"user_id": "a",}', b"\xff\xfe"])
def test_what_is_not_json_is_said_to_be_none(text):
    assert "JSON" in refused(text).message


@pytest.mark.parametrize("raw", ["[]", "3", '"text"', "null", [], 3, None])
def test_what_is_no_object_is_refused(raw):
    assert "object" in refused(raw).message.lower()


def nested_in(field):
    event = '{"user_id": "u", "item_id": "i", "type": "click", '
    return event + f'"{field}": ' + '{"a":' * 1_000_000 + "1" + "}" * 1_000_001


@pytest.mark.parametrize("field", ["context", "whatever"])
def test_deep_nesting_is_refused_and_not_fatal(field):
    assert isinstance(refused(nested_in(field)), InvalidEventError)


def test_of_equal_keys_the_last_one_counts():
    text = '{"user_id": "first", "item_id": "i", "type": "view", "user_id": "last"}'
    assert parse_event(text, now=NOW).event.user_id == "last"


def test_fields_that_are_not_ours_are_ignored():
    assert parse(event_id="e", price=9, properties={"a": [1]}).event == parse(event_id="e").event


@pytest.mark.parametrize(
    ("written", "micros"),
    [
        ("2024-03-01T12:00:00Z", 1_709_294_400_000_000),
        ("2024-03-01T13:00:00+01:00", 1_709_294_400_000_000),
        ("2024-03-01 12:00:00", 1_709_294_400_000_000),
        ("2024-03-01T12:00:00.123456Z", 1_709_294_400_123_456),
        ("2024-03-01", 1_709_251_200_000_000),
        ("20240301", 1_709_251_200_000_000),
        (1_709_294_400, 1_709_294_400_000_000),
        (1_709_294_400.25, 1_709_294_400_250_000),
        ("1709294400", 1_709_294_400_000_000),
        ("1709294400.5", 1_709_294_400_500_000),
        (1_709_294_400_123, 1_709_294_400_123_000),
        (1_709_294_400_123_456, 1_709_294_400_123_456),
        (1_709_294_400_123_456_789, 1_709_294_400_123_456),
        (0, 0),
        (0.5, 500_000),
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01", 0),
        (datetime(2024, 3, 1, 12, tzinfo=UTC), 1_709_294_400_000_000),
        (datetime(2024, 3, 1, 12, tzinfo=timezone(timedelta(hours=1))), 1_709_290_800_000_000),
        (date(2024, 3, 1), 1_709_251_200_000_000),
        (np.int64(1_709_294_400), 1_709_294_400_000_000),
        (np.datetime64("2024-03-01T12:00:00", "us"), 1_709_294_400_000_000),
        (np.datetime64("2024-03-01T12:00:00", "ns"), 1_709_294_400_000_000),
        (np.datetime64("2024-03-01", "D"), 1_709_251_200_000_000),
    ],
)
def test_moments_are_understood(written, micros):
    assert parse(timestamp=written).event.timestamp == micros


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("yesterday", "not a moment"),
        ("", "not a moment"),
        ("2024-13-01", "not a moment"),
        ("2024-03-01T25:00:00", "not a moment"),
        ("9" * 1000, "too long"),
        (-1, "before 1970"),
        ("1969-12-31T23:59:59Z", "before 1970"),
        ("0001-01-01T00:00:00+23:59", "1970"),
        (10**21, "too large"),
        (10**5000, "too large"),
        (math.nan, "finite"),
        (math.inf, "finite"),
    ],
    ids=lambda value: str(value)[:30] if not isinstance(value, int) else "",
)
def test_a_moment_that_is_none_is_refused_with_the_reason(written, reason):
    error = refused({**PLAIN, "timestamp": written})
    assert error.field == "timestamp"
    assert reason in error.message


@pytest.mark.parametrize(
    "written", ["2286-11-20T17:46:40Z", 10_000_000_000, 10_000_000_000_000, 99_999_999_999]
)
def test_the_year_2286_is_refused_as_future(written):
    error = refused({**PLAIN, "timestamp": written})
    assert error.field == "timestamp"
    assert "lies in the future" in error.message
    assert "600 s ahead are allowed" in error.message


def test_a_clock_that_is_a_little_ahead_gets_the_server_s_time_and_is_reported():
    checked = parse(timestamp=NOW + 600 * SECOND)
    assert (checked.event.timestamp, checked.ahead) == (NOW, 600 * SECOND)
    assert refused({**PLAIN, "timestamp": NOW + 601 * SECOND}).field == "timestamp"


def test_how_far_ahead_a_clock_may_be_is_a_setting():
    strict = EventLimits(clock_skew_seconds=0)
    with pytest.raises(InvalidEventError, match="0 s ahead"):
        parse_event({**PLAIN, "timestamp": NOW + SECOND}, now=NOW, limits=strict)


def test_an_event_without_a_moment_happened_now():
    assert parse().event.timestamp == NOW


def test_context_is_text_under_names():
    context = parse(
        context={"a": "x", "n": 3, "f": 0.5, "yes": True, "nothing": None, "ü": "🦊"}
    ).event.context
    assert context == {"a": "x", "n": "3", "f": "0.5", "yes": "true", "ü": "🦊"}


@pytest.mark.parametrize(
    "context",
    [
        {"a": []},
        {"a": {"b": 1}},
        [],
        "text",
        {f"k{n}": 1 for n in range(33)},
        {"a": "x" * 257},
        {"x" * 257: "a"},
    ],
    ids=["list", "object", "no-object", "text", "many", "long-value", "long-name"],
)
def test_context_that_is_more_than_that_is_refused(context):
    error = refused({**PLAIN, "context": context})
    assert "context" in str(error.field)


def test_a_retry_of_the_same_content_with_a_timestamp_is_the_same_event():
    first, again = parse(timestamp=NOW - 5, value=1), parse(timestamp=NOW - 5, value=1)
    assert first.event.event_id == again.event.event_id
    assert not first.minted


def test_a_retry_is_recognized_when_the_client_s_clock_is_ahead():
    raw = {**PLAIN, "timestamp": NOW + 60 * SECOND}
    later = parse_event(raw, now=NOW + 10 * SECOND).event
    assert parse_event(raw, now=NOW).event.event_id == later.event_id


def test_two_clicks_without_timestamp_and_id_are_two_events():
    first, second = parse(), parse()
    assert first.event.event_id != second.event.event_id
    assert first.minted
    assert second.minted


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_whatever_is_sent_is_an_event_or_refused(raw):
    with pytest.raises(InvalidEventError):
        parse_event(raw, now=NOW)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=6,
)
FIELDS = ["user_id", "item_id", "type", "timestamp", "value", "context", "event_id", "session_id", "rating"]


@given(st.dictionaries(st.sampled_from(FIELDS), anything))
def test_whatever_its_fields_hold_an_event_is_storable_or_refused(raw):
    try:
        event = parse_event({**PLAIN, **raw}, now=NOW).event
    except InvalidEventError:
        return
    assert 0 <= event.timestamp <= NOW
    assert event.value is None or math.isfinite(event.value)
    assert msgspec.json.decode(msgspec.json.encode(event), type=type(event)) == event

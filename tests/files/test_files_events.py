"""Events from files: what is read, what is recognized, what is set aside."""

import json
import time
from itertools import chain
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foretaste.adapters.files.event_chunks import EventOptions, event_chunks
from foretaste.adapters.files.reading import read_events
from foretaste.adapters.files.sources import open_rows
from foretaste.domain.clock import MICROS_PER_DAY
from foretaste.domain.errors import InvalidInputError
from foretaste.events.validation import parse_event


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_a_shop_csv_with_purchased_gives_purchases_and_counts_the_zeros(tmp_path):
    events = read_events(
        write(tmp_path, "shop.csv", "user_id,item_id,purchased\n1,101,1\n1,102,0\n2,101,1\n")
    )
    assert [(event.user_id, event.item_id, event.type) for event in events] == [
        ("1", "101", "purchase"),
        ("2", "101", "purchase"),
    ]
    assert events.skipped == 1
    assert events.rejected == ()


def test_bom_crlf_quotes_and_unicode_are_read_as_meant(tmp_path):
    text = '\ufeffuser_id,item_id,timestamp\r\n"a, b","say ""hi""",2024-01-01\r\nçé 🎈,x/y,2024-01-02\r\n'
    events = read_events(write(tmp_path, "odd.csv", text))
    assert [(event.user_id, event.item_id) for event in events] == [("a, b", 'say "hi"'), ("çé 🎈", "x/y")]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_recognized_from_the_header(tmp_path, delimiter):
    lines = ["user_id,item_id,timestamp", "1,2,3"]
    path = write(tmp_path, "some.csv", "\n".join(line.replace(",", delimiter) for line in lines))
    assert next(iter(read_events(path))).item_id == "2"


def test_a_missing_column_names_those_there_are_and_the_option(tmp_path):
    path = write(tmp_path, "shop.csv", "customer,sku\n1,2\n")
    with pytest.raises(InvalidInputError, match=r"'user_id'; it has: customer, sku.*--column user_id=NAME"):
        read_events(path)


def test_a_mapping_says_which_column_is_which(tmp_path):
    path = write(tmp_path, "shop.csv", "who,sku,user_id\nann,2,wrong\n")
    event = next(iter(read_events(path, columns={"user_id": "who", "item_id": "sku"})))
    assert (event.user_id, event.item_id) == ("ann", "2")


@pytest.mark.parametrize(
    ("columns", "message"),
    [({"user_id": "absent"}, "no column 'absent'"), ({"colour": "sku"}, "no field 'colour'")],
)
def test_a_mapping_that_cannot_be_is_refused(tmp_path, columns, message):
    path = write(tmp_path, "shop.csv", "user_id,sku\n1,2\n")
    with pytest.raises(InvalidInputError, match=message):
        read_events(path, columns={"item_id": "sku", **columns})


def test_bad_rows_are_set_aside_with_line_and_reason(tmp_path):
    lines = [
        "user_id,item_id,timestamp,rating",
        "1,10,2024-01-01,5",
        ",10,2024-01-01,5",
        "1,,2024-01-01,5",
        "1,10,yesterday,5",
        "1,10,2024-01-01,nan",
        "1,10,2024-01-01,inf",
        "1,10,2024-01-01,many",
        "1,10",
        f"{'x' * 257},10,2024-01-01,5",
        "2,11,2024-01-01,",
    ]
    events = read_events(write(tmp_path, "log.csv", "\n".join(lines)))
    assert [event.user_id for event in events] == ["1", "2"]
    reasons = {reject.line: reject.reason for reject in events.rejected}
    assert sorted(reasons) == [3, 4, 5, 6, 7, 8, 9, 10]
    assert reasons[3] == "user_id is missing"
    assert reasons[4] == "item_id is missing"
    assert reasons[5].startswith("timestamp 'yesterday'")
    assert reasons[6] == "value 'nan' is not a finite number"
    assert reasons[9] == "2 fields where the header has 4"
    assert reasons[10] == "user_id is longer than 256 bytes in UTF-8"


def test_a_line_number_counts_lines_also_after_a_quoted_line_break(tmp_path):
    path = write(tmp_path, "log.csv", 'user_id,item_id\n"a\nb",1\n,2\n')
    assert [reject.line for reject in read_events(path).rejected] == [4]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig"])
def test_a_byte_order_mark_says_the_encoding(tmp_path, encoding):
    path = tmp_path / "events.csv"
    mark = "" if encoding in {"utf-16", "utf-32", "utf-8-sig"} else "\ufeff"
    path.write_bytes((mark + "user_id;item_id\nJosé;a\n").encode(encoding))
    for asked in ({}, {"encoding": "utf-8"}, {"encoding": encoding}):
        read = read_events(path, **asked)
        assert [(event.user_id, event.item_id) for event in read] == [("José", "a")]


def test_utf_16_without_a_mark_says_which_encoding_to_try(tmp_path):
    path = tmp_path / "events.csv"
    path.write_bytes("user_id;item_id\nJosé;a\n".encode("utf-16-le"))
    with pytest.raises(InvalidInputError, match="--encoding utf-16-le"):
        read_events(path)


def test_bytes_that_are_not_of_the_encoding_are_set_aside_not_changed(tmp_path):
    path = write(tmp_path, "log.csv", "user_id,item_id\nJosé,1\nann,1\n".encode("latin-1"))
    events = read_events(path)
    assert [event.user_id for event in events] == ["ann"]
    assert "--encoding" in events.rejected[0].reason
    assert next(iter(read_events(path, encoding="latin-1"))).user_id == "José"


def test_json_lines_are_read_and_broken_ones_set_aside(tmp_path):
    rows = ['{"user_id": 1, "item_id": "a", "event_type": "view", "ts": 1700000000}', "{oops", "[1]", "", "7"]
    events = read_events(write(tmp_path, "log.jsonl", "\n".join(rows)))
    assert [(event.user_id, event.type, event.timestamp) for event in events] == [
        ("1", "view", 1_700_000_000_000_000)
    ]
    assert [reject.line for reject in events.rejected] == [2, 3, 5]


def test_json_nested_deeply_is_a_rejected_row_not_a_crash(tmp_path):
    deep = '{"user_id": ' + "[" * 100_000 + "]" * 100_000 + "}"
    path = write(tmp_path, "log.jsonl", '{"user_id": "u", "item_id": "a"}\n' + deep + "\n")
    events = read_events(path)
    assert len(events) == 1
    assert [reject.line for reject in events.rejected] == [2]


def test_a_field_that_only_late_json_lines_have_is_read(tmp_path):
    clicks = ['{"user_id": "u", "item_id": "i", "type": "click"}'] * 500
    rating = '{"user_id": "u", "item_id": "i", "type": "rating", "value": 4}'
    *_, last = read_events(write(tmp_path, "log.jsonl", "\n".join([*clicks, rating])))
    assert (last.type, last.value) == ("rating", 4.0)


def test_one_json_array_is_read_too(tmp_path):
    path = write(tmp_path, "log.json", json.dumps([{"user": "u", "item": "a"}, {"user": "u", "item": "b"}]))
    assert [event.item_id for event in read_events(path)] == ["a", "b"]


def test_parquet_ids_saved_as_floats_lose_their_decimals(tmp_path):
    path = tmp_path / "log.parquet"
    pl.DataFrame({"user_id": [17850.0, None, float("nan")], "item_id": [1, 2, 3]}).write_parquet(path)
    events = read_events(path)
    assert [event.user_id for event in events] == ["17850"]
    assert [reject.line for reject in events.rejected] == [2, 3]


@pytest.mark.parametrize(
    ("written", "micros"),
    [
        ("0", 0),
        ("881250949", 881250949_000_000),
        ("881250949.5", 881250949_500_000),
        ("1700000000123", 1_700_000_000_123_000),
        ("1700000000123456", 1_700_000_000_123_456),
        ("1700000000123456789", 1_700_000_000_123_456),
        ("1970-01-01", 0),
        ("2024-01-01T00:00:00Z", 1_704_067_200_000_000),
        ("2024-01-01T02:00:00.25+02:00", 1_704_067_200_250_000),
        ("2024-01-01 00:00", 1_704_067_200_000_000),
        ("2024-01-01T02:00+02:00", 1_704_067_200_000_000),
        ("2024-01-01T00:00Z", 1_704_067_200_000_000),
        ("2024-01-01 00:00:00 UTC", 1_704_067_200_000_000),
        ("2024-01-01 00:00:00,25", 1_704_067_200_250_000),
        ("20240101T000000Z", 1_704_067_200_000_000),
        ("20240101", 1_704_067_200_000_000),
        (" 2024-01-01 ", 1_704_067_200_000_000),
        (" 1704067200 ", 1_704_067_200_000_000),
        ("1704067200123.25", 1_704_067_200_123_250),
        (1_704_067_200_123.25, 1_704_067_200_123_250),
        (1_704_067_200_123_456.5, 1_704_067_200_123_456),
    ],
)
def test_moments_are_read_in_the_usual_ways(written, micros):
    frame = pl.DataFrame({"user_id": ["u"], "item_id": ["a"], "timestamp": [written]})
    assert next(iter(read_events(frame))).timestamp == micros


def test_days_in_eight_digits_are_dates_only_where_nothing_else_is_among_them():
    frame = pl.DataFrame(
        {"user_id": ["u", "v"], "item_id": ["a", "b"], "timestamp": ["20240101", "20240000"]}
    )
    assert read_events(frame).frame["timestamp"].to_list() == [20_240_101_000_000, 20_240_000_000_000]


@pytest.mark.parametrize(("written", "reason"), [("9999999999", "in the future"), ("-1", "before 1970")])
def test_a_moment_that_cannot_have_been_is_set_aside(written, reason):
    frame = pl.DataFrame({"user_id": ["u"], "item_id": ["a"], "timestamp": [written]})
    assert reason in read_events(frame).rejected[0].reason


def test_a_row_and_the_same_event_sent_by_a_client_are_one_event():
    raw = {"user_id": "u", "item_id": "a", "type": "Product Viewed", "timestamp": 1_700_000_000}
    (imported,) = read_events(pl.DataFrame([raw]))
    assert imported == parse_event(raw, now=time.time_ns() // 1000).event


def test_typed_datetimes_are_taken_in_their_zone():
    moments = pl.Series(["2024-01-01T00:00:00"]).str.to_datetime(time_zone="Europe/Paris")
    frame = pl.DataFrame({"user_id": ["u"], "item_id": ["a"], "timestamp": moments})
    assert next(iter(read_events(frame))).timestamp == 1_704_063_600_000_000


def test_a_layout_can_be_given_for_other_dates():
    frame = pl.DataFrame({"user_id": ["u"], "item_id": ["a"], "date": ["02/01/2024 00:00"]})
    event = next(iter(read_events(frame, timestamp_format="%d/%m/%Y %H:%M")))
    assert event.timestamp == 1_704_153_600_000_000


def test_beside_a_layout_that_is_given_iso_8601_is_understood_and_no_number():
    dates = ["02/01/2024 00:00", "2024-01-02", "2024-01-02T02:00:00+02:00", "1704153600", "2.5"]
    frame = pl.DataFrame({"user_id": list("abcde"), "item_id": ["i"] * 5, "date": dates})
    events = read_events(frame, timestamp_format="%d/%m/%Y %H:%M")
    assert {event.user_id: event.timestamp for event in events} == dict.fromkeys("abc", 1_704_153_600_000_000)
    assert [reject.line for reject in events.rejected] == [4, 5]


def test_who_writes_dates_otherwise_is_told_how_to_say_so():
    frame = pl.DataFrame({"user_id": ["u"], "item_id": ["a"], "date": ["01.03.2024 10:05"]})
    (reject,) = read_events(frame).rejected
    assert "--timestamp-format (timestamp_format)" in reject.reason


@pytest.mark.parametrize(
    ("column", "kind", "value"),
    [("rating", "rating", 4.0), ("quantity", "purchase", 4.0), ("value", "click", 4.0)],
)
def test_the_value_column_announces_the_type(column, kind, value):
    event = next(iter(read_events(pl.DataFrame({"user_id": ["u"], "item_id": ["a"], column: [4]}))))
    assert (event.type, event.value) == (kind, value)


def test_what_was_sent_back_was_not_bought(tmp_path):
    path = tmp_path / "orders.csv"
    path.write_text(
        "customer_id,product_id,quantity,order_date\nu,a,2,2024-01-05\nu,b,-1,2024-01-06\nv,a,0,\n"
    )
    events = read_events(path)
    assert [(event.user_id, event.item_id, event.type) for event in events] == [("u", "a", "purchase")]
    assert [reject.line for reject in events.rejected] == [4]
    assert events.skipped == 1


def test_a_quantity_of_events_that_say_their_type_may_be_anything():
    rows = {"user_id": ["u"], "item_id": ["a"], "quantity": [-1]}
    said = read_events(pl.DataFrame(rows | {"event_type": ["refund"]}))
    told = read_events(pl.DataFrame(rows), event_type="refund")
    for events in (said, told):
        assert [(event.type, event.value) for event in events] == [("refund", -1.0)]


@pytest.mark.parametrize("name", ["order_date", "Invoice Date", "event_timestamp", "occurred_at"])
def test_columns_of_times_are_recognized_by_their_usual_names(name):
    event = next(iter(read_events(pl.DataFrame({"user": ["u"], "item": ["a"], name: ["2024-01-05"]}))))
    assert event.timestamp == 1_704_412_800_000_000


def test_the_same_file_gives_the_same_ids_and_honest_repeats_stay_two():
    rows = {"user_id": ["u", "u", "v"], "item_id": ["a", "a", "a"], "timestamp": [5, 5, 5]}
    first, again = (read_events(pl.DataFrame(rows)) for _ in range(2))
    ids = first.frame["event_id"].to_list()
    assert len(set(ids)) == 3
    assert ids == again.frame["event_id"].to_list()


def test_what_a_person_does_at_one_moment_keeps_the_order_of_the_file_across_pieces():
    rows = [(user, item, 100) for user, item in zip("uvwuvwuvw", "cxyaxybzz", strict=True)]
    rows = [(user, item, 100 if user == "u" else 200 + place) for place, (user, item, _) in enumerate(rows)]
    frame = pl.DataFrame(rows, schema=["user_id", "item_id", "timestamp"], orient="row")
    for size in (9, 6):
        chunks = event_chunks(open_rows(frame), EventOptions(now=MICROS_PER_DAY), "x", size)
        own = pl.concat([chunk.frame for chunk in chunks]).filter(user_id="u")
        assert own.select("item_id", "timestamp").rows() == [
            ("c", 100_000_000),
            ("a", 100_000_001),
            ("b", 100_000_002),
        ]


def test_in_a_file_that_begins_with_the_newest_the_order_of_a_moment_is_turned_too():
    days = [9, 9, 9, 8, 7, 6, 5, 5, 4]
    frame = pl.DataFrame({"user_id": ["u"] * 9, "item_id": list("cabgdfehi"), "timestamp": days})
    read = read_events(frame).frame.sort("timestamp")
    assert read["item_id"].to_list() == list("ihefdgbac")


def test_a_moment_that_most_events_share_says_no_order():
    frame = pl.DataFrame({"user_id": ["u", "u", "v"], "item_id": list("abc"), "timestamp": [5, 5, 9]})
    assert read_events(frame).frame["timestamp"].to_list() == [5_000_000, 5_000_000, 9_000_000]


@pytest.mark.parametrize("items", ["a b c d e f", "f e d c b a", "8 9 10 11 12 100"])
def test_rows_that_were_sorted_by_item_say_no_order_of_a_moment(items):
    days = [5] * 6 + list(range(6, 14))
    frame = pl.DataFrame({"user_id": ["u"] * 14, "item_id": [*items.split(), *"stuvwxyz"], "timestamp": days})
    assert read_events(frame).frame["timestamp"].to_list() == [day * 1_000_000 for day in days]


def test_events_that_have_ids_keep_their_moments_to_the_digit():
    frame = pl.DataFrame(
        {
            "user_id": ["u"] * 5,
            "item_id": list("abcde"),
            "timestamp": [5, 5, 7, 8, 9],
            "event_id": list("12345"),
        }
    )
    assert read_events(frame).frame["timestamp"].to_list()[:2] == [5_000_000, 5_000_000]


def test_without_timestamps_ids_do_not_depend_on_the_moment_of_reading():
    frame = pl.DataFrame({"user_id": ["u", "v"], "item_id": ["a", "a"]})
    rows = [
        pl.concat(
            [chunk.frame for chunk in event_chunks(open_rows(frame), EventOptions(now=now), "the frame")]
        )
        for now in (MICROS_PER_DAY + 1, MICROS_PER_DAY + 2)
    ]
    assert rows[0]["event_id"].equals(rows[1]["event_id"])
    assert rows[0]["timestamp"].to_list() == [1, 1]


@settings(max_examples=30)
@given(st.lists(st.tuples(st.sampled_from("uv"), st.sampled_from("ab")), max_size=30), st.integers(1, 7))
def test_the_size_of_the_pieces_changes_nothing(pairs, size):
    frame = pl.DataFrame(
        {"user_id": [user for user, _ in pairs], "item_id": [item for _, item in pairs]},
        schema={"user_id": pl.String, "item_id": pl.String},
    )
    options = EventOptions(now=1)
    pieces = [
        chunk.frame["event_id"].to_list() for chunk in event_chunks(open_rows(frame), options, "x", size)
    ]
    whole = [
        chunk.frame["event_id"].to_list() for chunk in event_chunks(open_rows(frame), options, "x", 1000)
    ]
    assert [*chain(*pieces)] == [*chain(*whole)]
    assert len({event_id for piece in pieces for event_id in piece}) == len(pairs)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("log.csv", b"", "first line must name the columns"),
        ("log.csv", b"user_id,user_id,item_id\n", "more than once"),
        ("log.xlsx", b"PK", "cannot tell the format"),
        ("log.parquet", b"PAR1 cut short", "not a readable Parquet file"),
        ("log.json", b"[{", "not valid JSON"),
        ("log.json", b"[" * 200_000, "not valid JSON"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(tmp_path, name, content, message):
    with pytest.raises(InvalidInputError, match=message):
        read_events(write(tmp_path, name, content))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"delimiter": "::"}, "delimiter '::' is not one character"),
        ({"delimiter": ""}, "delimiter '' is not one character"),
        ({"encoding": "klingon"}, "there is no encoding 'klingon'"),
        ({"encoding": "base64"}, "there is no encoding 'base64'"),
    ],
)
def test_an_option_of_a_csv_that_cannot_be_is_named(tmp_path, options, message):
    path = write(tmp_path, "log.csv", "user_id,item_id\nann,1\n")
    with pytest.raises(InvalidInputError, match=message):
        read_events(path, **options)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InvalidInputError, match="is a folder; name a file in it"):
        read_events(tmp_path)
    with pytest.raises(InvalidInputError, match=r"nowhere\.csv: no such file"):
        read_events("nowhere.csv")


def test_a_file_with_a_header_only_gives_no_events(tmp_path):
    assert len(read_events(write(tmp_path, "log.csv", "user_id,item_id\n"))) == 0

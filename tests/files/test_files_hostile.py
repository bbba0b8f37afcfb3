"""Whatever a file holds, reading it ends in events, rejected rows or one clear error."""

import contextlib
import json
import tempfile
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import msgspec
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foretaste.adapters.files.event_chunks import EventOptions, event_chunks
from foretaste.adapters.files.item_chunks import item_chunks
from foretaste.adapters.files.people_chunks import people_chunks
from foretaste.adapters.files.reading import read_events
from foretaste.adapters.files.rejected import RejectedRows
from foretaste.adapters.files.rows import Reject
from foretaste.adapters.files.sources import open_rows
from foretaste.domain.errors import InvalidInputError

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=5), inner), max_leaves=5
)
FIELDS = ["user_id", "item_id", "type", "timestamp", "value", "session_id", "categories", "in_stock", "price"]
ROWS = st.lists(st.dictionaries(st.sampled_from(FIELDS), VALUES), max_size=6)


def read_all(path: Path) -> tuple[int, int]:
    """Read a file as events and as items; return how many rows became events and how many were rejected."""
    options = EventOptions(now=1_700_000_000_000_000)
    taken = refused = 0
    for chunk in event_chunks(open_rows(path), options, path.name, size=2):
        assert (
            chunk.frame.select("event_id", "user_id", "item_id", "type", "timestamp")
            .null_count()
            .sum_horizontal()
            .sum()
            == 0
        )
        taken, refused = taken + chunk.frame.height, refused + len(chunk.rejects)
        assert all(msgspec.json.encode(reject.reason) for reject in chunk.rejects)
        with RejectedRows(path.with_suffix(".aside")) as rejected:
            rejected.write(chunk.rejects)
    for items in item_chunks(open_rows(path), {}, path.name, size=2):
        with RejectedRows(path.with_suffix(".aside")) as rejected:
            rejected.write(items.rejects)
    return taken, refused


@settings(max_examples=150)
@given(ROWS)
def test_any_json_objects(rows):
    head = {"user_id": "u", "item_id": "a"}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.jsonl"
        path.write_text("\n".join(json.dumps(row) for row in [head, *rows]), encoding="utf-8")
        assert sum(read_all(path)) == 1 + len(rows)


@settings(max_examples=150)
@given(st.binary(max_size=300))
def test_any_bytes_after_a_csv_header(content):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.csv"
        path.write_bytes(b"user_id,item_id,timestamp\nu,a,5\n" + content)
        taken, _ = read_all(path)
        assert taken >= 1


@pytest.mark.parametrize("name", ["log.csv", "log.jsonl", "log.json", "log.parquet"])
@settings(max_examples=40)
@given(st.binary(max_size=200))
def test_any_bytes_at_all(name, content):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        with contextlib.suppress(InvalidInputError):
            read_all(path)


def test_an_endless_field_is_one_rejected_row(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("user_id,item_id\n" + "x" * (2 << 20) + ",1\nu,2\n")
    events = read_events(path)
    assert [event.item_id for event in events] == ["2"]
    assert len(events.rejected) == 1


@pytest.mark.parametrize(
    "row", [{"ids": [1, 2]}, 10**30, float("nan"), b"\xff", {"deep": {"deeper": [10**30]}}]
)
def test_any_row_can_be_set_aside(tmp_path, row):
    with RejectedRows(tmp_path / "aside.jsonl") as rejected:
        rejected.write([Reject(line=1, reason="because", row=row)])
    assert json.loads((tmp_path / "aside.jsonl").read_text())["line"] == 1


def test_lists_in_parquet_are_set_aside_as_lists():
    frame = pl.DataFrame({"user_id": [None, "u"], "item_id": ["a", "b"], "tags": [[1, 2], [3]]})
    (reject,) = read_events(frame).rejected
    assert json.loads(msgspec.json.encode(reject))["row"]["tags"] == [1, 2]


ODD_COLUMNS = {
    "lists": [["x"], None],
    "structures": [{"$oid": "x"}, None],
    "durations": [timedelta(days=1), None],
    "bytes": [b"\xff", None],
    "decimals": [Decimal("1.5"), None],
    "truth": [True, None],
}


@pytest.mark.parametrize("values", ODD_COLUMNS.values(), ids=list(ODD_COLUMNS))
@pytest.mark.parametrize("column", ["item_id", "type", "timestamp", "value", "context"])
def test_a_typed_column_of_any_kind_ends_in_events_or_rejected_rows(column, values):
    frame = pl.DataFrame({"user_id": ["u", "v"], "item_id": ["a", "b"]} | {column: values})
    events = read_events(frame)
    assert len(events) + len(events.rejected) == 2


@pytest.mark.parametrize("field", ["user_id", "item_id", "type", "session_id"])
@pytest.mark.parametrize("value", [["a", "b"], {"$oid": "5f"}, []])
def test_lists_and_objects_are_no_ids(tmp_path, field, value):
    good = {"user_id": "u", "item_id": "a", "type": "click", "session_id": "s"}
    path = tmp_path / "log.jsonl"
    path.write_text(json.dumps(good) + "\n" + json.dumps({**good, field: value}) + "\n")
    for source in (path, pl.DataFrame({name: [value if name == field else good[name]] for name in good})):
        events = read_events(source)
        assert {event.user_id for event in events} <= {"u"}
        assert events.rejected[-1].reason.startswith(f"{field} is a list or an object")


@pytest.mark.parametrize("value", [["a", "b"], {"$oid": "5f"}])
def test_lists_and_objects_are_no_ids_of_items_and_people(tmp_path, value):
    path = tmp_path / "some.jsonl"
    path.write_text(json.dumps({"id": value}) + "\n" + json.dumps({"id": "a"}) + "\n")
    (items,) = item_chunks(open_rows(path), {}, "some.jsonl")
    (people,) = people_chunks(open_rows(path), {}, "some.jsonl")
    assert [item.item_id for item in items.items] == list(people.people) == ["a"]
    for reject in (*items.rejects, *people.rejects):
        assert "is a list or an object" in reject.reason


def test_bytes_are_read_as_the_text_that_they_are():
    events = read_events(pl.DataFrame({"user_id": [b"ann", b"\xff"], "item_id": ["a", "b"]}))
    assert events.frame["user_id"].to_list() == ["ann"]
    assert "encoding" in events.rejected[0].reason

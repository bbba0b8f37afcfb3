"""Contexts in files: JSON objects of plain values, checked like those of events sent one by one."""

import json

import polars as pl
import pytest

import foretaste as ft


def read(tmp_path, *contexts):
    lines = [
        json.dumps({"user_id": "u", "item_id": f"i{n}", "timestamp": 10**9, "context": context})
        for n, context in enumerate(contexts)
    ]
    path = tmp_path / "events.jsonl"
    path.write_text("\n".join(lines))
    return ft.read_events(path)


def test_contexts_of_json_lines_are_taken(tmp_path):
    events = read(tmp_path, {"device": "phone", "hour": 12, "member": True, "place": None}, None, {})
    assert [event.context for event in events] == [
        {"device": "phone", "hour": "12", "member": "true"},
        {},
        {},
    ]


def test_a_column_of_json_text_is_taken(tmp_path):
    (tmp_path / "a.csv").write_text('user_id,item_id,context\n1,2,"{""device"": ""phone""}"\n1,3,\n')
    assert [event.context for event in ft.read_events(tmp_path / "a.csv")] == [{"device": "phone"}, {}]


def test_a_column_of_structures_is_taken():
    frame = pl.DataFrame({"user_id": ["u"], "item_id": ["i"], "context": [{"device": "phone"}]})
    assert [event.context for event in ft.read_events(frame)] == [{"device": "phone"}]


@pytest.mark.parametrize(
    ("context", "reason"),
    [
        ("phone", "not a JSON object"),
        (["phone"], "not a JSON object"),
        ({"a": {"b": 1}}, "not a JSON object of plain values"),
        ({str(n): "x" for n in range(33)}, "at most 32"),
        ({"a": "x" * 300}, "context.a"),
    ],
)
def test_what_is_no_context_is_set_aside_with_the_reason(tmp_path, context, reason):
    events = read(tmp_path, {"device": "phone"}, context)
    assert len(events) == 1
    (reject,) = events.rejected
    assert reject.line == 2
    assert reason in reject.reason


def test_events_that_differ_in_their_context_only_have_different_ids_and_files_without_keep_theirs(tmp_path):
    first, second = read(tmp_path, {"device": "phone"}), read(tmp_path, {"device": "desktop"})
    assert next(iter(first)).event_id != next(iter(second)).event_id
    bare = ft.read_events(pl.DataFrame({"user_id": ["u"], "item_id": ["i0"], "timestamp": [10**9]}))
    assert next(iter(bare)).event_id == next(iter(read(tmp_path, None))).event_id


def test_contexts_are_kept_when_events_are_written_and_read_again(tmp_path):
    events = read(tmp_path, {"device": "phone"}, {"device": "desktop", "b": "ü"}, None)
    events.to_polars().write_parquet(tmp_path / "again.parquet")
    assert list(ft.read_events(tmp_path / "again.parquet")) == list(events)

"""Files written: rejected rows, and tables."""

import json

import polars as pl
import pytest

from foretaste.adapters.files.rejected import RejectedRows, beside
from foretaste.adapters.files.rows import Reject
from foretaste.adapters.files.table_writer import TableWriter

SCHEMA = {"user": pl.String, "rank": pl.Int32}


def frame(*rows):
    return pl.DataFrame(list(rows), schema=SCHEMA, orient="row")


@pytest.mark.parametrize(
    ("name", "read"), [("t.parquet", pl.read_parquet), ("t.csv", pl.read_csv), ("t.jsonl", pl.read_ndjson)]
)
def test_pieces_become_one_file(tmp_path, name, read):
    with TableWriter(tmp_path / name, SCHEMA) as writer:
        writer.write(frame(("u", 1)))
        writer.write(frame(("v", 1), ("v", 2)))
    assert read(tmp_path / name)["user"].to_list() == ["u", "v", "v"]
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_no_pieces_become_a_table_without_rows(tmp_path):
    with TableWriter(tmp_path / "t.parquet", SCHEMA):
        pass
    assert pl.read_parquet(tmp_path / "t.parquet").columns == ["user", "rank"]


def test_an_error_leaves_the_older_file(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("old")
    with pytest.raises(AttributeError), TableWriter(path, SCHEMA) as writer:
        writer.write("no frame")
    assert path.read_text() == "old"
    assert [left.name for left in tmp_path.iterdir()] == ["t.csv"]


def test_rejected_rows_stand_beside_the_file_with_line_and_reason(tmp_path):
    path = beside(tmp_path / "log.csv")
    with RejectedRows(path) as rejected:
        rejected.write([Reject(line=3, reason="user_id is missing", row={"user_id": ""})])
    assert path.name == "log.csv.rejected.jsonl"
    assert json.loads(path.read_text()) == {"line": 3, "reason": "user_id is missing", "row": {"user_id": ""}}


def test_without_rejected_rows_there_is_no_file_and_an_old_one_goes(tmp_path):
    path = tmp_path / "log.csv.rejected.jsonl"
    path.write_text("of last time")
    with RejectedRows(path) as rejected:
        rejected.write([])
    assert not path.exists()

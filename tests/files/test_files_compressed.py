"""Text that gzip compressed is read as what it was."""

import gzip
import json

import pytest

from foretaste.adapters.files.reading import read_events
from foretaste.domain.errors import InvalidInputError

ROWS = [{"user_id": f"u{number % 7}", "item_id": f"i{number}", "timestamp": number} for number in range(5000)]
CSV = "user_id,item_id,timestamp\n" + "".join(
    f"{r['user_id']},{r['item_id']},{r['timestamp']}\n" for r in ROWS
)
LINES = "".join(json.dumps(row) + "\n" for row in ROWS)


def ids(events):
    return [(event.user_id, event.item_id) for event in events]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("log.csv.gz", CSV.encode()),
        ("log.CSV.GZ", CSV.encode("utf-16")),
        ("log.tsv.gz", CSV.replace(",", "\t").encode()),
        ("log.jsonl.gz", LINES.encode()),
        ("log.json.gz", json.dumps(ROWS).encode()),
        ("log.csv", CSV.encode()),
    ],
)
def test_compressed_text_is_read_whatever_it_is_called(tmp_path, name, text):
    path = tmp_path / name
    path.write_bytes(gzip.compress(text))
    assert ids(read_events(path)) == [(row["user_id"], row["item_id"]) for row in ROWS]


@pytest.mark.parametrize("damage", ["cut off", "overwritten"])
@pytest.mark.parametrize(("name", "text"), [("log.csv.gz", CSV), ("log.jsonl.gz", LINES)])
def test_damaged_files_are_refused_by_name(tmp_path, name, text, damage):
    whole = gzip.compress(text.encode())
    half = len(whole) // 2
    path = tmp_path / name
    path.write_bytes(whole[:half] if damage == "cut off" else whole[:half] + b"\xff" * (len(whole) - half))
    with pytest.raises(InvalidInputError, match=rf"{name}: what gzip compressed is damaged or cut off"):
        list(read_events(path))


def test_what_is_called_compressed_and_is_not_is_read_as_it_is(tmp_path):
    path = tmp_path / "log.csv.gz"
    path.write_text(CSV)
    assert len(list(read_events(path))) == len(ROWS)


@pytest.mark.parametrize(
    ("name", "said"), [("log.parquet.gz", "unpack it first"), ("log.gz", "cannot tell the format")]
)
def test_other_compressed_files_are_refused_with_what_to_do(tmp_path, name, said):
    (tmp_path / name).write_bytes(gzip.compress(b"PAR1"))
    with pytest.raises(InvalidInputError, match=said):
        list(read_events(tmp_path / name))

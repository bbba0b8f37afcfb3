"""Items from files."""

import json
from decimal import Decimal

import polars as pl
import pytest

from foretaste.adapters.files.item_chunks import item_chunks
from foretaste.adapters.files.reading import read_items
from foretaste.adapters.files.sources import open_rows
from foretaste.domain.errors import InvalidInputError


def test_usual_columns_are_fields_and_the_others_attributes(tmp_path):
    path = tmp_path / "items.csv"
    path.write_text("id,name,genres,colour,price,code\n7,Kite,toys|outdoor,red,4.25,007\n")
    (item,) = read_items(path)
    assert (item.item_id, item.title, item.categories) == ("7", "Kite", ("toys", "outdoor"))
    assert item.attributes == {"colour": "red", "price": 4.25, "code": "007"}


def test_json_lines_may_carry_lists_and_attributes(tmp_path):
    row = {
        "item_id": "a",
        "categories": ["x", "y", "x"],
        "attributes": {"new": True, "size": 3},
        "in_stock": False,
        "available_from": "2024-01-01",
    }
    path = tmp_path / "items.jsonl"
    path.write_text(json.dumps(row))
    (item,) = read_items(path)
    assert item.categories == ("x", "y")
    assert item.attributes == {"new": True, "size": 3.0}
    assert (item.in_stock, item.available_from) == (False, 1_704_067_200_000_000)


def test_empty_cells_are_absent_not_empty_text():
    frame = pl.DataFrame({"item_id": ["a"], "colour": [""], "price": [float("nan")], "text": [None]})
    (item,) = read_items(frame)
    assert (item.attributes, item.text) == ({}, "")


def test_decimals_as_databases_export_prices_are_numbers():
    frame = pl.DataFrame({"item_id": ["a", "b"], "price": [Decimal("18.50"), None]})
    assert [item.attributes for item in read_items(frame)] == [{"price": 18.5}, {}]


def test_prices_are_numbers_with_whatever_zeros_they_end(tmp_path):
    path = tmp_path / "items.csv"
    path.write_text("item_id,price\na,18.50\nb,9.90\nc,7.00\nd,3.2\ne,-0.50\nf, 12.00\n")
    prices = [item.attributes["price"] for item in read_items(path)]
    assert prices == [18.5, 9.9, 7.0, 3.2, -0.5, 12.0]


@pytest.mark.parametrize(
    "code", ["007", "00.50", "12,50", "1.2.3", ".", "1.", "+5", "9007199254740993", "1_000", "٣"]
)
def test_what_is_no_number_for_sure_stays_text(code):
    (item,) = read_items(pl.DataFrame({"item_id": ["a"], "code": [code]}))
    assert item.attributes == {"code": code}


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("item_id", None, "item_id is missing"),
        ("in_stock", "perhaps", "neither true nor false"),
        ("available_until", "soon", "is not a moment"),
        ("price", float("inf"), "finite"),
    ],
)
def test_an_item_that_breaks_the_rules_is_rejected_with_its_line(field, value, message):
    rows = [{"item_id": "a", "in_stock": "yes"}, {"item_id": "b", field: value}]
    frame = pl.DataFrame(rows, strict=False, infer_schema_length=None)
    (chunk,) = item_chunks(open_rows(frame), {}, "the frame")
    assert [item.item_id for item in chunk.items] == ["a"]
    assert [(reject.line, message in reject.reason) for reject in chunk.rejects] == [(2, True)]


def test_reading_whole_files_raises_for_the_first_bad_item(tmp_path):
    path = tmp_path / "items.csv"
    path.write_text("item_id,title\na,A\n,B\n")
    with pytest.raises(InvalidInputError, match=r"items\.csv: 1 of 2 items .* line 3: item_id is missing"):
        read_items(path)

"""Vectors that come with items: what is accepted, and how what is refused is explained."""

import json
import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import foretaste as ft
from foretaste.app.wiring import home_in_memory
from foretaste.domain.errors import InvalidInputError, InvalidItemError
from foretaste.domain.item import Item
from foretaste.events.items import parse_item
from foretaste.events.vectors import packed_vector, unpacked_vector
from foretaste.features.item_vectors import usual_dim

THREE = np.array([0.5, -1.0, 2.0], "<f4").tobytes()


def with_vector(item_id, *numbers):
    return Item(item_id=item_id, vector=packed_vector(numbers))


@pytest.mark.parametrize(
    "value",
    [[0.5, -1, 2], (0.5, -1.0, 2.0), np.array([0.5, -1.0, 2.0]), "0.5, -1, 2", "[0.5 -1.0 2.0]"],
    ids=["list", "tuple", "array", "text", "text in brackets"],
)
def test_a_vector_may_be_a_list_an_array_or_text(value):
    assert parse_item({"item_id": "a", "vector": value}).vector == THREE
    assert parse_item({"item_id": "a", "embedding": value}).vector == THREE


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ([1.0, math.nan], "number 2 is nan"),
        ([math.inf], "number 1 is inf"),
        ([1e39], "finite float32"),
        ([10**400], "finite float32"),
        ([1.0, "2"], "number 2 is '2'"),
        ([True], "number 1 is 'True'"),
        ([[1.0]], "numbers only"),
        ([], "0 numbers"),
        ([0.0] * 4097, "4097 numbers"),
        ("a b", "commas or blanks"),
        ("1 " * 5000, "5000 numbers"),
        (7, "a list of numbers"),
        ({"x": 1}, "a list of numbers"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_is_no_vector_is_refused_by_name(value, says):
    with pytest.raises(InvalidItemError, match=says) as error:
        parse_item({"item_id": "a", "vector": value})
    assert error.value.field == "vector"


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1, max_size=50))
def test_a_vector_is_read_as_it_was_packed(numbers):
    assert unpacked_vector(packed_vector(numbers)).tolist() == numbers


def test_an_item_without_a_vector_has_none():
    assert parse_item({"item_id": "a", "vector": None}).vector == b""


def test_files_of_every_format_carry_vectors(tmp_path):
    (tmp_path / "items.csv").write_text('item_id,vector\na,"0.5,-1,2"\nb,\n')
    (tmp_path / "items.jsonl").write_text('{"item_id": "a", "vector": [0.5, -1, 2]}\n{"item_id": "b"}\n')
    frame = pl.DataFrame({"item_id": ["a", "b"], "embedding": [[0.5, -1.0, 2.0], None]})
    frame.write_parquet(tmp_path / "items.parquet")
    for name in ("items.csv", "items.jsonl", "items.parquet"):
        assert [item.vector for item in ft.read_items(tmp_path / name)] == [THREE, b""], name


def test_the_line_of_a_broken_vector_is_named(tmp_path):
    lines = '{"item_id": "a", "vector": [1]}', '{"item_id": "b", "vector": "x"}'
    (tmp_path / "items.jsonl").write_text("\n".join(lines))
    with pytest.raises(InvalidInputError, match="line 2: vector must be numbers"):
        ft.read_items(tmp_path / "items.jsonl")


def test_a_catalog_keeps_to_one_dimension():
    with home_in_memory() as home:
        home.put_items([with_vector("a", 1, 2), Item(item_id="b")])
        with pytest.raises(InvalidItemError, match="'c' has 3 numbers, that of item 'a' 2"):
            home.put_items([with_vector("c", 1, 2, 3)])
        with pytest.raises(InvalidItemError, match="same dimension"):
            home.put_items([with_vector("c", 1, 2), with_vector("d", 1)])
        assert home.put_items([with_vector("c", 3, 4)]) == 2


def test_the_dimension_of_a_catalog_can_be_changed_at_once():
    with home_in_memory() as home:
        home.put_items([with_vector("a", 1, 2), with_vector("b", 1, 2)])
        home.put_items([with_vector("a", 1), with_vector("b", 1), with_vector("c", 1)])
        assert usual_dim(home.catalog_columns.items) == 1


def test_a_vector_survives_the_disk(tmp_path):
    with ft.Recommender.open(_home(tmp_path)) as rec:
        rec.put_items([{"item_id": "a", "vector": [0.5, -1, 2]}])
    with ft.Recommender.open(tmp_path / "home") as rec:
        (entry,) = rec.home.catalog.get(["a"])
        assert entry is not None
        assert entry.item == Item(item_id="a", vector=THREE)


def test_json_of_an_item_with_a_vector_is_small():
    raw = json.dumps({"item_id": "a", "vector": [0.123456789] * 384})
    assert len(parse_item(raw).vector) == 4 * 384


def _home(folder):
    (folder / "home").mkdir()
    return folder / "home"

"""What is accepted as an item, what it becomes, and how what is refused is explained."""

import json
import math
from datetime import UTC, date, datetime, timedelta, timezone

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foretaste.domain.errors import InvalidItemError
from foretaste.domain.item import Item
from foretaste.events.items import parse_item


def refused(raw, **options):
    with pytest.raises(InvalidItemError) as error:
        parse_item(raw, **options)
    return error.value


def test_a_full_item_is_taken_as_it_is():
    raw = {
        "item_id": "🦊/1",
        "title": "The Fox",
        "text": "A tale",
        "categories": ["Animals", "Tales"],
        "attributes": {"pages": 12},
        "price": 9.5,
        "new": True,
        "colour": "red",
        "available_from": "2024-03-01",
        "available_until": 1_800_000_000,
        "in_stock": False,
        "hidden": True,
    }
    item = Item(
        item_id="🦊/1",
        title="The Fox",
        text="A tale",
        categories=("Animals", "Tales"),
        attributes={"price": 9.5, "new": True, "colour": "red", "pages": 12.0},
        available_from=1_709_251_200_000_000,
        available_until=1_800_000_000_000_000,
        in_stock=False,
        hidden=True,
    )
    assert parse_item(raw) == parse_item(json.dumps(raw)) == item


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2024, 3, 1, tzinfo=UTC),
        datetime(2024, 3, 1, 1, tzinfo=timezone(timedelta(hours=1))),
        date(2024, 3, 1),
        np.datetime64("2024-03-01", "us"),
        np.datetime64("2024-03-01", "ns"),
    ],
    ids=repr,
)
def test_availability_may_be_a_moment_of_python_or_numpy(moment):
    item = parse_item({"item_id": "1", "available_from": moment, "available_until": moment})
    assert item.available_from == item.available_until == 1_709_251_200_000_000


def test_a_date_among_the_attributes_is_its_text():
    item = parse_item(
        {"item_id": "1", "released": date(2024, 3, 1), "attributes": {"bought": date(2024, 3, 2)}}
    )
    assert item.attributes == {"released": "2024-03-01", "bought": "2024-03-02"}


def test_an_id_is_enough():
    assert parse_item({"item_id": 7}) == Item(item_id="7")


def test_names_met_elsewhere_are_understood():
    raw = {"id": "1", "name": "N", "description": "D", "category": "C"}
    assert parse_item(raw) == Item(item_id="1", title="N", text="D", categories=("C",))


def test_our_name_wins_and_the_other_one_becomes_an_attribute():
    item = parse_item({"item_id": "1", "id": "x", "title": "T", "name": "N", "item_name": None})
    assert item == Item(item_id="1", title="T", attributes={"id": "x", "name": "N"})


def test_categories_may_be_one_text_and_are_kept_once_in_their_order():
    assert parse_item({"item_id": "1", "genres": "Comedy | Drama||Comedy"}).categories == ("Comedy", "Drama")


def test_the_address_gives_the_id_and_a_body_must_not_contradict_it():
    assert parse_item({}, item_id="a").item_id == "a"
    assert parse_item({"item_id": "a"}, item_id="a").item_id == "a"
    assert refused({"item_id": "b"}, item_id="a").field == "item_id"


def test_null_is_as_good_as_absent():
    assert parse_item({"item_id": "1", "title": None, "in_stock": None, "price": None}) == Item(item_id="1")


def test_numpy_values_are_taken_as_numbers():
    assert parse_item({"item_id": np.int64(5), "price": np.float32(0.5)}) == Item(
        item_id="5", attributes={"price": 0.5}
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("item_id", ""),
        ("item_id", "x" * 257),
        ("item_id", "a\0"),
        ("item_id", "\ud800"),
        ("item_id", True),
        ("item_id", 1.5),
        ("item_id", ["a"]),
        ("title", 7),
        ("title", "x" * 1025),
        ("text", "x" * 65_537),
        ("text", "\udfff"),
        ("categories", 7),
        ("categories", ["a", 7]),
        ("categories", {"a": 1}),
        ("categories", [f"c{n}" for n in range(65)]),
        ("categories", ["x" * 257]),
        ("attributes", []),
        ("attributes", {f"a{n}": 1 for n in range(129)}),
        ("price", math.nan),
        ("price", math.inf),
        ("price", 10**400),
        ("tags", ["a", "b"]),
        ("size", {"w": 1}),
        ("colour", "x" * 4097),
        ("available_from", "soon"),
        ("available_from", True),
        ("available_until", -5),
        ("in_stock", "yes"),
        ("hidden", 1),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_bad_field_is_refused_by_name(field, value):
    error = refused({"item_id": "1", field: value})
    assert error.field == field
    assert field in error.message


@pytest.mark.parametrize("raw", ["", "{", "[]", "3", b"\xff", None, [], "[" * 100_000, '{"a":' * 100_000])
def test_what_is_no_object_is_refused(raw):
    assert refused(raw).message


def test_a_missing_id_is_named():
    assert refused({"title": "T"}).field == "item_id"


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=6,
)
FIELDS = [*Item.__struct_fields__, "category", "name", "price", "other"]


@given(st.dictionaries(st.sampled_from(FIELDS), anything))
def test_whatever_its_fields_hold_an_item_is_storable_or_refused(raw):
    try:
        item = parse_item({"item_id": "1", **raw})
    except InvalidItemError:
        return
    assert msgspec.json.decode(msgspec.json.encode(item), type=Item) == item

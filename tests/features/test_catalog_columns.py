import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foretaste.domain.item import CatalogEntry, Item
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.testing.event_factories import random_items


def entry(ordinal, version, item):
    return CatalogEntry(ordinal=ordinal, version=version, item=item)


def catalog_of(**fields):
    return CatalogColumns.of([Item(item_id="a", **fields)])


def test_a_catalog_never_written_is_empty():
    empty = CatalogColumns.empty()
    assert (empty.version, empty.n_items) == (0, 0)
    assert empty.available(0).tolist() == []
    assert empty.mask("category", ["x"]).tolist() == []
    assert empty.titles == []


def test_columns_hold_the_items_by_ordinal():
    catalog = CatalogColumns.empty().apply([entry(2, 5, Item(item_id="c", title="C", text="words"))])
    assert catalog.version == 5
    assert catalog.n_items == 3
    assert catalog.titles == ["", "", "C"]
    assert catalog.texts == ["", "", "C words"]
    assert catalog.item(2).item_id == "c"
    assert catalog.item(0) is None
    assert catalog.item(3) is None


def test_applying_leaves_the_version_before_as_it_was():
    before = CatalogColumns.of([Item(item_id="a", title="old", categories=("x",), attributes={"size": 1.0})])
    before.mask("size", ["1"])
    after = before.apply([entry(0, 2, Item(item_id="a", title="new", categories=("y",)))])
    assert (before.titles, after.titles) == (["old"], ["new"])
    assert before.mask("category", ["x"]).tolist() == [True]
    assert after.mask("category", ["x"]).tolist() == [False]
    assert before.mask("size", ["1"]).tolist() == [True]
    assert after.mask("size", ["1"]).tolist() == [False]


def test_entries_known_already_change_nothing():
    catalog = CatalogColumns.of([Item(item_id="a", title="now")])
    assert catalog.apply([entry(0, 1, Item(item_id="a", title="then"))]) is catalog


@pytest.mark.parametrize(
    ("fields", "now", "available"),
    [
        ({}, 0, True),
        ({"in_stock": False}, 0, False),
        ({"hidden": True}, 0, False),
        ({"available_from": 10}, 9, False),
        ({"available_from": 10}, 10, True),
        ({"available_until": 10}, 9, True),
        ({"available_until": 10}, 10, False),
    ],
)
def test_what_may_be_shown_depends_on_stock_and_time(fields, now, available):
    assert catalog_of(**fields).available(now).tolist() == [available]


def test_a_deleted_item_is_never_available_and_a_known_one_without_entry_is():
    catalog = CatalogColumns.of([Item(item_id="a"), None]).apply([entry(0, 2, None)])
    assert catalog.available(0).tolist() == [False, True]
    assert catalog.deleted.tolist() == [True, False]
    assert catalog.available(0, n_items=4).tolist() == [False, True, True, True]


def test_a_deleted_item_put_again_is_back():
    catalog = CatalogColumns.of([Item(item_id="a")]).apply([entry(0, 2, None)])
    assert catalog.apply([entry(0, 3, Item(item_id="a"))]).available(0).tolist() == [True]


def test_any_of_the_categories_matches_and_the_first_is_the_main_one():
    catalog = CatalogColumns.of(
        [Item(item_id="a", categories=("x", "y")), Item(item_id="b", categories=("y",)), None]
    )
    assert catalog.mask("category", ["y"]).tolist() == [True, True, False]
    assert catalog.mask("category", ["x", "nowhere"]).tolist() == [True, False, False]
    names = [catalog.category_names[code] if code >= 0 else None for code in catalog.main_category]
    assert names == ["x", "y", None]
    assert catalog.category_start.tolist() == [0, 2, 3, 3]
    assert [catalog.category_names[code] for code in catalog.category_codes] == ["x", "y", "y"]


@pytest.mark.parametrize(
    ("value", "text", "matches"),
    [
        ("red", "red", True),
        ("red", "Red", False),
        (5.0, "5", True),
        (5.0, "5.0", True),
        (5.5, "5.5", True),
        (5.5, "5", False),
        (True, "true", True),
        (True, "True", True),
        (False, "true", False),
        ("5", "5", True),
        ("nan", "nan", True),
    ],
)
def test_attributes_are_found_by_their_text(value, text, matches):
    assert catalog_of(attributes={"it": value}).mask("it", [text]).tolist() == [matches]


@pytest.mark.parametrize("n_values", [1, 8, 9, 30])
def test_an_item_with_any_of_the_values_matches(n_values):
    catalog = CatalogColumns.of([Item(item_id=str(i), attributes={"size": float(i % 20)}) for i in range(40)])
    mask = catalog.mask("size", [str(value) for value in range(n_values)])
    assert mask.tolist() == [i % 20 < n_values for i in range(40)]


def test_product_group_and_type_match_the_attribute_or_any_category():
    catalog = CatalogColumns.of(
        [
            Item(item_id="a", attributes={"product_group": "shoes"}),
            Item(item_id="b", categories=("shoes",)),
            Item(item_id="c", attributes={"product_type": "shoes"}),
        ]
    )
    assert catalog.mask("product_group", ["shoes"]).tolist() == [True, True, False]
    assert catalog.mask("product_type", ["shoes"]).tolist() == [False, True, True]
    assert catalog.mask("group", ["shoes"]).tolist() == [False, False, False]


def test_attributes_that_no_item_has_take_no_memory():
    catalog = catalog_of(attributes={"real": "yes"})
    for number in range(100):
        assert not catalog.mask(f"invented-{number}", ["yes"]).any()
    assert set(catalog._attributes) <= {"real"}


def test_masks_are_padded_with_false_for_items_known_from_events_only():
    assert catalog_of(categories=("x",)).mask("category", ["x"], n_items=3).tolist() == [True, False, False]


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 200), st.booleans()), max_size=40))
@settings(max_examples=60)
def test_changes_one_by_one_give_the_same_columns_as_all_at_once(changes):
    pool = random_items(1, 201)
    stepwise = CatalogColumns.empty()
    latest = {}
    for version, (ordinal, content, deleted) in enumerate(changes, 1):
        latest[ordinal] = entry(ordinal, version, None if deleted else pool[content])
        stepwise = stepwise.apply([latest[ordinal]])
        stepwise.mask("colour", ["red"])
    whole = CatalogColumns.empty().apply(sorted(latest.values(), key=lambda e: (e.version, e.ordinal)))
    assert stepwise.version == whole.version
    assert list(stepwise.items) == list(whole.items)
    assert stepwise.available(0).tolist() == whole.available(0).tolist()
    for attribute, value in (("colour", "red"), ("category", "category-1"), ("price", "7")):
        assert stepwise.mask(attribute, [value]).tolist() == whole.mask(attribute, [value]).tolist()
    for ordinal, item in enumerate(whole.items):
        for catalog in (stepwise, whole):
            start, end = catalog.category_start[ordinal : ordinal + 2]
            codes = catalog.category_codes[start:end]
            assert tuple(catalog.category_names[code] for code in codes) == (item.categories if item else ())


def test_masks_given_out_do_not_share_memory_with_the_catalog():
    catalog = catalog_of()
    catalog.available(0)[:] = False
    catalog.mask("x", ["y"])[:] = True
    assert catalog.available(0).tolist() == [True]
    assert np.array_equal(catalog.mask("x", ["y"]), [False])


def test_items_are_grouped_by_category_or_by_the_value_of_an_attribute():
    catalog = CatalogColumns.of(
        [
            Item(item_id="a", categories=("x", "y"), attributes={"brand": "acme"}),
            Item(item_id="b"),
            Item(item_id="c", categories=("y",), attributes={"brand": "zeta"}),
        ]
    )
    rows = np.array([2, 7, 1, 0], np.int32)
    for attribute, expected in (
        ("category", [(0, "y"), (3, "x"), (3, "y")]),
        ("brand", [(0, "zeta"), (3, "acme")]),
    ):
        table = catalog.grouped(attribute)
        place, code = table.listed(rows)
        assert list(zip(place.tolist(), [table.names[one] for one in code], strict=True)) == expected
    assert catalog.grouped("colour") is None

"""Masks say what may be in an answer at all."""

import numpy as np

from foretaste.domain.item import Item
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.features.state import Tally
from foretaste.retrieval.masks import consumed, passing, without

CATALOG = CatalogColumns.of(
    [
        Item(item_id="a", categories=("hat",), attributes={"colour": "red"}),
        Item(item_id="b", categories=("hat", "sale"), attributes={"colour": "blue"}),
        Item(item_id="c", categories=("shoe",), attributes={"colour": "red"}),
        None,
    ]
)


def test_no_filter_is_no_mask():
    assert passing(CATALOG, 5, {}, {}) is None


def test_all_filters_must_hold_and_no_exclusion_may():
    assert passing(CATALOG, 5, {"category": ("hat",)}, {}).tolist() == [True, True, False, False, False]
    both = passing(CATALOG, 5, {"category": ("hat", "shoe"), "colour": ("red",)}, {})
    assert both.tolist() == [True, False, True, False, False]
    but = passing(CATALOG, 5, {"colour": ("red",)}, {"category": ("shoe",)})
    assert but.tolist() == [True, False, False, False, False]


def test_items_that_the_catalog_does_not_know_match_no_filter_and_no_exclusion():
    assert passing(CATALOG, 5, {}, {"category": ("hat",)}).tolist() == [False, False, True, True, True]


def test_consumed_are_the_items_with_an_event_of_the_types_named():
    tally = Tally(
        item=np.array([4, 4, 7, 9], np.int32),
        type=np.array([0, 1, 1, 2], np.int16),
        count=np.ones(4, np.int64),
        last=np.zeros(4, np.int64),
    )
    types = ("view", "purchase", "dismiss")
    assert consumed(tally, {"purchase"}, types).tolist() == [4, 7]
    assert consumed(tally, {"dismiss", "view", "unheard of"}, types).tolist() == [4, 9]
    assert consumed(tally, frozenset(), types).tolist() == []


def test_unknown_ordinals_take_nothing_out():
    mask = np.ones(4, np.bool_)
    without(mask, np.array([-1, 2, 99], np.int32))
    assert mask.tolist() == [True, True, False, True]

"""A slate's kinds of items come in the proportions of what the person had."""

import numpy as np
import pytest

from foretaste.domain.item import Item
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.policy.arrangement import NO_LIMIT, NOBODY, Bounds, arrange
from foretaste.policy.mix import Mix, own_mix, shares


def a_table(*categories):
    items = [Item(item_id=str(at), categories=names) for at, names in enumerate(categories)]
    return CatalogColumns.of(items).categories


def ordinals(*items):
    return np.array(items, np.int32)


def unbound(places):
    none, nobody = np.empty(0, np.int64), np.full(places, NOBODY, np.int64)
    return lambda n: Bounds(np.zeros(n + 1, np.int64), none, none, none + NO_LIMIT, nobody, nobody, none)


def test_an_own_mix_is_the_part_of_each_category_weighed_by_importance():
    table = a_table(("drama",), ("comedy",), ("drama", "comedy"), ())
    codes, own = own_mix(table, ordinals(0, 1, 2, 3), np.array([2.0, 1.0, 1.0, 5.0], np.float32))
    assert [table.names[code] for code in codes] == ["drama", "comedy"]
    assert own.tolist() == pytest.approx([2.5 / 4, 1.5 / 4])


def test_items_that_the_catalog_does_not_know_have_no_part():
    table = a_table(("drama",))
    codes, own = own_mix(table, ordinals(7, 0), np.ones(2, np.float32))
    assert (codes.tolist(), own.tolist()) == ([0], [1.0])
    assert shares(table, ordinals(7, 0), codes).tolist() == [[0.0], [1.0]]


def test_nothing_had_is_an_empty_mix():
    table = a_table()
    codes, own = own_mix(table, ordinals(), np.empty(0, np.float32))
    assert len(codes) == len(own) == 0
    assert shares(table, ordinals(1, 2), codes).shape == (2, 0)


def test_categories_outside_the_mix_count_for_nothing():
    table = a_table(("drama", "war"), ("war",))
    assert shares(table, ordinals(0, 1), ordinals(0)).tolist() == [[0.5], [0.0]]


def slate_of(weight, places=10):
    """Return how many of each of two kinds are shown where the likelier kind is a third of the own mix."""
    table = a_table(*[("drama",)] * 20, *[("comedy",)] * 20)
    items = np.arange(40, dtype=np.int32)
    worth = np.concatenate((np.linspace(1.0, 0.9, 20), np.linspace(0.5, 0.4, 20))).astype(np.float32)
    codes, own = own_mix(table, ordinals(0, 20, 21), np.ones(3, np.float32))
    mix = Mix(own=own, share=shares(table, items, codes), weight=weight)
    slate = arrange(worth, unbound(places)(40), mix=mix)
    return np.bincount(slate // 20, minlength=2).tolist()


def test_without_weight_the_likelier_kind_takes_all():
    assert slate_of(0.0) == [10, 0]


def test_a_weight_gives_the_persons_other_kind_its_part():
    assert slate_of(0.99) == [3, 7]


def test_a_greater_weight_never_leads_farther_from_the_own_mix():
    dramas = [slate_of(weight)[0] for weight in (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0)]
    assert dramas == sorted(dramas, reverse=True)

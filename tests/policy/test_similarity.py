"""Items are alike by their vectors, by their categories, or by both."""

import numpy as np
import pytest

from foretaste.domain.item import Item
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.policy.similarity import nearest_of, similarities

CATEGORIES = CatalogColumns.of(
    [
        Item(item_id="a", categories=("x",)),
        Item(item_id="b", categories=("x", "y")),
        Item(item_id="c"),
        Item(item_id="d", categories=("z",)),
    ]
).categories
ITEMS = np.arange(5, dtype=np.int32)
ROOT = np.sqrt(0.5)


def test_categories_alone_are_compared_where_there_are_no_vectors():
    alike = similarities(None, CATEGORIES, ITEMS)
    assert alike[0].tolist() == pytest.approx([1.0, ROOT, 0.0, 0.0, 0.0])
    assert (alike == alike.T).all()


def test_vectors_and_categories_count_half_each_where_a_pair_has_both():
    vectors = np.array([[1, 0], [0.6, 0.8], [1, 0], [-1, 0], [0, 0]], np.float32)
    alike = similarities(vectors, CATEGORIES, ITEMS)
    assert alike[0, 1] == pytest.approx((0.6 + ROOT) / 2)
    assert alike[0, 2] == pytest.approx(1.0)
    assert alike[0, 3] == pytest.approx(0.0)
    assert alike[0, 4] == pytest.approx(0.0)
    assert alike.min() >= 0.0
    assert alike.max() <= 1.0 + 1e-6


@pytest.mark.parametrize(
    "vectors", [None, np.array([[1, 0], [0.6, 0.8], [1, 0], [-1, 0], [0, 0]], np.float32)]
)
@pytest.mark.parametrize("n", [1, 3])
def test_the_likest_of_others_is_the_largest_likeness_to_them(vectors, n):
    alike = similarities(vectors, CATEGORIES, ITEMS)
    assert nearest_of(vectors, CATEGORIES, ITEMS, n) == pytest.approx(alike[:n, n:].max(axis=1))


def test_nothing_is_like_what_is_not_there():
    assert nearest_of(None, CATEGORIES, ITEMS, 5).tolist() == [0.0] * 5

"""A category comes again only after the others had their turn."""

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from foretaste.policy.rotation import rotate

POOLS = st.lists(st.integers(-1, 4), max_size=30)


@given(categories=POOLS, count=st.integers(1, 30))
def test_no_item_is_placed_while_a_category_that_has_items_left_was_placed_less_often(categories, count):
    category = np.array(categories, np.int32)
    chosen = rotate(np.arange(len(category)), category, count)
    assert len(chosen) == len(set(chosen.tolist())) == min(count, len(category))
    placed: Counter[int] = Counter()
    left = Counter(categories)
    for position in chosen:
        code = int(category[position])
        assert placed[code] == min(placed[other] for other, items in left.items() if items)
        placed[code] += 1
        left[code] -= 1


@given(categories=POOLS, count=st.integers(1, 30))
def test_within_a_category_the_order_stays(categories, count):
    category = np.array(categories, np.int32)
    chosen = rotate(np.arange(len(category)), category, count)
    for code in set(categories):
        own = [int(position) for position in chosen if category[position] == code]
        assert own == sorted(own)


def test_the_best_of_the_categories_whose_turn_it_is_comes_first():
    category = np.array([0, 0, 1, 0, 2, 1], np.int32)
    assert rotate(np.arange(6), category, 6).tolist() == [0, 2, 4, 1, 5, 3]

"""The best of numbers, and numbers in order: what NumPy says."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foretaste.models.sorting import fall, keep_best, mth_largest, rise

WHOLE = st.lists(st.integers(-5, 5) | st.integers(-(1 << 63), (1 << 63) - 1), min_size=1, max_size=80)
FLOATS = st.lists(st.floats(-2, 2, width=32) | st.just(float("-inf")) | st.just(1.0), min_size=1, max_size=80)


@pytest.mark.parametrize("kind", [np.int64, np.int32])
@given(numbers=st.lists(st.integers(-5, 5) | st.integers(-(1 << 31), (1 << 31) - 1), max_size=80))
def test_numbers_rise(kind, numbers):
    found = np.array(numbers, kind)
    rise(found)
    assert found.tolist() == sorted(numbers)


@given(WHOLE)
def test_numbers_fall(numbers):
    found = np.array(numbers, np.int64)
    fall(found)
    assert found.tolist() == sorted(numbers, reverse=True)


@given(WHOLE, st.data())
def test_the_best_come_first_and_nothing_is_lost(numbers, data):
    found = np.array(numbers, np.int64)
    n = data.draw(st.integers(1, len(numbers)))
    m = data.draw(st.integers(1, n))
    least = keep_best(found, n, m)
    best = sorted(numbers[:n], reverse=True)
    assert sorted(found[:m].tolist(), reverse=True) == best[:m]
    assert least == best[m - 1]
    assert sorted(found[:n].tolist(), reverse=True) == best
    assert found[n:].tolist() == numbers[n:]


@given(FLOATS, st.data())
def test_the_mth_largest_is_found_where_many_are_equal(numbers, data):
    m = data.draw(st.integers(1, len(numbers)))
    given_ = np.array(numbers, np.float32)
    found = mth_largest(given_, m)
    assert found == np.sort(given_)[len(numbers) - m]
    assert given_.tolist() == numbers

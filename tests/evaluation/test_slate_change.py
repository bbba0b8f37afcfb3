"""How far one list is from another."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foretaste.evaluation.slate_change import change_of

LISTS = st.lists(st.sampled_from("abcdefgh"), unique=True)


@pytest.mark.parametrize(
    ("before", "after", "changed", "overlap", "shift"),
    [
        ("abc", "abc", False, 1.0, 0.0),
        ("", "", False, 1.0, 0.0),
        ("abc", "cab", True, 1.0, 4 / 3),
        ("abc", "abd", True, 2 / 3, 0.0),
        ("abc", "", True, 0.0, 0.0),
        ("ab", "xyzb", True, 0.25, 2.0),
    ],
)
def test_a_change_is_measured_by_hand(before, after, changed, overlap, shift):
    change = change_of(before, after)
    assert (change.is_changed, change.overlap, change.rank_shift) == (changed, overlap, pytest.approx(shift))


@given(LISTS, LISTS)
def test_there_and_back_is_the_same_distance(one, other):
    assert change_of(one, other) == change_of(other, one)
    assert change_of(one, other).is_changed == (one != other)

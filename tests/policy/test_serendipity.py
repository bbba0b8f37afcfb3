"""What is relevant and unlike the past comes earlier."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foretaste.policy.serendipity import serendipitous, surprise


def test_a_surprise_is_the_distance_to_the_nearest_of_the_past():
    likeness = np.array([[0.2, 0.9], [0.0, 0.25]], np.float32)
    assert surprise(likeness).tolist() == pytest.approx([0.1, 0.75])


def test_to_whom_had_nothing_everything_is_a_surprise():
    assert surprise(np.empty((2, 0), np.float32)).tolist() == [1.0, 1.0]


def test_without_weight_relevance_stays():
    relevance = np.array([3.0, 1.0], np.float32)
    assert serendipitous(relevance, np.ones(2, np.float32), 0.0) is relevance


def test_at_a_fifth_a_full_surprise_is_worth_a_quarter_of_log_odds():
    relevance = np.array([1.0, 0.76, 0.74], np.float32)
    found = serendipitous(relevance, np.array([0.0, 1.0, 1.0], np.float32), 0.2)
    assert np.argsort(-found, kind="stable").tolist() == [1, 0, 2]


@given(weight=st.floats(0.0, 1.0), surprising=st.floats(0.0, 1.0), relevance=st.floats(-10.0, 10.0))
def test_a_surprise_never_costs_relevance_and_stays_finite(weight, surprising, relevance):
    found = serendipitous(np.array([relevance], np.float32), np.array([surprising], np.float32), weight)
    assert np.isfinite(found[0])
    assert found[0] >= np.float32(relevance)

"""Popular items have to be the likelier for being popular."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foretaste.policy.popularity import corrected


def test_no_correction_changes_nothing():
    relevance = np.array([0.5, -1.0], np.float32)
    assert corrected(relevance, np.array([9, 0]), 0.0) is relevance


@given(correction=st.floats(0.01, 1.0), popular=st.integers(0, 10**9))
def test_the_odds_are_divided_by_a_power_of_popularity(correction, popular):
    found = corrected(np.array([2.0], np.float32), np.array([popular]), correction)
    assert np.exp(found[0]) == pytest.approx(np.exp(2.0) / (1 + popular) ** correction, rel=1e-3)
    assert found.dtype == np.float32


def test_of_two_equally_likely_items_the_rarer_comes_first():
    found = corrected(np.zeros(3, np.float32), np.array([100, 0, 7]), 0.1)
    assert np.argsort(-found).tolist() == [1, 2, 0]

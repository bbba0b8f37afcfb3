"""The most relevant come first, whatever their number."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from foretaste.policy.order import best_first

RELEVANCE = st.lists(st.sampled_from([-1.0, 0.0, 0.5, 2.0, 2.5, 7.0]), max_size=300)


@given(relevance=RELEVANCE, count=st.integers(0, 300))
def test_the_best_are_as_by_sorting_of_equals_the_first(relevance, count):
    values = np.array(relevance, np.float32)
    expected = np.argsort(-values, kind="stable")[:count]
    assert best_first(values, count).tolist() == expected.tolist()

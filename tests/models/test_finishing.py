"""Scores out of keys."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from foretaste.models.finishing import LOGARITHMIC, PLAIN, TIMES, finish

KEYS = arrays.arrays(
    np.float32,
    st.integers(0, 70),
    elements=st.floats(0.0, float(np.finfo(np.float32).max), width=32, allow_subnormal=True),
)


def finished(keys, factor, how):
    scores = keys.copy()
    finish(scores, factor, how)
    return scores


@given(KEYS)
def test_a_logarithmic_score_is_the_float_next_to_the_logarithm(keys):
    scores, exact = finished(keys, 1.0, LOGARITHMIC), np.log1p(keys.astype(np.float64))
    assert (abs(scores - exact) <= 0.501 * np.spacing(exact.astype(np.float32))).all()


@given(KEYS)
def test_logarithmic_scores_are_in_the_order_of_their_keys(keys):
    keys = np.sort(keys)
    assert (np.diff(finished(keys, 0.25, LOGARITHMIC)) >= 0.0).all()


def test_what_is_no_finite_number_stays_as_it_is():
    keys = np.array([np.inf, np.nan], np.float32)
    assert np.array_equal(finished(keys, 1.0, LOGARITHMIC), keys, equal_nan=True)


def test_other_scores_are_products_or_the_keys_themselves():
    keys = np.array([0.0, 2.0], np.float32)
    assert finished(keys, 0.5, TIMES).tolist() == [0.0, 1.0]
    assert finished(keys, 0.5, PLAIN).tolist() == [0.0, 2.0]

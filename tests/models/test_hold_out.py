"""How much is held out of whom where nothing says what came last."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foretaste.models.hold_out import FEWEST_PEOPLE, given_up

lengths_of_few = st.lists(st.integers(0, 200), max_size=FEWEST_PEOPLE // 10)


@given(lengths_of_few, st.floats(0.0, 0.5), st.integers(0, 9))
def test_where_people_are_few_everyone_gives_up_the_share_rounded_up(lengths, share, seed):
    lengths = np.array(lengths, np.int64)
    lot = np.random.default_rng(seed).random(len(lengths))
    assert given_up(lengths, share, lot).tolist() == np.ceil(share * lengths).tolist()


@pytest.mark.parametrize("length", [2, 3, 7, 11, 40])
def test_about_the_share_is_given_up_however_short_histories_are(length):
    lengths = np.full(20_000, length)
    hidden = given_up(lengths, 0.1, np.random.default_rng(0).random(len(lengths)))
    assert hidden.sum() == pytest.approx(0.1 * lengths.sum(), rel=0.05)
    assert set(hidden.tolist()) <= {0, -(-length // 10)}


def test_enough_people_give_something_up_even_if_that_is_more_than_the_share():
    lengths = np.full(2 * FEWEST_PEOPLE, 2)
    hidden = given_up(lengths, 0.1, np.random.default_rng(0).random(len(lengths)))
    assert np.count_nonzero(hidden) == pytest.approx(FEWEST_PEOPLE, rel=0.1)


def test_the_lot_decides_and_not_the_length():
    lengths = np.array([3, 30] * 10_000)
    lot = np.random.default_rng(0).random(len(lengths))
    gives = given_up(lengths, 0.1, lot) > 0
    assert lot[gives].max() < lot[~gives].min()
    assert gives[::2].mean() == pytest.approx(gives[1::2].mean(), abs=0.03)

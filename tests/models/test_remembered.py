"""Remembered rows are those that are made anew, and never more than there is room for."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from foretaste.models.remembered import RememberedRows

MOST = 5


@given(st.lists(st.lists(st.integers(0, 12), max_size=9), max_size=8))
def test_rows_are_those_of_their_keys_whatever_was_asked_before(questions):
    remembered = RememberedRows(MOST)
    for numbers in questions:
        own = np.array(numbers, np.int64)

        def make(places, own=own):
            return own[places], np.stack((own[places], -own[places]), axis=1)

        one, two = remembered.of([(number, 0) for number in numbers], make)
        assert one.tolist() == numbers
        assert two.tolist() == [[number, -number] for number in numbers]


def test_what_was_asked_last_is_not_made_again_and_what_is_older_goes():
    remembered, made = RememberedRows(MOST), []

    def make(places):
        made.append(len(places))
        return (places.astype(np.float32),)

    remembered.of([(number, 1) for number in range(MOST)], make)
    remembered.of([(number, 1) for number in range(MOST)], make)
    remembered.of([(MOST, 1), (1, 1), (2, 1)], make)
    remembered.of([(0, 1)], make)
    assert made == [MOST, 1, 1]

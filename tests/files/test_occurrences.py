"""Numbering equal rows across pieces: the law that cutting a file into pieces changes nothing."""

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from foretaste.adapters.files.occurrences import Occurrences

PIECES = st.lists(st.lists(st.integers(0, 30), max_size=12), max_size=40)


@given(PIECES)
def test_a_row_is_numbered_by_how_many_equal_ones_came_before_it_in_any_piece(pieces):
    occurrences, seen = Occurrences(), Counter()
    for piece in pieces:
        numbered = occurrences.number(np.array(piece, np.uint64)).tolist()
        for row, number in zip(piece, numbered, strict=True):
            assert number == seen[row]
            seen[row] += 1


def test_what_was_seen_is_kept_in_few_runs_however_many_pieces_come():
    occurrences = Occurrences()
    for piece in range(500):
        occurrences.number(np.arange(piece * 10, piece * 10 + 10).astype(np.uint64))
    assert len(occurrences._runs) <= 2 + np.log2(500)

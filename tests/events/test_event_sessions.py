"""Sessions: runs of one person's events without a pause longer than the gap."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from foretaste.events.sessions import session_numbers

SECOND = 1_000_000
GAP = 10.0
rows = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 100)), max_size=40)


def numbers(pairs):
    user = np.array([user for user, _ in pairs], np.int32)
    time = np.array([second * SECOND for _, second in pairs], np.int64)
    return session_numbers(user, time, GAP)


def plainly(pairs):
    """The definition, read aloud."""
    found, number = {}, -1
    for user in sorted({user for user, _ in pairs}):
        latest = None
        for second in sorted({second for other, second in pairs if other == user}):
            number += latest is None or second - latest > GAP
            found[user, second] = number
            latest = second
    return [found[pair] for pair in pairs]


def test_a_pause_of_exactly_the_gap_does_not_end_a_session():
    assert numbers([(1, 0), (1, 10), (1, 21), (2, 22)]).tolist() == [0, 0, 1, 2]


def test_no_events_have_no_sessions():
    assert numbers([]).tolist() == []


@given(rows)
def test_sessions_are_what_the_definition_says(pairs):
    assert numbers(pairs).tolist() == plainly(pairs)


@given(rows, st.randoms())
def test_the_order_of_arrival_does_not_matter(pairs, chance):
    mixed = list(pairs)
    chance.shuffle(mixed)
    assert sorted(zip(mixed, numbers(mixed).tolist(), strict=True)) == sorted(
        zip(pairs, numbers(pairs).tolist(), strict=True)
    )

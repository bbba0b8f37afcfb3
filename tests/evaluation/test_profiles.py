"""A profile is what counts and came before the question, each item once."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from foretaste.domain.event import EventColumns
from foretaste.evaluation.profiles import profiles_before


def columns(pairs):
    n = len(pairs)
    user, item = (np.array([pair[side] for pair in pairs], np.int32) for side in (0, 1))
    seq = np.arange(1, n + 1)
    return EventColumns(0, seq, user, item, np.zeros(n, np.int16), seq, seq, np.full(n, np.nan, np.float32))


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5), st.booleans()), max_size=30),
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 31)), max_size=8),
)
def test_profiles_are_what_the_definition_says(events, asked):
    log = columns([event[:2] for event in events])
    counts = np.array([event[2] for event in events], bool)
    user = np.array([who for who, _ in asked], np.int32)
    position = np.array([min(at, len(events)) for _, at in asked], np.int64)
    found = profiles_before(log, counts, user, position)
    for question, (who, at) in enumerate(zip(user.tolist(), position.tolist(), strict=True)):
        expected = {item for u, item, counted in events[:at] if u == who and counted}
        items = found.item[found.start[question] : found.start[question + 1]].tolist()
        assert sorted(items) == sorted(expected)
    assert len(found) == len(asked)


def test_the_mean_of_an_empty_profile_is_zero():
    found = profiles_before(
        columns([(0, 1), (0, 2)]), np.ones(2, bool), np.array([0, 0, 1], np.int32), np.array([2, 0, 2])
    )
    assert found.mean_of(np.array([0.0, 1.0, 4.0])).tolist() == [2.5, 0.0, 0.0]

"""Who worked something out of all items follows the ones that events were about since."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from foretaste.features.recent_items import MOST, RecentItems

BATCHES = st.lists(st.lists(st.integers(-1, 30), max_size=6), max_size=12)


def noted(batches):
    recent, seq, ends = RecentItems(), 0, [0]
    for items in batches:
        recent.note(seq, seq + len(items), np.array(items, np.int32))
        seq += len(items)
        ends.append(seq)
    return recent, ends


@given(batches=BATCHES)
def test_items_of_all_events_since_a_batch_are_told_once_and_rising(batches):
    recent, ends = noted(batches)
    for at, seq in enumerate(ends):
        since = {item for items in batches[at:] for item in items if item >= 0}
        assert recent.since(seq, ends[-1]).tolist() == sorted(since)


def test_what_is_long_ago_is_not_told():
    recent, ends = noted([[1]] * (MOST + 10))
    assert recent.since(0, ends[-1]) is None
    assert recent.since(ends[-1] - 5, ends[-1]).tolist() == [1]


def test_more_items_at_once_than_are_remembered_are_not_told():
    recent, ends = noted([[1], list(range(MOST + 1)), [2]])
    assert recent.since(1, ends[-1]) is None
    assert recent.since(ends[2], ends[-1]).tolist() == [2]


def test_events_that_nobody_noted_are_not_told():
    recent, _ = noted([[1], [2]])
    assert recent.since(1, 7) is None
    recent.note(7, 8, np.array([3], np.int32))
    assert recent.since(1, 8) is None
    assert recent.since(7, 8).tolist() == [3]

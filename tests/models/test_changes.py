"""What a model has other rows for by now is told by the edition from which somebody asks."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from foretaste.features.recent_items import MOST
from foretaste.models.changes import Changes, edition_of, meet

NOTED = st.lists(st.lists(st.integers(0, 30), max_size=5), max_size=12)


def ordinals(items):
    return np.array(items, np.int32)


@given(noted=NOTED, item=st.integers(0, 30))
def test_what_changed_since_an_edition_is_all_that_was_noted_after_it(noted, item):
    changes, after = Changes(), []
    for items in noted:
        after.append((changes.edition, set()))
        for _, seen in after:
            seen.update(items)
        changes.note(ordinals(items))
    for edition, seen in after:
        assert set(changes.since(edition).tolist()) == seen
        assert changes.concern(ordinals([item]), edition) == (item in seen)


def test_an_edition_ends_only_where_something_changes():
    changes = Changes()
    changes.note(ordinals([]))
    assert changes.edition == edition_of(changes) == 0
    changes.note(ordinals([3]))
    assert changes.edition == edition_of(changes) == 1
    assert edition_of(object()) == 0


def test_what_is_long_ago_may_concern_everything():
    changes = Changes()
    changes.note(ordinals(range(MOST + 1)))
    assert changes.since(0) is None
    assert changes.concern(ordinals([MOST + 7]), 0)
    assert not changes.concern(ordinals([3]), changes.edition)


@given(items=st.lists(st.integers(0, 40), max_size=8), rising=st.sets(st.integers(0, 40), max_size=8))
def test_lists_meet_where_they_share_an_item(items, rising):
    assert meet(ordinals(items), ordinals(sorted(rising))) == bool(rising & set(items))

"""The last hour's categories."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foretaste.domain.history import History
from foretaste.domain.item import Item
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.ranking.boost import boost_shares, boosts, recent_interest

CATEGORIES = CatalogColumns.of(
    [
        Item(item_id="a", categories=("x",)),
        Item(item_id="b", categories=("x", "y")),
        Item(item_id="c", categories=("z",)),
        Item(item_id="d"),
    ]
).categories
EVERY = np.arange(6, dtype=np.int32)
SECOND = 1_000_000
EVENTS = st.lists(
    st.tuples(st.integers(0, 5), st.sampled_from([-1.0, 0.3, 0.5, 2.0]), st.integers(0, 7200)), max_size=12
)


def a_history(events) -> History:
    events = sorted(events, key=lambda event: event[2])
    item, weight, time = (np.array([event[part] for event in events]) for part in range(3))
    return History(
        item.astype(np.int32),
        weight.astype(np.float32),
        time.astype(np.int64) * SECOND,
        np.zeros(len(events), np.int16),
    )


def test_what_shares_the_categories_of_recent_events_is_boosted_by_their_part():
    history = a_history([(0, 1.0, 3700), (1, 1.0, 3800), (2, 5.0, 10)])
    interest = recent_interest(history, CATEGORIES, 3900 * SECOND, 3600.0)
    assert boosts(interest, CATEGORIES, EVERY).tolist() == [0.75, 1.0, 0.0, 0.0, 0.0, 0.0]


@given(EVENTS)
def test_a_boost_lies_between_0_and_1_and_is_the_sum_of_its_explanation(events):
    history = a_history(events)
    interest = recent_interest(history, CATEGORIES, 7200 * SECOND, 3600.0)
    if interest is None:
        assert not any(weight > 0 and time > 3600 for _, weight, time in events)
        return
    boost = boosts(interest, CATEGORIES, EVERY)
    assert ((boost >= 0.0) & (boost <= 1.0)).all()
    shares = boost_shares(interest, CATEGORIES, history, EVERY)
    assert shares.sum(axis=1) == pytest.approx(boost, abs=1e-6)
    assert not shares[:, history.time <= 3600 * SECOND].any()


@pytest.mark.parametrize("events", [[], [(0, 1.0, 10)], [(0, -1.0, 7000)]])
def test_without_a_recent_liking_there_is_no_boost(events):
    assert recent_interest(a_history(events), CATEGORIES, 7200 * SECOND, 3600.0) is None


def test_zero_seconds_switch_the_boost_off():
    assert recent_interest(a_history([(0, 1.0, 7200)]), CATEGORIES, 7200 * SECOND, 0.0) is None

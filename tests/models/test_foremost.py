"""Which past item speaks most for others: the one of the largest share, told with and without all of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foretaste.domain.history import History
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.features.recency import Recency
from foretaste.features.state import State, StateConfig
from foretaste.models.foremost import foremost
from foretaste.models.interface import Moment
from foretaste.models.transitions import Transitions, TransitionsConfig
from foretaste.testing.event_factories import EVENT_TYPES, event_columns, random_events

NOW = 10**18
N_ITEMS = 30


def folded(seed):
    state = State(StateConfig(), lambda: EVENT_TYPES)
    state.apply(random_events(seed, 400, n_users=10, n_items=N_ITEMS))
    return state


def moment_of(state):
    return Moment(NOW, state.items, CatalogColumns.empty())


@pytest.mark.parametrize("relation", ["follow", "together"])
@given(
    seed=st.integers(0, 5),
    damping=st.sampled_from([0.0, 0.5, 1.0]),
    recency=st.sampled_from([Recency(), Recency(half_life_events=2.0), Recency(half_life_seconds=60.0)]),
)
def test_it_is_the_item_of_the_largest_share_above_0(relation, seed, damping, recency):
    state = folded(seed)
    model = Transitions(TransitionsConfig(relation=relation, damping=damping, recency=recency))
    moment, items = moment_of(state), np.arange(N_ITEMS, dtype=np.int32)
    for user in range(10):
        history = state.history(user)
        shares = model.explain_each(history, items, moment)
        for item, past in zip(items, foremost(model, history, items, moment).tolist(), strict=True):
            of_item = shares[item]
            if past < 0:
                assert not (of_item > 0.0).any()
            else:
                assert of_item[history.item == past].max() == pytest.approx(of_item.max())


class Even:
    """Says as much of every item for each event on an item of an even number."""

    def explain_each(self, history, items, moment):  # noqa: ARG002 - the same at any moment
        return np.tile(np.float32(history.item % 2 == 0), (len(items), 1))


def test_of_equal_shares_the_earliest_counts():
    state = State(StateConfig(), lambda: EVENT_TYPES)
    state.apply(event_columns([(0, 3, 0, 1), (0, 4, 0, 2), (0, 6, 0, 3)]))
    asked = np.arange(2, dtype=np.int32)
    assert foremost(Even(), state.history(0), asked, moment_of(state)).tolist() == [4, 4]


def test_without_events_that_speak_it_is_nobody():
    state = State(StateConfig(), lambda: EVENT_TYPES)
    state.apply(event_columns([(0, 3, 0, 1), (0, 5, 0, 2)]))
    asked = np.arange(2, dtype=np.int32)
    for model in (Even(), Transitions(TransitionsConfig())):
        for user in (0, 1):
            assert foremost(model, state.history(user), asked, moment_of(state)).tolist() == [-1, -1]


def test_an_event_counts_from_when_its_item_is_known():
    state, model, later = folded(1), Transitions(TransitionsConfig()), N_ITEMS + 10
    history = History(
        item=np.array([later], np.int32),
        weight=np.ones(1, np.float32),
        time=np.zeros(1, np.int64),
        type=np.zeros(1, np.int16),
    )
    assert model.explain(history, 7, moment_of(state)).tolist() == [0.0]
    state.apply(event_columns([(3, later, 0, 4_000_000), (3, 7, 0, 4_000_001)], previous_seq=state.seq))
    assert model.explain(history, 7, moment_of(state))[0] > 0.0

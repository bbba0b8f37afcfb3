"""What any event changes is kept until the next event, for as many histories as were asked about."""

from weakref import ref

import numpy as np

from foretaste.features.catalog_columns import CatalogColumns
from foretaste.features.state import State, StateConfig
from foretaste.models import live_model
from foretaste.models.interface import Moment
from foretaste.models.transitions import Transitions, TransitionsConfig
from foretaste.testing.event_factories import EVENT_TYPES, event_columns, random_events

NOW = 10**18


def folded():
    state = State(StateConfig(), lambda: EVENT_TYPES)
    state.apply(random_events(3, 400, n_users=10, n_items=30))
    return state


def moment_of(state):
    return Moment(NOW, state.items, CatalogColumns.empty())


def test_it_is_kept_until_the_next_event_and_then_said_anew():
    state, model = folded(), Transitions(TransitionsConfig())
    history = state.history(1)
    told = model.told(history, moment_of(state))
    assert model.told(history, moment_of(state)) is told
    state.apply(event_columns([(2, 5, 0, 4_000_000)], previous_seq=state.seq))
    anew = model.told(history, moment_of(state))
    assert anew is not told
    fresh = Transitions(TransitionsConfig()).made(history, moment_of(state))[0]
    assert sorted(anew.entries.tolist()) == sorted(fresh.tolist())


def test_nobody_holds_it_after_that():
    state, model = folded(), Transitions(TransitionsConfig())
    first, second = state.history(1), state.history(2)
    told = ref(model.told(first, moment_of(state)))
    assert told() is not None
    state.apply(event_columns([(2, 5, 0, 4_000_000)], previous_seq=state.seq))
    model.told(second, moment_of(state))
    assert told() is None


def test_without_events_it_is_kept_for_the_latest_histories(monkeypatch):
    monkeypatch.setattr(live_model, "MOST_UNTIL_EVENT", 3)
    state, model = folded(), Transitions(TransitionsConfig())
    histories = [state.history(user) for user in range(8)]
    kept = [ref(model.told(history, moment_of(state))) for history in histories]
    assert 0 < np.count_nonzero([told() is not None for told in kept]) <= 3
    assert kept[-1]() is model.told(histories[-1], moment_of(state))

"""What a person had before: the more often and the more lately, the louder."""

import numpy as np
import pytest

from foretaste.domain.interactions import Interactions
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.features.recency import Recency
from foretaste.features.state import State, StateConfig
from foretaste.models.interface import Moment
from foretaste.models.repetition import Repetition, RepetitionConfig
from foretaste.testing.event_factories import EVENT_TYPES, event_columns

CLICK = EVENT_TYPES.index("click")
MINUTE = 60_000_000
N_USERS, N_ITEMS = 40, 60


def folded(*events):
    state = State(StateConfig(), lambda: EVENT_TYPES)
    rows = [(user, item, CLICK, place * MINUTE) for place, (user, item) in enumerate(events)]
    state.apply(event_columns(rows))
    return state


def moment_of(state, user=0):
    return Moment(10**15, state.items, CatalogColumns.empty(), state.people, user)


def scores(state, **config):
    return Repetition(RepetitionConfig(**config)).score(state.history(0), moment_of(state))


def test_items_score_the_sum_of_what_their_events_still_weigh():
    state = folded((0, 1), (0, 2), (0, 1), (0, 3))
    each = float(state.history(0).weight[0])
    found = scores(state, recency=Recency(half_life_events=1.0), latest=1.0)
    assert found == pytest.approx([0.0, each * (0.125 + 0.5), each * 0.25, each])


def test_no_event_is_forgotten():
    state = folded((0, 1), *((0, 2 + number) for number in range(50)))
    assert scores(state, recency=Recency(power=1.0), latest=1.0)[1] > 0.0


def test_the_item_of_the_last_event_can_be_held_back():
    state = folded((0, 2), (0, 1), (0, 2))
    assert scores(state, recency=Recency(), latest=0.0)[2] == 0.0
    assert scores(state, recency=Recency(), latest=0.5)[2] == pytest.approx(
        scores(state, recency=Recency())[1]
    )


def test_what_others_do_changes_nothing_of_what_is_kept():
    state, model = folded((0, 1), (0, 2)), Repetition(RepetitionConfig())
    history = state.history(0)
    told = model.told(history, moment_of(state))
    state.apply(event_columns([(1, 2, CLICK, 9 * MINUTE)], previous_seq=state.seq))
    assert model.told(history, moment_of(state)) is told


def habits(seed, *, at_once):
    """Return a log of people who go round among eight items of their own, or stay with one for a while."""
    generator = np.random.default_rng(seed)
    own = generator.integers(0, N_ITEMS, (N_USERS, 8))
    user = generator.integers(0, N_USERS, 3_000)
    place = np.empty(len(user), np.int64)
    turn = np.zeros(N_USERS, np.int64)
    for row, person in enumerate(user.tolist()):
        turn[person] += 1
        place[row] = turn[person] // 3 if at_once else turn[person]
    return Interactions(
        user=user.astype(np.int32),
        item=own[user, place % 8].astype(np.int32),
        weight=np.ones(len(user), np.float32),
        time=np.arange(len(user), dtype=np.int64) * MINUTE,
        n_users=N_USERS,
        n_items=N_ITEMS,
        timed=True,
    )


@pytest.mark.parametrize(("at_once", "latest"), [(False, 0.0), (True, 1.0)])
def test_whether_anything_is_taken_twice_in_a_row_is_told_by_the_log(at_once, latest):
    model = RepetitionConfig().fit(habits(3, at_once=at_once), 0, CatalogColumns.empty())
    assert model.config.latest == latest

"""Popularity by circumstances: what it learns of people and hours, and when it stays silent."""

from dataclasses import replace

import numpy as np
import pytest

from foretaste.domain.circumstances import Circumstances, circumstances_of, clock_of, written
from foretaste.domain.errors import CorruptArtifactError
from foretaste.domain.event import EventColumns
from foretaste.domain.interactions import Interactions
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.features.state import State, StateConfig
from foretaste.models.circumstance_lifts import Lifts
from foretaste.models.context_popularity import ContextPopularity, ContextPopularityConfig
from foretaste.models.interface import Moment

N_USERS, N_ITEMS, EACH = 600, 40, 8
HOUR = 3_600_000_000
NOBODY = State(StateConfig(), lambda: ["purchase"]).history(-1)


def log_of(*, matters: bool, seed: int = 0):
    """Return interactions in which, if it `matters`, women take to even items and men to odd ones."""
    generator = np.random.default_rng(seed)
    user = np.repeat(np.arange(N_USERS), EACH).astype(np.int32)
    half = generator.permuted(np.tile(np.arange(N_ITEMS // 2), (N_USERS, 1)), axis=1)[:, :EACH].ravel()
    side = user % 2 if matters else generator.integers(0, 2, len(user))
    people = [
        {"gender": "F" if number % 2 == 0 else "M", "age": 20.0 + number % 3} for number in range(N_USERS)
    ]
    return Interactions(
        user=user,
        item=(2 * half + side).astype(np.int32),
        weight=np.ones(len(user), np.float32),
        time=np.arange(len(user)) * HOUR // 7 + 10**15,
        n_users=N_USERS,
        n_items=N_ITEMS,
        circumstances=circumstances_of(people),
    )


def moment_of(interactions, *circumstances):
    n = len(interactions)
    state = State(StateConfig(), lambda: ["purchase"])
    state.apply(
        EventColumns(
            previous_seq=0,
            seq=np.arange(1, n + 1),
            user=interactions.user,
            item=interactions.item,
            type=np.zeros(n, np.int16),
            time=interactions.time,
            key=np.arange(n),
            value=np.full(n, np.nan, np.float32),
        )
    )
    now = int(interactions.time[-1]) + 1
    return Moment(now, state.items, CatalogColumns.empty(), circumstances=circumstances)


@pytest.fixture(scope="module")
def telling():
    return log_of(matters=True)


@pytest.fixture(scope="module")
def model(telling):
    return ContextPopularityConfig().fit(telling, 0, CatalogColumns.empty())


def test_a_stranger_gets_what_people_alike_take_to(model, telling):
    for gender, side in (("f", 0), ("m", 1)):
        score = model.score(NOBODY, moment_of(telling, f"gender={gender}"))
        assert score[side::2].min() > score[1 - side :: 2].max()


def test_what_tells_nothing_is_not_heard(model):
    assert model.config.keys == ("gender",)


def test_it_is_silent_where_nothing_is_known_of_the_moment(model, telling):
    assert not model.score(NOBODY, moment_of(telling)).any()
    assert not model.score(NOBODY, moment_of(telling, "planet=mars")).any()


def test_nothing_is_heard_where_nothing_matters():
    found = ContextPopularityConfig().fit(log_of(matters=False), 0, CatalogColumns.empty())
    assert "gender" not in found.config.keys


def test_some_items_score_as_they_do_among_all(model, telling):
    moment = moment_of(telling, "gender=f")
    items = np.array([5, 0, 39], np.int32)
    assert model.score(NOBODY, moment, items).tolist() == model.score(NOBODY, moment)[items].tolist()


def test_the_same_interactions_give_the_same_arrays(model, telling):
    again = ContextPopularityConfig().fit(telling, 0, CatalogColumns.empty())
    for name, array in model.arrays().items():
        assert array.tobytes() == again.arrays()[name].tobytes()


def test_a_model_comes_back_from_its_arrays(model, telling):
    rebuilt = ContextPopularity.from_arrays(
        {"keys": ["gender"], "pull": 3.0, "share": model.config.share}, model.arrays()
    )
    moment = moment_of(telling, "gender=m")
    half_life = model.config.half_life
    if half_life is None:
        assert rebuilt.score(NOBODY, moment).tolist() == model.score(NOBODY, moment).tolist()
    assert Lifts.from_arrays(model.arrays()).names == ("gender=f", "gender=m")


def test_damaged_arrays_are_refused(model):
    arrays = {**model.arrays(), "start": np.array([0], np.int64)}
    with pytest.raises(CorruptArtifactError):
        Lifts.from_arrays(arrays)


def test_who_came_early_does_not_seem_to_dislike_what_came_late():
    """Men all came before the new items: that says nothing about their taste."""
    early, late = log_of(matters=False), log_of(matters=False, seed=1)
    n = len(early)
    gender = [{"gender": "M"}] * N_USERS + [{"gender": "F"}] * N_USERS
    both = Interactions(
        user=np.concatenate([early.user, late.user + N_USERS]).astype(np.int32),
        item=np.concatenate([early.item, late.item + N_ITEMS]).astype(np.int32),
        weight=np.ones(2 * n, np.float32),
        time=np.arange(2 * n) * HOUR + 10**15,
        n_users=2 * N_USERS,
        n_items=2 * N_ITEMS,
        circumstances=circumstances_of(gender),
    )
    config = ContextPopularityConfig(keys=("gender",), pull=10.0, share=1.0)
    found = config.fit(both, 0, CatalogColumns.empty())
    lifts = Lifts.from_arrays(found.arrays())
    _, value = lifts.of(lifts.names.index("gender=m"))
    assert np.abs(value).max(initial=0.0) < 0.7


class TestWords:
    """How circumstances are written."""

    def test_numbers_are_told_apart_in_tens_and_texts_in_lower_case(self):
        told = written({"country": " France ", "age": 24.0, "member": True})
        assert told == ("age=20", "country=france", "member=true")

    def test_the_clock_tells_three_hours_and_the_weekday(self):
        assert clock_of(0) == ("hour=0", "weekday=3")
        assert clock_of(19 * HOUR) == ("hour=18", "weekday=3")

    def test_people_have_their_own_and_strangers_none(self):
        people = circumstances_of([{"age": 24.0}, {}, {"age": 29.0, "gender": "F"}])
        assert people.of(0) == ("age=20",)
        assert people.of(1) == ()
        assert people.of(2) == ("age=20", "gender=f")
        assert people.of(-1) == people.of(3) == Circumstances().of(0) == ()

    def test_only_the_most_frequent_are_told_apart(self):
        people = circumstances_of([{"id": f"user-{number}", "kind": "same"} for number in range(400)])
        assert len(people.names) == 256
        assert people.of(399) == ("kind=same",)


@pytest.mark.parametrize("circumstance", ["gender=f", "gender=m", "planet=mars"])
def test_keys_of_some_items_are_those_among_all(model, telling, circumstance):
    moment = moment_of(telling, circumstance)
    items = np.array([0, 5, 38, 39], np.int32)
    assert model.keys_of(items, moment).tolist() == model.keys(moment)[items].tolist()


def test_keys_are_the_same_for_an_audience_within_a_minute(model, telling):
    moment = moment_of(telling, "gender=f")
    start = moment.now // 60_000_000 * 60_000_000
    first, last, later = (replace(moment, now=start + more) for more in (0, 59_999_999, 60_000_000))
    assert model.stage(first) == model.stage(last)
    assert model.keys(first).tolist() == model.keys(last).tolist()
    assert model.stage(first) != model.stage(later)
    assert model.audience(first) != model.audience(replace(moment, circumstances=("gender=m",)))

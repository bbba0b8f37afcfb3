"""Data with an order for each person and no clock: who is asked what, and what nobody may know then."""

import numpy as np
import pytest

from foretaste.training.config import TrainConfig
from foretaste.training.evaluate import learn_blend, state_before
from foretaste.training.fit import fit_sources
from foretaste.training.prepare import prepare

DAY = 86_400_000_000
N_USERS, LENGTH = 30, 6


@pytest.fixture
def sequences(make_corpus):
    generator = np.random.default_rng(0)
    user = np.tile(np.arange(N_USERS), LENGTH)
    item = generator.permutation(N_USERS * LENGTH) % 60
    return make_corpus(user.tolist(), item.tolist(), np.repeat(np.arange(LENGTH) * DAY, N_USERS).tolist())


@pytest.fixture
def prepared(sequences):
    return prepare(sequences, TrainConfig(effort="quick"), 0)


def test_places_in_a_sequence_are_seen_for_what_they_are(prepared):
    assert prepared.kind == "sequence"
    assert not prepared.timed
    assert prepared.tune == N_USERS * (LENGTH - 2)
    assert sorted(prepared.events.user[prepared.test :].tolist()) == list(range(N_USERS))
    assert (prepared.events.time[prepared.test :] == (LENGTH - 1) * DAY).all()
    assert "order" in prepared.words


def test_models_learn_from_the_order_and_from_nothing_that_tunes_or_tests(prepared):
    interactions = prepared.interactions(prepared.tune)
    assert interactions.timed
    assert interactions.sequential
    assert interactions.time.max() == (LENGTH - 3) * DAY
    everything = prepared.interactions(len(prepared.events))
    assert (np.diff(everything.time) >= 0).all()


def test_when_it_is_judged_only_its_own_person_knows_what_tuned(prepared):
    trained, judged = state_before(prepared, prepared.tune), state_before(prepared, prepared.test)
    assert judged.items.interactions.tolist() == trained.items.interactions.tolist()
    for user in range(N_USERS):
        assert len(judged.history(user)) == len(trained.history(user)) + 1
    assert judged.people.sessions.users.tolist() == trained.people.sessions.users.tolist()


def test_learning_the_blend_lets_in_no_more_than_that(prepared):
    models = fit_sources(
        prepared.sources, prepared.interactions(prepared.tune), prepared.corpus.catalog, seed=0
    ).models
    state = state_before(prepared, prepared.tune)
    learn_blend(prepared, state, models)
    assert state.fingerprint() == state_before(prepared, prepared.test).fingerprint()


def test_there_are_sources_of_order_and_none_of_age(prepared):
    assert {"transitions", "together"} <= set(prepared.sources)
    assert not [name for name in prepared.sources if name.startswith("popularity_")]


def test_a_timed_log_can_be_judged_by_sequence_too(timed_corpus):
    prepared = prepare(timed_corpus, TrainConfig(split="sequence"), 0)
    assert prepared.kind == "sequence"
    last = prepared.events.take(prepared.test, len(prepared.events))
    for user, time in zip(last.user.tolist(), last.time.tolist(), strict=True):
        assert time == timed_corpus.events.time[timed_corpus.events.user == user].max()

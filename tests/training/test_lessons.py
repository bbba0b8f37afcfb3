"""What the blend is asked to learn from, and how long it goes on asking."""

from dataclasses import replace

import numpy as np
import pytest

from foretaste.models.popularity import PopularityConfig
from foretaste.training import evaluate
from foretaste.training.config import TrainConfig
from foretaste.training.evaluate import learn_blend, state_before
from foretaste.training.fit import fit_sources
from foretaste.training.lessons import ROUNDS, lessons
from foretaste.training.prepare import prepare


@pytest.fixture
def held_out(untimed_corpus):
    return prepare(untimed_corpus, TrainConfig(tuned=30), 0)


def test_in_order_of_time_there_is_one_round(timed_corpus):
    rounds = list(lessons(prepare(timed_corpus, TrainConfig(tuned=30), 0)))
    assert len(rounds) == 1
    assert rounds[0] == sorted(rounds[0])


def test_rounds_of_a_hold_out_ask_of_people_what_no_round_before_asked(held_out):
    rounds = list(lessons(held_out))
    assert len(rounds) == ROUNDS
    own = [position for asked in rounds for position, user, _ in asked if user >= 0]
    assert len(own) == len(set(own)) == 30 * ROUNDS
    assert {held_out.tune <= position < held_out.test for position in own} == {True}


def test_of_strangers_a_hold_out_asks_in_its_first_round(held_out):
    strangers = [sum(user < 0 for _, user, _ in asked) for asked in lessons(held_out)]
    assert strangers == [10, 0, 0, 0]


def test_a_hold_out_that_asks_everything_has_nothing_left_for_another_round(held_out):
    every = replace(held_out, config=replace(held_out.config, tuned=None))
    assert [len(asked) > 0 for asked in lessons(every)] == [True, False, False, False]


@pytest.mark.parametrize(("proposed", "rounds"), [(1.0, 1), (0.3, 2), (0.0, ROUNDS)])
def test_more_is_asked_while_no_source_proposes_half_of_the_answers(held_out, monkeypatch, proposed, rounds):
    asked_in, lot = [], np.random.default_rng(0)

    def some_are_proposed(asked, prepared, composition, advance):
        samples = every(asked, prepared, composition, advance)
        asked_in.append(len(asked))
        return [sample for sample in samples if lot.random() < proposed]

    every = evaluate._learnt_from
    monkeypatch.setattr(evaluate, "_learnt_from", some_are_proposed)
    catalog = held_out.corpus.catalog
    window = held_out.interactions(held_out.tune)
    models = fit_sources({"popularity": PopularityConfig()}, window, catalog, seed=0).models
    learn_blend(held_out, state_before(held_out, held_out.tune), models)
    assert len(asked_in) == rounds

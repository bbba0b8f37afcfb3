"""What a learner's configuration leaves open is chosen on honest questions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foretaste.domain.interactions import Interactions
from foretaste.features.recency import Recency
from foretaste.models.grid_walk import walk
from foretaste.models.tuning import MAX_QUERIES_PER_USER, USUAL_RECENCY, best_recency, ndcg, validation


def interactions(n=400, timed=True, seed=0, n_items=90):
    generator = np.random.default_rng(seed)
    return Interactions(
        generator.integers(0, 20, n).astype(np.int32),
        generator.integers(0, n_items, n).astype(np.int32),
        np.ones(n, np.float32),
        np.arange(n) if timed else np.zeros(n, np.int64),
        20,
        n_items,
        timed=timed,
    )


def pairs(questions):
    return zip(questions.histories, questions.answers, strict=True)


def test_timed_questions_ask_for_the_last_tenth_from_all_that_was_before():
    data = interactions()
    questions = validation(data, 0)
    assert len(questions.train) == 360
    assert questions.train.time.max() < 360
    for history, answer in zip(questions.histories, questions.answers, strict=True):
        asked = np.flatnonzero((data.item == answer[0]) & (data.time > history.time[-1]) & (data.time >= 360))
        assert len(history) > 0
        assert len(asked) > 0
        assert answer[0] not in history.item


def test_untimed_questions_hold_out_a_part_of_every_history():
    data = interactions(timed=False)
    questions = validation(data, 0)
    assert 0.85 * len(data) < len(questions.train) < 0.95 * len(data)
    for history, answer in zip(questions.histories, questions.answers, strict=True):
        assert len(np.intersect1d(history.item, answer)) == 0


def test_without_times_everyone_with_two_events_is_asked():
    user = np.repeat(np.arange(30), np.arange(1, 31)).astype(np.int32)
    item = np.concatenate([np.arange(n) for n in range(1, 31)]).astype(np.int32)
    ones, none = np.ones(len(user), np.float32), np.zeros(len(user), np.int64)
    questions = validation(Interactions(user, item, ones, none, 30, 30, timed=False), 0)
    lengths = {len(history) + len(answer): len(answer) for history, answer in pairs(questions)}
    assert lengths == {n: -(-n // 10) for n in range(2, 31)}


def test_of_short_histories_without_times_a_tenth_is_held_out_and_no_more():
    user = np.repeat(np.arange(10_000, dtype=np.int32), 3)
    item = np.tile(np.arange(3, dtype=np.int32), 10_000)
    ones, none = np.ones(len(user), np.float32), np.zeros(len(user), np.int64)
    questions = validation(Interactions(user, item, ones, none, 10_000, 3, timed=False), 0)
    assert len(questions.train) == pytest.approx(0.9 * len(user), rel=0.01)


def test_no_person_asks_more_than_a_few_questions():
    questions = validation(interactions(9000, n_items=5000), 0)
    first = [int(history.time[0]) for history in questions.histories]
    assert max(first.count(time) for time in set(first)) == MAX_QUERIES_PER_USER


@pytest.mark.parametrize("timed", [True, False])
def test_the_same_seed_asks_the_same(timed):
    one, two = (validation(interactions(timed=timed), 5) for _ in range(2))
    assert [answer.tolist() for answer in one.answers] == [answer.tolist() for answer in two.answers]


def test_ndcg_is_one_for_an_oracle_and_nothing_for_equal_scores():
    questions = validation(interactions(timed=False), 0)
    answers = {
        id(history): answer for history, answer in zip(questions.histories, questions.answers, strict=True)
    }

    def oracle(histories):
        scores = np.zeros((len(histories), 90), np.float32)
        for row, history in zip(scores, histories, strict=True):
            row[answers[id(history)]] = np.arange(len(answers[id(history)]), 0, -1)
        return scores

    assert ndcg(questions, oracle) == pytest.approx(1.0)
    assert ndcg(questions, lambda histories: np.zeros((len(histories), 90), np.float32)) == 0.0


def test_recency_is_tried_on_timed_data_only():
    timed, untimed = validation(interactions(2000), 0), validation(interactions(2000, timed=False), 0)
    best = best_recency(timed, lambda recency: recency.half_life_events or 0.0)
    assert best == Recency(half_life_events=64.0)
    assert best_recency(timed, lambda recency: 1.0 + 0.001 * recency.power) == USUAL_RECENCY
    assert best_recency(untimed, lambda recency: recency.half_life_events or 0.0) == Recency()


@given(
    peak=st.tuples(st.integers(-3, 3), st.integers(-3, 3)),
    most=st.integers(1, 60),
)
def test_the_walk_climbs_and_asks_of_no_place_twice(peak, most):
    asked = []

    def value(place):
        asked.append(place)
        return 2.0 ** -(abs(place[0] - peak[0]) + abs(place[1] - peak[1]))

    found = walk(value, ((1, 0), (-1, 0), (0, 1), (0, -1)), most)
    assert len(asked) == len(set(asked)) <= most
    assert value(found) == max(value(place) for place in tuple(asked))
    if most == 60:
        assert found == peak


def test_the_walk_does_not_move_for_noise():
    assert walk(lambda place: 1.0 + 0.005 * place[0], ((1,), (-1,)), 10) == (0,)


def test_a_walk_leaves_its_place_only_for_what_is_worth_it():
    assert walk(lambda place: 1.0 + 0.015 * place[0], [(1,)], 3) == (2,)

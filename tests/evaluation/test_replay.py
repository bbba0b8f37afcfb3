"""The live protocol: ask, note, then let it happen, and never look ahead."""

import numpy as np
import pytest

from foretaste.domain.event import EventColumns
from foretaste.evaluation.hold_out import held_back, judge
from foretaste.evaluation.judgement import Surroundings, scores_of
from foretaste.evaluation.liveness import changed, measure_liveness
from foretaste.evaluation.replay import drawn, questions, replay


def columns(users, items):
    n = len(users)
    return EventColumns(
        previous_seq=0,
        seq=np.arange(1, n + 1),
        user=np.array(users, np.int32),
        item=np.array(items, np.int32),
        type=np.zeros(n, np.int16),
        time=np.arange(n, dtype=np.int64) * 1_000_000,
        key=np.arange(n, dtype=np.int64),
        value=np.full(n, np.nan, np.float32),
    )


def every(n):
    return np.ones(n, bool)


class Witness:
    """Lists what is told to it, and writes down what it knew when it was asked."""

    names = ("lowest", "last")

    def __init__(self, n_items=6):
        self.known, self.asked, self.n_items = [], [], n_items

    def apply(self, events):
        self.known += list(zip(events.user.tolist(), events.item.tolist(), strict=True))

    def lists(self, user, now, k):
        self.asked.append((user, now, list(self.known)))
        had = {item for who, item in self.known if who == user}
        rest = [item for item in range(self.n_items) if item not in had]
        rows = [(order + [-1] * k)[:k] for order in (rest, rest[::-1])]
        return np.array(rows, np.int32)


def test_asked_are_new_items_of_people_with_an_earlier_event():
    events = columns([0, 1, 0, 0, 1], [3, 3, 4, 3, 5])
    asked = questions(events, start=0, counts=every(5), consuming=every(5))
    assert asked.tolist() == [2, 4]


def test_an_item_that_was_only_looked_at_is_still_asked_about():
    events = columns([0, 0, 0], [3, 4, 3])
    looked = np.array([False, True, True])
    assert questions(events, start=0, counts=every(3), consuming=looked).tolist() == [1, 2]


def test_events_that_do_not_count_are_applied_but_not_asked_about():
    events = columns([0, 0, 0], [1, 2, 3])
    asked = questions(events, start=0, counts=np.array([True, False, True]), consuming=every(3))
    assert asked.tolist() == [2]


def test_nothing_is_known_but_what_came_before():
    events = columns([0, 0, 1, 0, 1, 0], [0, 1, 2, 3, 4, 5])
    witness = Witness()
    witness.apply(events.take(0, 2))
    asked = questions(events, start=2, counts=every(6), consuming=every(6))
    replay(events, asked, witness, start=2)
    pairs = list(zip(events.user.tolist(), events.item.tolist(), strict=True))
    assert [(now // 1_000_000, known) for _, now, known in witness.asked] == [
        (p, pairs[:p]) for p in (3, 4, 5)
    ]
    assert witness.known == pairs


def test_the_place_of_the_next_item_gives_the_metrics():
    events = columns([0, 0, 0], [0, 1, 3])
    asked = questions(events, start=1, counts=every(3), consuming=every(3))
    witness = Witness()
    witness.apply(events.take(0, 1))
    judgement = replay(events, asked, witness, start=1, k=3)
    assert judgement.lists[0].tolist() == [[1, 2, 3], [2, 3, 4]]
    assert judgement.values("lowest", "ndcg", 3).tolist() == [1.0, pytest.approx(1 / np.log2(3))]
    assert judgement.values("last", "hit_rate", 3).tolist() == [0.0, 1.0]
    assert judgement.values("last", "mrr", 3).tolist() == [0.0, pytest.approx(1 / 3)]


def test_drawn_questions_are_few_and_in_order_and_the_report_says_of_how_many():
    positions = np.arange(100)
    some = drawn(positions, 10, seed=1)
    assert len(some) == 10
    assert (np.diff(some) > 0).all()
    assert drawn(positions, None, 1) is positions
    events = columns([0] * 5, range(5))
    judgement = replay(events, np.array([2]), Witness(), start=0, possible=4)
    assert (len(judgement), judgement.possible) == (1, 4)


def test_a_replay_without_questions_still_applies_all_events():
    events, witness = columns([0, 1], [1, 2]), Witness()
    judgement = replay(events, np.empty(0, np.int64), witness, start=0)
    assert len(judgement) == 0
    assert judgement.mean("lowest", "ndcg") == 0.0
    assert len(witness.known) == 2


def test_held_back_items_are_asked_for_once_per_person():
    user = np.array([0, 0, 0, 1, 1, 2], np.int32)
    item = np.array([1, 2, 3, 1, 4, 5], np.int32)
    people, start, truths = held_back(user, item, np.array([0, 3]), np.array([1, 2, 4, 5]))
    assert people.tolist() == [0, 1]
    assert start.tolist() == [0, 2, 3]
    assert truths.tolist() == [2, 3, 4]


def test_an_item_known_already_is_no_truth():
    user, item = np.zeros(3, np.int32), np.array([1, 1, 2], np.int32)
    assert held_back(user, item, np.array([0]), np.array([1, 2]))[2].tolist() == [2]


def test_the_static_question_is_judged_by_all_that_was_held_back():
    witness = Witness()
    witness.apply(columns([0], [0]))
    judgement = judge(np.array([0]), np.array([0, 2]), np.array([1, 5], np.int32), witness, now=9, k=4)
    assert judgement.values("lowest", "recall", 4).tolist() == [0.5]
    assert judgement.values("last", "precision", 4).tolist() == [0.25]


def test_the_consumed_item_alone_is_no_change():
    before = np.array([[7, 1, 2, 3], [1, 2, 3, 4], [1, 2, 3, 4]], np.int32)
    after = np.array([[1, 2, 3, 4], [1, 2, 3, 4], [2, 1, 3, 4]], np.int32)
    assert changed(before, after, np.array([7, 9, 9])).tolist() == [False, False, True]


def test_liveness_of_someone_who_never_learns_is_zero():
    events = columns([0, 1, 0, 1, 2], [0, 0, 1, 1, 0])
    witness = Witness(n_items=30)
    witness.apply(events.take(0, 2))
    found = measure_liveness(events, np.array([2, 3]), witness, start=2, k=5)
    assert (found.changed, found.own_lists, found.cold_served) == (0.0, 1 / 3, 1.0)
    assert (found.events, found.people) == (2, 3)


def test_scores_carry_intervals_and_what_the_lists_are_like():
    events = columns([0, 0, 0, 1, 1], [0, 1, 3, 0, 5])
    asked = questions(events, start=0, counts=every(5), consuming=every(5))
    judgement = replay(events, asked, Witness(), start=0, k=3)
    around = Surroundings(np.array([2, 1, 0, 1, 0, 1]), 2, np.eye(6, dtype=np.float32))
    lowest, last = scores_of(judgement, around, seed=0, k=3)
    assert lowest.name == "lowest"
    assert lowest.accuracy["ndcg"].low <= lowest.accuracy["ndcg"].value <= lowest.accuracy["ndcg"].high
    assert lowest.diversity.value == pytest.approx(1.0)
    assert last.novelty.value < lowest.novelty.value + 1.0
    assert 0.0 < lowest.coverage <= 1.0

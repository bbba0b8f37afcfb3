"""Which questions the blend learns from."""

import numpy as np

from foretaste.training.asking import (
    asked_between,
    evenly_drawn,
    session_starts,
    some_of_each,
    strangers_between,
)
from foretaste.training.config import TrainConfig
from foretaste.training.prepare import prepare

MINUTE = 60_000_000


def test_a_session_goes_on_while_events_are_half_an_hour_apart(make_corpus):
    minutes = np.array([0, 1, 20, 49, 80, 200, 201])
    corpus = make_corpus([0, 1, 0, 0, 0, 0, 1], range(7), 10**15 + minutes * MINUTE)
    prepared = prepare(corpus, TrainConfig(), 0)
    assert session_starts(prepared).tolist() == [0, 1, 0, 0, 4, 5, 6]


def test_strangers_are_those_who_were_not_there_before(make_corpus):
    user = [0, 0, 1, 1, 2, 2, 2, 0]
    prepared = prepare(make_corpus(user, range(8), 10**15 + np.arange(8) * MINUTE), TrainConfig(), 0)
    assert strangers_between(prepared, 4, 8).tolist() == [4, 5, 6]
    assert strangers_between(prepared, 4, 8, each=2).tolist() == [4, 5]


def test_where_nobody_is_new_everything_taken_tells_what_strangers_take_to(make_corpus):
    prepared = prepare(make_corpus([0, 1] * 4, range(8), 10**15 + np.arange(8) * MINUTE), TrainConfig(), 0)
    assert strangers_between(prepared, 4, 8).tolist() == [4, 5, 6, 7]
    assert asked_between(prepared, 4, 8).tolist() == [4, 5, 6, 7]


def test_at_most_so_many_of_each_group_are_drawn_by_lot():
    group = np.array([5, 5, 5, 5, 9, 9, 7])
    drawn = some_of_each(group, 2, seed=1)
    assert np.bincount(group[drawn], minlength=10)[[5, 7, 9]].tolist() == [2, 1, 2]
    assert drawn.tolist() == some_of_each(group, 2, seed=1).tolist() == sorted(drawn)
    assert some_of_each(np.empty(0, np.int64), 2, seed=1).size == 0


def test_as_few_of_each_group_are_drawn_as_make_up_the_number():
    group = np.array([5] * 6 + [9] * 3 + [7])
    drawn = evenly_drawn(group, 6, seed=1)
    assert np.bincount(group[drawn], minlength=10)[[5, 7, 9]].tolist() in ([3, 1, 2], [2, 1, 3])
    assert drawn.tolist() == evenly_drawn(group, 6, seed=1).tolist() == sorted(drawn)
    assert evenly_drawn(group, None, seed=1).tolist() == list(range(10))

"""What is neither right nor wrong to propose beside the item that is asked about."""

import numpy as np
import pytest

from foretaste.training.config import TrainConfig
from foretaste.training.hidden import Hidden
from foretaste.training.prepare import prepare

MINUTE = 60_000_000
DAY = 24 * 60


@pytest.fixture
def hidden(make_corpus):
    """Person 0 visits twice, person 1 once; the events from the sixth to the last but one tune."""
    minutes = np.array([0, 1, 2, 3, 4, 5, DAY, DAY + 1, DAY + 2, DAY + 3, 2 * DAY, 2 * DAY + 1])
    user = [0, 1, 2, 0, 1, 2, 0, 1, 0, 1, 0, 0]
    corpus = make_corpus(user, range(12), 10**15 + minutes * MINUTE)
    prepared = prepare(corpus, TrainConfig(validation=0.5, test=0.0001), 0)
    assert (prepared.tune, prepared.test) == (5, 11)
    return Hidden(prepared)


def test_who_comes_back_is_asked_about_the_whole_visit(hidden):
    assert hidden.others(6, 0, 6).tolist() == [8]
    assert hidden.others(6, 0, 8).tolist() == [6]
    assert hidden.others(7, 1, 7).tolist() == [9]


def test_within_a_visit_what_comes_next_is_asked(hidden):
    assert hidden.others(8, 0, 8).tolist() == []


def test_a_stranger_is_asked_about_the_whole_visit_at_any_moment_of_it(hidden):
    assert hidden.others(9, -1, 9).tolist() == [7]


def test_in_a_hold_out_all_that_is_held_out_of_a_person_is_hidden(untimed_corpus):
    prepared = prepare(untimed_corpus, TrainConfig(), 0)
    rows = np.arange(prepared.tune, prepared.test)
    user, item = int(prepared.events.user[rows[0]]), int(prepared.events.item[rows[0]])
    own = prepared.events.item[rows[prepared.events.user[rows] == user]]
    found = Hidden(prepared).others(int(rows[0]), user, item)
    assert sorted([*found.tolist(), item]) == sorted(own.tolist())

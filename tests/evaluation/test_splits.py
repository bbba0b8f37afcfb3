"""Splits: by time where there are times, else by lot per person, and they say which."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foretaste.evaluation.splits import (
    is_positional,
    is_timed,
    split,
    split_by_sequence,
    split_by_time,
    split_per_user,
)


def parts(divided):
    return np.concatenate([divided.train, divided.validation, divided.test])


def test_events_with_times_are_split_in_time_order():
    divided = split(np.zeros(100, np.int32), np.arange(100), seed=0)
    assert divided.kind == "time"
    assert divided.train.tolist() == list(range(80))
    assert divided.validation.tolist() == list(range(80, 90))
    assert divided.test.tolist() == list(range(90, 100))
    assert "time order" in divided.words


def test_events_imported_without_times_are_dealt_out_per_person():
    user = np.repeat(np.arange(10, dtype=np.int32), 10)
    divided = split(user, np.full(100, 1_700_000_000_000_000), seed=0)
    assert divided.kind == "hold-out"
    assert np.bincount(user[divided.test]).tolist() == [1] * 10
    assert np.bincount(user[divided.validation]).tolist() == [1] * 10
    assert "hold-out per user, since the events have no times" in divided.words


def test_a_hold_out_that_is_asked_for_says_nothing_of_times():
    divided = split(np.repeat(np.arange(10, dtype=np.int32), 10), np.arange(100), seed=0, kind="hold-out")
    assert "times" not in divided.words


def test_a_few_live_events_do_not_make_an_import_timed():
    assert not is_timed(np.array([5] * 60 + list(range(40))))
    assert is_timed(np.array([5] * 40 + list(range(6, 66))))
    assert not is_timed(np.array([5]))


def test_people_with_two_events_only_train():
    user = np.array([0, 0, 1, 1, 1], np.int32)
    divided = split_per_user(user, seed=0)
    assert set(user[divided.train]) == {0, 1}
    assert user[divided.test].tolist() == [1]


def test_of_short_histories_no_more_is_dealt_out_than_was_asked_for_and_nobody_gives_up_two():
    user = np.repeat(np.arange(10_000, dtype=np.int32), 4)
    divided = split_per_user(user, seed=0)
    for part in (divided.test, divided.validation):
        assert len(part) == pytest.approx(0.1 * len(user), rel=0.05)
    assert not np.intersect1d(user[divided.test], user[divided.validation]).size


@given(st.lists(st.integers(0, 8), max_size=120), st.integers(0, 100))
def test_every_event_is_in_exactly_one_part(users, seed):
    user = np.array(users, np.int32)
    for divided in (split_per_user(user, seed=seed), split_by_time(len(users)), split_by_sequence(user)):
        assert sorted(parts(divided).tolist()) == list(range(len(users)))


def test_the_seed_decides_the_lot():
    user = np.repeat(np.arange(20, dtype=np.int32), 10)
    first, again, other = (split_per_user(user, seed=seed).test.tolist() for seed in (1, 1, 2))
    assert first == again != other


def test_places_in_sequences_are_split_by_each_persons_last_ones():
    user = np.array([0, 1, 2, 0, 1, 2, 0, 1, 0], np.int32)
    place = np.array([0, 0, 0, 1, 1, 1, 2, 2, 3])
    divided = split(user, place, seed=0)
    assert divided.kind == "sequence"
    assert divided.test.tolist() == [7, 8]
    assert divided.validation.tolist() == [4, 6]
    assert divided.train.tolist() == [0, 1, 2, 3, 5]
    assert "order" in divided.words


def test_real_times_are_no_places():
    user = np.array([0, 1, 0, 1, 0, 1])
    assert is_positional(user, np.array([0, 0, 7, 7, 9, 9]))
    assert not is_positional(user, np.array([0, 0, 7, 8, 9, 9]))
    assert not is_positional(user, np.array([0, 0, 7, 7, 7, 9]))
    assert not is_positional(user, np.array([5, 5, 5, 5, 5, 5]))
    assert not is_positional(np.zeros(6, np.int32), np.arange(6))


def test_a_kind_that_is_asked_for_is_given():
    user, time = np.repeat(np.arange(5, dtype=np.int32), 4), np.arange(20)
    assert split(user, time, seed=0).kind == "time"
    assert split(user, time, seed=0, kind="hold-out").kind == "hold-out"
    divided = split(user, time, seed=0, kind="sequence", test=0.0)
    assert len(divided.test) == 0
    assert divided.validation.tolist() == [3, 7, 11, 15, 19]

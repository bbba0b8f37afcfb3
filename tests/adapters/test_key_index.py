"""The index of event keys answers as a dict would, whatever its size and history."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foretaste.adapters.sqlite import key_index
from foretaste.adapters.sqlite.key_index import KeyIndex

keys = st.integers(-(2**63), 2**63 - 1) | st.integers(-5, 5)


@pytest.fixture(autouse=True)
def _small_runs(monkeypatch):
    monkeypatch.setattr(key_index, "LIVE", 4)
    monkeypatch.setattr(key_index, "LARGEST_RUN", 16)


@given(st.lists(st.lists(keys, min_size=1, max_size=9), max_size=12), st.lists(keys, max_size=9))
def test_it_finds_what_was_added_and_nothing_else(batches, others):
    index, plain = KeyIndex(), {}
    for batch in batches:
        new = [key for key in dict.fromkeys(batch) if key not in plain]
        seqs = range(len(plain) + 1, len(plain) + len(new) + 1)
        index.add(new, seqs)
        plain.update(zip(new, seqs, strict=True))
    wanted = [*plain, *others]
    assert index.find(wanted) == [plain.get(key, 0) for key in wanted]


def test_keys_below_the_floor_are_forgotten_and_may_come_again():
    index = KeyIndex()
    index.add_run(np.arange(100, 110), np.arange(1, 11))
    index.floor = 6
    assert index.find([100, 104, 105, 109]) == [0, 0, 6, 10]
    index.add([100], [11])
    assert index.find([100]) == [11]


def test_merging_drops_what_is_below_the_floor():
    index = KeyIndex(floor=9)
    for start in range(1, 9):
        index.add_run(np.array([start]), np.array([start]))
    assert sum(len(run) for run, _ in index._runs) <= 1
    assert index.find([8, 1]) == [0, 0]


def test_a_run_that_can_grow_no_more_goes_when_all_of_it_is_below_the_floor():
    index = KeyIndex()
    for start in (1, 17):
        index.add_run(np.arange(start, start + 16), np.arange(start, start + 16))
    index.forget_before(17)
    assert [len(run) for run, _ in index._runs] == [16]
    assert index.find([16, 17]) == [0, 17]


def test_a_run_of_which_merging_left_nothing_may_be_forgotten():
    index = KeyIndex(floor=9)
    for start in (1, 2):
        index.add_run(np.array([start]), np.array([start]))
    index.forget_before(10)
    assert index.find([1, 2]) == [0, 0]


def test_what_merging_took_for_a_moment_goes_back_to_the_system(monkeypatch):
    given_back = []
    monkeypatch.setattr(key_index, "LONG_RUN", 8)
    monkeypatch.setattr(key_index, "give_back_freed", lambda: given_back.append(True))
    index = KeyIndex()
    index.add_run(np.arange(3), np.arange(1, 4))
    index.add_run(np.arange(3, 6), np.arange(4, 7))
    assert not given_back
    index.add_run(np.arange(6, 10), np.arange(7, 11))
    assert given_back

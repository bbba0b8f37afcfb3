"""Samples can be cut down to what fewer sources would have made of them."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foretaste.ranking.normalize import spread, standardize
from foretaste.ranking.samples import Sample, stack


def a_sample(raw: np.ndarray, proposed: np.ndarray, truth: int) -> Sample:
    z = standardize(raw, *spread(raw))
    columns = np.concatenate((z, np.arange(raw.shape[1], dtype=np.float32)[None, :])).T
    return Sample(np.ascontiguousarray(columns), proposed.T, truth, 3)


def test_fewer_sources_leave_what_they_propose_standardized_anew():
    generator = np.random.default_rng(0)
    raw = [generator.normal(size=(3, 12)).astype(np.float32) for _ in range(4)]
    proposed = [generator.random((3, 12)) < 0.4 for _ in range(4)]
    for mask, truth in zip(proposed, (2, 5, 7, 1), strict=True):
        mask[:, truth] = [True, False, True]
    proposed[3][:, 1] = [False, True, False]
    table = stack([a_sample(*each) for each in zip(raw, proposed, (2, 5, 7, 1), strict=True)], 3)
    fewer = table.among(np.array([0, 2]))
    assert len(table) == 4
    assert len(fewer) == 3
    for row, truth in enumerate((2, 5, 7)):
        left = np.flatnonzero(proposed[row][[0, 2]].any(axis=0))
        own = raw[row][np.ix_([0, 2], left)]
        columns = fewer.columns[fewer.start[row] : fewer.start[row + 1]]
        assert pytest.approx(standardize(own, *spread(own)), abs=1e-4) == columns[:, :2].T
        assert columns[:, 2].tolist() == left.tolist()
        assert left[fewer.truth[row]] == truth


def test_no_samples_stay_none():
    assert len(stack([], 3).among(np.array([1]))) == 0


def test_samples_that_name_no_visit_are_of_one_each():
    raw = np.arange(8, dtype=np.float32).reshape(2, 4)
    sample = a_sample(raw, np.ones((2, 4), np.bool_), 1)
    visit = stack([sample, replace(sample, visit=7), replace(sample, visit=7), sample], 2).visit
    assert visit[1] == visit[2] == 7
    assert len(np.unique(visit)) == 3


def of_people(people):
    """Return a table of samples by these people, -1 for one of their own."""
    columns, proposed = np.ones((2, 2), np.float32), np.ones((2, 1), np.bool_)
    return stack([Sample(columns, proposed, 0, 5, person=person) for person in people], 1)


@given(st.lists(st.integers(-1, 5), min_size=1, max_size=30))
def test_samples_come_from_as_many_people_as_there_are_or_fewer(people):
    known = len({person for person in people if person >= 0}) + sum(person < 0 for person in people)
    assert 1.0 <= of_people(people).people() <= known + 1e-9


def test_people_with_equally_many_samples_all_count_and_one_with_nearly_all_is_one():
    assert of_people([0, 0, 1, 1, 2, 2]).people() == pytest.approx(3.0)
    assert of_people([0] * 1000 + [1, 2, 3]).people() == pytest.approx(1.0, abs=0.01)

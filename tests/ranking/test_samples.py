"""Samples can be cut down to what fewer sources would have made of them."""

from dataclasses import replace

import numpy as np
import pytest

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

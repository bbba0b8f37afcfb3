"""Scores of different sources on one scale."""

import numpy as np
import pytest

from foretaste.ranking.normalize import blend_scores, spread, standardize


def test_standard_scores_have_mean_0_and_deviation_1():
    score = np.random.default_rng(0).normal(3.0, 7.0, size=(3, 500)).astype(np.float32)
    z = standardize(score, *spread(score))
    assert z.mean(axis=1) == pytest.approx([0.0] * 3, abs=1e-5)
    assert z.std(axis=1) == pytest.approx([1.0] * 3, abs=1e-5)


@pytest.mark.parametrize("value", [0.0, 0.1, -1e20])
def test_a_source_that_says_the_same_of_all_says_nothing(value):
    score = np.full((1, 77), value, np.float32)
    assert standardize(score, *spread(score)).tolist() == [[0.0] * 77]


def test_no_items_have_no_spread():
    mean, deviation = spread(np.empty((2, 0), np.float32))
    assert (mean.tolist(), deviation.tolist()) == ([0.0, 0.0], [0.0, 0.0])


def test_a_blended_score_does_not_depend_on_the_items_beside_it():
    generator = np.random.default_rng(0)
    score, boost = (
        generator.normal(size=(5, 300)).astype(np.float32),
        generator.random(300).astype(np.float32),
    )
    scale = generator.random(5)
    every = blend_scores(score, scale, 0.7, boost, 0.3)
    some = generator.permutation(300)[:40]
    assert blend_scores(score[:, some], scale, 0.7, boost[some], 0.3).tobytes() == every[some].tobytes()
    assert every == pytest.approx(scale @ score + 0.3 * boost - 0.7, abs=1e-5)

"""Factors are ratios of mean precision, over those who were judged."""

import numpy as np
import pytest

from foretaste.evaluation.factors import factors_over
from foretaste.evaluation.judgement import Judgement


def judged(**hits):
    n = len(next(iter(hits.values())))
    places = np.zeros((len(hits), n, 10), bool)
    for row, found in enumerate(hits.values()):
        places[row, :, 0] = found
    return Judgement(
        names=tuple(hits),
        user=np.arange(n, dtype=np.int32),
        position=np.zeros(n, np.int64),
        lists=np.zeros((len(hits), n, 10), np.int32),
        hits=places,
        wanted=np.ones(n, np.int64),
        possible=n,
    )


def test_a_factor_is_the_ratio_of_mean_precision_with_its_interval():
    found = factors_over(
        judged(blend=[1, 1, 1, 0] * 10, popularity=[1, 0, 0, 0] * 10), ["popularity"], seed=0
    )
    assert found["popularity"].value == pytest.approx(3.0)
    assert 1.0 < found["popularity"].low < 3.0 < found["popularity"].high


def test_over_nothing_it_is_infinite_and_who_was_not_judged_is_left_out():
    found = factors_over(judged(blend=[1, 1], random=[0, 0]), ["popularity", "random"], seed=0)
    assert list(found) == ["random"]
    assert found["random"].value == float("inf")


def test_without_questions_nothing_is_told():
    assert factors_over(judged(blend=[], popularity=[]), ["popularity"], seed=0) == {}

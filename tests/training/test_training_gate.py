"""The gate refuses what is surely worse, lets pass what is not, and says why in words."""

import numpy as np
import pytest

from foretaste.domain.errors import GateRefusedError
from foretaste.evaluation.judgement import Judgement
from foretaste.training.config import TrainConfig
from foretaste.training.gate import judge_candidate, require_passed

CONFIG = TrainConfig()


def judgement(**first_places):
    """Return a judgement in which each name hits the first place in the given share of 200 questions."""
    n = 200
    hits = np.zeros((len(first_places), n, 10), bool)
    for row, share in enumerate(first_places.values()):
        hits[row, : int(share * n), 0] = True
    return Judgement(
        names=tuple(first_places),
        user=np.arange(n, dtype=np.int32),
        position=np.arange(n),
        lists=np.zeros(hits.shape, np.int32),
        hits=hits,
        wanted=np.ones(n, np.int64),
        possible=n,
    )


def verdict(**first_places):
    return judge_candidate(judgement(**first_places), ("champion", "popularity"), CONFIG, seed=0)


def test_a_model_worse_than_the_champion_is_refused_with_both_numbers():
    report = verdict(blend=0.30, champion=0.50, popularity=0.10)
    assert not report.passed
    assert report.words.startswith(
        "refused: worse than champion (NDCG@10 0.3000 against 0.5000 on the same 200"
    )
    assert "popularity" not in report.words
    with pytest.raises(GateRefusedError, match=r"not put to service.*worse than champion"):
        require_passed(report)


def test_a_model_worse_than_popularity_is_refused_without_any_champion():
    report = verdict(blend=0.10, popularity=0.30)
    assert not report.passed
    assert "worse than popularity" in report.words


def test_a_better_model_passes():
    report = verdict(blend=0.50, champion=0.30, popularity=0.10)
    assert report.passed
    assert report.words.startswith("passed: better than champion")
    require_passed(report)


def test_a_difference_that_chance_explains_is_no_ground_for_refusal():
    hits = judgement(blend=0.30, champion=0.30)
    mixed = hits.hits.copy()
    mixed[0, :10], mixed[0, 100:108] = False, True
    mixed[0, :10, 1:], mixed[0, 100:108, 1:] = False, False
    report = judge_candidate(
        Judgement(hits.names, hits.user, hits.position, hits.lists, mixed, hits.wanted, hits.possible),
        ("champion",),
        CONFIG,
        seed=0,
    )
    assert report.comparisons[0].candidate_value < report.comparisons[0].rival_value
    assert report.passed


def test_less_than_the_tolerance_is_let_pass_even_if_certain():
    names = judgement(blend=0.995, champion=1.0)
    report = judge_candidate(names, ("champion",), TrainConfig(tolerance=0.01), seed=0)
    strict = judge_candidate(names, ("champion",), TrainConfig(tolerance=0.0), seed=3)
    assert report.passed
    assert strict.comparisons[0].difference.value == pytest.approx(-0.005)


def test_too_few_questions_judge_nothing():
    report = judge_candidate(
        judgement(blend=0.0, champion=1.0), ("champion",), TrainConfig(fewest=201), seed=0
    )
    assert report.passed
    assert "too few" in report.words
    assert report.comparisons == ()

"""The report says in numbers what a training came to, and every number can be stored and read again."""

import math

import msgspec
import numpy as np
import pytest

from foretaste.app.retraining.job import Job
from foretaste.evaluation.judgement import Judgement
from foretaste.evaluation.regret import regret_of
from foretaste.training.report import metrics_of


def judged(blend: list[bool], source: list[bool]) -> Judgement:
    """Return a judgement of people of whom each asked once; True: the first place was right."""
    hits = np.zeros((2, len(blend), 10), np.bool_)
    hits[:, :, 0] = [blend, source]
    return Judgement(
        names=("blend", "only"),
        user=np.arange(len(blend), dtype=np.int32),
        position=np.arange(len(blend)),
        lists=np.zeros(hits.shape, np.int32),
        hits=hits,
        wanted=np.ones(len(blend), np.int64),
        possible=len(blend),
    )


@pytest.mark.parametrize(
    ("source", "left_out"),
    [
        ([True] * 4, set()),
        ([True, False, False, False], {"ahead_high"}),
        ([False] * 4, {"ahead_of_best_source", "ahead_low", "ahead_high"}),
    ],
)
def test_by_how_much_the_blend_is_ahead_is_told_as_far_as_it_is_finite(source, left_out):
    judgement = judged([True] * 4, source)
    metrics = metrics_of(judgement, regret_of(judgement, ["only"], seed=0), 10)
    assert all(map(math.isfinite, metrics.values()))
    assert {"ahead_of_best_source", "ahead_low", "ahead_high"} - set(metrics) == left_out
    job = Job(job_id="j", state="succeeded", cause="test", created_at="", metrics=metrics)
    assert msgspec.json.decode(msgspec.json.encode(job), type=Job) == job

"""What a training came to, as a document."""

import math
from typing import Any

import msgspec
import numpy as np

from foretaste.domain.artifact import Trial
from foretaste.evaluation.judgement import Judgement, Score, scores_of
from foretaste.evaluation.metrics import METRICS
from foretaste.evaluation.regret import Regret, regret_of
from foretaste.ranking.blend import Blend
from foretaste.ranking.calibration import Calibration
from foretaste.training.composition import BLEND
from foretaste.training.evaluate import surroundings
from foretaste.training.fit import Fitted
from foretaste.training.gate import GateReport
from foretaste.training.prepare import Prepared
from foretaste.training.tune import Tuned

PRACTISED = 20
"""The length of history for which the report shows the blend's weights."""


class TuningReport(msgspec.Struct, frozen=True, kw_only=True):
    """What the search for hyper-parameters came to.

    `before` and `after` are the blend's NDCG@10 on `questions` of the validation part; `chosen` are the
    values adopted, by source; `ended` says in words why the search ended.
    """

    before: float
    after: float
    questions: int
    ended: str
    chosen: dict[str, dict[str, Any]]
    trials: tuple[Trial, ...]


class TrainReport(msgspec.Struct, frozen=True, kw_only=True):
    """How well the new model foretold what it had not seen, and whether it may serve.

    `split` says in words how the events were divided, `kind` in one (see `SplitKind`). `scores` holds
    the blend, each source alone and chance, on `questions` of the `questions_possible` there were, asked of
    `people`. `metrics` are the blend's means for the manifest. `failures` says why sources were left out.
    `weights` are the blend's by source for histories of 20 events and more; `seconds` are by stage.
    `promoted` says whether `version` serves now. `regret` sets the blend beside the best of its sources.
    `ranker` says in words what came of ranking slates. `contexts_dropped` counts what events said of their
    moments that was too manifold to learn from, as ids.
    """

    version: str
    promoted: bool
    kind: str
    split: str
    events: int
    users: int
    items: int
    questions: int
    questions_possible: int
    people: int
    k: int
    scores: tuple[Score, ...]
    metrics: dict[str, float]
    blend_form: str
    weights: dict[str, float]
    calibration: dict[str, float]
    gate: GateReport
    failures: dict[str, str]
    seconds: dict[str, float]
    seed: int
    regret: Regret | None = None
    tuning: TuningReport | None = None
    ranker: str = ""
    contexts_dropped: int = 0


def report_of(
    prepared: Prepared,
    blend: Blend,
    calibration: Calibration,
    judgement: Judgement,
    gate: GateReport,
    fitted: Fitted,
    tuned: Tuned | None = None,
) -> TrainReport:
    """Return the report of a training before its last fit: without a version, and without seconds."""
    around = surroundings(prepared, fitted.models)
    k, row = prepared.config.k, blend.row(PRACTISED)
    regret = regret_of(judgement, tuple(fitted.models), seed=prepared.seed, k=k)
    return TrainReport(
        version="",
        promoted=False,
        kind=prepared.kind,
        split=prepared.words,
        events=len(prepared.events),
        users=len(np.unique(prepared.events.user)),
        items=len(np.unique(prepared.events.item)),
        questions=len(judgement),
        questions_possible=judgement.possible,
        people=len(np.unique(judgement.user)),
        k=k,
        scores=scores_of(judgement, around, seed=prepared.seed, k=k),
        metrics=metrics_of(judgement, regret, k),
        blend_form=blend.form,
        weights=dict(zip((*blend.sources, "boost"), row.tolist(), strict=True)),
        calibration=dict(calibration.report),
        gate=gate,
        failures=dict(fitted.failures),
        seconds={},
        seed=prepared.seed,
        regret=regret,
        tuning=None if tuned is None else _tuning_of(tuned),
    )


def metrics_of(judgement: Judgement, regret: Regret | None, k: int) -> dict[str, float]:
    """Return the blend's means, and by which part it is ahead of its best source, for the manifest.

    All are finite: what is infinite, since the best source alone foretold nothing, is left out.
    """
    metrics = {f"{metric}@{k}": judgement.mean(BLEND, metric, k) for metric in METRICS}
    if regret is not None:
        ahead = regret.ahead
        metrics |= {"ahead_of_best_source": ahead.value, "ahead_low": ahead.low, "ahead_high": ahead.high}
    return {name: value for name, value in metrics.items() if math.isfinite(value)}


def _tuning_of(tuned: Tuned) -> TuningReport:
    return TuningReport(
        before=tuned.before,
        after=tuned.after,
        questions=tuned.questions,
        ended=tuned.ended,
        chosen={source: dict(values) for source, values in tuned.chosen.items()},
        trials=tuned.trials,
    )

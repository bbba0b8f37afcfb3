"""What a training came to, as a document."""

from collections.abc import Mapping

import msgspec
import numpy as np

from foretaste.evaluation.judgement import Judgement, Score, scores_of
from foretaste.evaluation.metrics import METRICS
from foretaste.pipeline.artifact import Artifact
from foretaste.training.composition import BLEND
from foretaste.training.evaluate import surroundings
from foretaste.training.fit import Fitted
from foretaste.training.gate import GateReport
from foretaste.training.prepare import Prepared

PRACTISED = 20
"""The length of history for which the report shows the blend's weights."""


class TrainReport(msgspec.Struct, frozen=True, kw_only=True):
    """How well the new model foretold what it had not seen, and whether it may serve.

    `split` says in words how the events were divided, `kind` in one (see `SplitKind`). `scores` holds
    the blend, each source alone and chance, on `questions` of the `questions_possible` there were, asked of
    `people`. `metrics` are the blend's means for the manifest. `failures` says why sources were left out.
    `weights` are the blend's by source for histories of 20 events and more; `seconds` are by stage.
    `promoted` says whether `version` serves now.
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


def report_of(
    prepared: Prepared,
    artifact: Artifact,
    judgement: Judgement,
    gate: GateReport,
    fitted: Fitted,
    seconds: Mapping[str, float],
) -> TrainReport:
    """Return the report of a training that nothing was stored of yet."""
    around = surroundings(prepared, fitted.models)
    k, row = prepared.config.k, artifact.blend.row(PRACTISED)
    return TrainReport(
        version=artifact.version,
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
        metrics={f"{metric}@{k}": judgement.mean(BLEND, metric, k) for metric in METRICS},
        blend_form=artifact.blend.form,
        weights=dict(zip((*artifact.blend.sources, "boost"), row.tolist(), strict=True)),
        calibration=dict(artifact.calibration.report),
        gate=gate,
        failures=dict(fitted.failures),
        seconds=dict(seconds),
        seed=prepared.seed,
    )

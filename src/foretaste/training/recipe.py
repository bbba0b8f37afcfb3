"""What training settles before the last fit: how each source is fitted, and how they are blended.

All that it takes, models and questions and states, is let go of when it is settled, before the sources
are fitted on the whole window: both at once would need twice the memory.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from foretaste.evaluation.judgement import Advance, Judgement, unheard
from foretaste.features.state import State
from foretaste.models.interface import Model
from foretaste.pipeline.artifact import Artifact, assemble
from foretaste.ranking.blend import Blend
from foretaste.ranking.calibration import Calibration
from foretaste.ranking.slate_ranker import SlateRanker
from foretaste.training.composition import Composition
from foretaste.training.evaluate import (
    UNPUBLISHED,
    judge_all,
    learn_blend,
    learn_calibration,
    state_before,
)
from foretaste.training.fit import Fitted, fit_sources
from foretaste.training.gate import judge_candidate
from foretaste.training.newcomers import opened
from foretaste.training.prepare import Prepared
from foretaste.training.rank_slates import learn_slate_ranker
from foretaste.training.remembering import (
    Chosen,
    TuningRecord,
    recorded,
    remembered_by,
    taken_over,
    with_chosen,
)
from foretaste.training.report import TrainReport, report_of
from foretaste.training.stages import Stages
from foretaste.training.tune import Tuned, tune

CHAMPION = "champion"
RIVALS = (CHAMPION, "popularity")
REMEMBERED = 200
"""Places of each judged list on which chances are calibrated."""


@dataclass(frozen=True, slots=True, eq=False)
class Recipe:
    """How to make the artifact, and the report of how its like did on what it had not seen.

    `configs` by source leave nothing open. The report lacks the version, and the seconds of what is to come.
    """

    configs: Mapping[str, Any]
    blend: Blend
    calibration: Calibration
    record: TuningRecord
    ranker: SlateRanker | None
    report: TrainReport


def settled(prepared: Prepared, champion: Artifact | None, clock: Stages) -> Recipe:
    """Fit on the first part, tune and blend on the next, judge on the last; return what is to be made.

    Raises `NoModelError` where every source fails.
    """
    with clock.stage("fit"):
        remembered = remembered_by(champion, prepared.config)
        taken = taken_over(prepared.sources, champion, remembered)
        fitted = _fitted(prepared, with_chosen(prepared.sources, taken), clock.within("fit"))
    with clock.stage("tune"):
        tuned = _tuned(prepared, fitted, remembered, clock.within("tune"))
        record = recorded(taken, tuned, keep=prepared.config.tuning is not None)
        models = opened(prepared, fitted.models if tuned is None else tuned.models)
        fitted = replace(fitted, models=models)
    with clock.stage("evaluate"):
        state = state_before(prepared, prepared.tune)
        advance = clock.within("evaluate", 0.0, 0.5)
        blend = learn_blend(prepared, state, fitted.models, advance=advance)
        rival = _rival(champion, prepared, fitted)
        advance = clock.within("evaluate", 0.5, 1.0)
        judgement, calibration = _judged(prepared, state, _artifact(fitted.models, blend), rival, advance)
    with clock.stage("gate"):
        gate = judge_candidate(judgement, RIVALS, prepared.config, seed=prepared.seed)
    with clock.stage("rank"):
        outcome = learn_slate_ranker(prepared, fitted.models, blend, advance=clock.within("rank"))
    report = report_of(prepared, blend, calibration, judgement, gate, fitted, tuned)
    configs = {source: model.config for source, model in fitted.models.items()}
    told = msgspec.structs.replace(report, ranker=outcome.words)
    return Recipe(configs, blend, calibration, record, outcome.ranker, told)


def _fitted(prepared: Prepared, sources: Mapping[str, Any], advance: Advance) -> Fitted:
    """Return the sources, fitted on the first part of the window."""
    window = prepared.interactions(prepared.tune)
    return fit_sources(sources, window, prepared.corpus.catalog, seed=prepared.seed, advance=advance)


def _tuned(prepared: Prepared, fitted: Fitted, remembered: Chosen, advance: Advance) -> Tuned | None:
    """Return what tuning makes of the fitted sources; None where there is none."""
    budget, told = prepared.budget, prepared.config.told
    return tune(prepared, fitted.models, budget, remembered=remembered, told=told, advance=advance)


def _rival(champion: Artifact | None, prepared: Prepared, fitted: Fitted) -> Artifact | None:
    """Return the champion's configuration fitted on what the candidate was fitted on, with its own blend."""
    if champion is None:
        return None
    models, rest = {}, {}
    for source, model in champion.models.items():
        same = fitted.models.get(source)
        if same is not None and same.config == model.config:
            models[source] = same
        else:
            rest[source] = model.config
    if rest:
        models |= _fitted(prepared, rest, unheard).models
    in_order = {source: models[source] for source in champion.models if source in models}
    return _artifact(in_order, champion.blend)


def _judged(
    prepared: Prepared, state: State, candidate: Artifact, rival: Artifact | None, advance: Advance
) -> tuple[Judgement, Calibration]:
    composition = Composition(
        prepared.corpus,
        state,
        candidate,
        prepared.config.scenario,
        others={} if rival is None else {CHAMPION: rival},
        remember=REMEMBERED,
        seed=prepared.seed,
    )
    judgement = judge_all(prepared, composition, advance=advance)
    return judgement, learn_calibration(prepared, judgement, composition)


def _artifact(models: Mapping[str, Model], blend: Blend) -> Artifact:
    return assemble(models, blend, Calibration.flat(), UNPUBLISHED)

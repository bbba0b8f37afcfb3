"""Training from beginning to end: prepare, fit, evaluate, gate, publish."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import msgspec
from threadpoolctl import threadpool_limits

from foretaste.domain.errors import CorruptArtifactError
from foretaste.evaluation.judgement import Advance, Judgement
from foretaste.features.state import State
from foretaste.models.interface import Model
from foretaste.pipeline.artifact import Artifact, assemble
from foretaste.ports.model_registry import ModelRegistry
from foretaste.ranking.blend import Blend
from foretaste.ranking.calibration import Calibration
from foretaste.ranking.slate_ranker import SlateRanker
from foretaste.training.composition import Composition
from foretaste.training.config import Progress, TrainConfig, silent
from foretaste.training.corpus import Corpus
from foretaste.training.evaluate import (
    UNPUBLISHED,
    judge_all,
    learn_blend,
    learn_calibration,
    state_before,
)
from foretaste.training.fit import Fitted, fit_sources
from foretaste.training.gate import judge_candidate
from foretaste.training.load import load_artifact
from foretaste.training.newcomers import opened
from foretaste.training.prepare import Prepared, prepare
from foretaste.training.publish import stage, version_of
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

CHAMPION, CHALLENGER = "champion", "challenger"
RIVALS = (CHAMPION, "popularity")
REMEMBERED = 200
"""Places of each judged list on which chances are calibrated."""


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """A model fitted on the whole window, and how its like did on what it had not seen."""

    artifact: Artifact
    report: TrainReport


def train(
    corpus: Corpus,
    registry: ModelRegistry,
    *,
    created_at: int,
    seed: int = 0,
    config: TrainConfig | None = None,
    promote: bool = True,
    staging: Path | None = None,
    progress: Progress = silent,
) -> TrainReport:
    """Learn from `corpus`, store the model in `registry`, and let it serve if the gate lets it pass.

    A model that does not pass, or with `promote` off, is stored as `challenger`; who wants an error
    calls `gate.require_passed(report.gate)`. `created_at` is now in microseconds; `staging` is a directory on
    the registry's file system (by default the system's for temporary files).
    """
    trained = learn(
        corpus,
        created_at=created_at,
        seed=seed,
        config=config,
        champion=_champion(registry),
        progress=progress,
    )
    began = perf_counter()
    progress("publish", 0.0)
    with TemporaryDirectory(dir=staging, prefix=".training-") as scratch:
        directory = Path(scratch) / "artifact"
        stage(trained.artifact, directory, trained.report.metrics)
        version = registry.publish(directory).version
    promoted = promote and trained.report.gate.passed
    registry.promote(version, CHAMPION if promoted else CHALLENGER)
    progress("publish", 1.0)
    seconds = {**trained.report.seconds, "publish": round(perf_counter() - began, 3)}
    return msgspec.structs.replace(trained.report, promoted=promoted, seconds=seconds)


def learn(
    corpus: Corpus,
    *,
    created_at: int,
    seed: int = 0,
    config: TrainConfig | None = None,
    champion: Artifact | None = None,
    progress: Progress = silent,
) -> Trained:
    """Learn from `corpus` without storing anything.

    Sources are fitted on the first part of the window, tuned and blended on the next, and all are judged
    on the last. Then the sources, with all they chose, are fitted again on the whole window: this is the
    artifact. Of `champion` the configuration is fitted on the same first part, so that neither has seen the
    answers, and the comparison is of recipes.

    Linear algebra runs on one thread: its order of additions, and so every bit of the artifact, is then the
    same on each run, and small systems do not wait for threads.

    Raises `InvalidInputError` for a log without a positive event, `NoModelError` where every source fails.
    """
    clock = Stages(progress)
    with threadpool_limits(limits=1, user_api="blas"):
        with clock.stage("prepare"):
            prepared = prepare(corpus, config or TrainConfig(), seed)
        with clock.stage("fit"):
            window = prepared.interactions(prepared.tune)
            remembered = remembered_by(champion, prepared.config)
            taken = taken_over(prepared.sources, champion, remembered)
            sources = with_chosen(prepared.sources, taken)
            fitted = fit_sources(sources, window, corpus.catalog, seed=seed, advance=clock.within("fit"))
        with clock.stage("tune"):
            tuned = _tuned(prepared, fitted, remembered, clock.within("tune"))
            record = recorded(taken, tuned, keep=prepared.config.tuning is not None)
            models = opened(prepared, fitted.models if tuned is None else tuned.models)
            fitted = replace(fitted, models=models)
        with clock.stage("evaluate"):
            state = state_before(prepared, prepared.tune)
            advance = clock.within("evaluate", 0.0, 0.5)
            blend = learn_blend(prepared, state, fitted.models, advance=advance)
            rival = _recipe(champion, prepared, fitted)
            advance = clock.within("evaluate", 0.5, 1.0)
            judgement, calibration = _judged(prepared, state, _artifact(fitted.models, blend), rival, advance)
        with clock.stage("gate"):
            gate = judge_candidate(judgement, RIVALS, prepared.config, seed=seed)
        with clock.stage("rank"):
            outcome = learn_slate_ranker(prepared, fitted.models, blend, advance=clock.within("rank"))
        with clock.stage("refit"):
            artifact = _refitted(prepared, fitted, blend, calibration, created_at, record, outcome.ranker)
        report = report_of(prepared, artifact, judgement, gate, fitted, clock.seconds, tuned)
        report = msgspec.structs.replace(
            report, ranker=outcome.words, contexts_dropped=corpus.contexts_dropped
        )
        return Trained(artifact, report)


def _tuned(prepared: Prepared, fitted: Fitted, remembered: Chosen, advance: Advance) -> Tuned | None:
    """Return what tuning makes of the fitted sources; None where there is none."""
    budget, told = prepared.budget, prepared.config.told
    return tune(prepared, fitted.models, budget, remembered=remembered, told=told, advance=advance)


def _recipe(champion: Artifact | None, prepared: Prepared, fitted: Fitted) -> Artifact | None:
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
        window = prepared.interactions(prepared.tune)
        models |= fit_sources(rest, window, prepared.corpus.catalog, seed=prepared.seed).models
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


def _refitted(
    prepared: Prepared,
    fitted: Fitted,
    blend: Blend,
    calibration: Calibration,
    created_at: int,
    record: TuningRecord,
    ranker: SlateRanker | None,
) -> Artifact:
    """Return the artifact: the sources with all they chose, fitted on the whole window."""
    configs = {source: model.config for source, model in fitted.models.items()}
    window = prepared.interactions(len(prepared.events))
    models = fit_sources(configs, window, prepared.corpus.catalog, seed=prepared.seed).models
    manifest = msgspec.structs.replace(
        UNPUBLISHED,
        name=prepared.config.name,
        created_at=created_at,
        seed=prepared.seed,
        window=prepared.window(),
        n_users=prepared.corpus.n_users,
        n_items=prepared.corpus.n_items,
        models={source: msgspec.to_builtins(model.config) for source, model in models.items()},
        tuned={source: dict(values) for source, values in record.chosen.items()},
        trials=record.trials,
        version=version_of(
            models,
            blend,
            calibration,
            prepared.window(),
            prepared.seed,
            trials=record.trials,
            ranker=ranker,
        ),
    )
    return assemble(models, blend, calibration, manifest, ranker)


def _artifact(models: Mapping[str, Model], blend: Blend) -> Artifact:
    return assemble(models, blend, Calibration.flat(), UNPUBLISHED)


def _champion(registry: ModelRegistry) -> Artifact | None:
    """Return what serves now; a damaged one is no rival."""
    version = registry.aliases().get(CHAMPION)
    if version is None:
        return None
    try:
        return load_artifact(registry.path(version))
    except CorruptArtifactError:
        return None

"""Training from beginning to end: prepare, fit, evaluate, gate, publish."""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import msgspec
from threadpoolctl import threadpool_limits

from foretaste.domain.errors import CorruptArtifactError
from foretaste.domain.parallel import on_threads
from foretaste.pipeline.artifact import Artifact, assemble
from foretaste.ports.model_registry import ModelRegistry
from foretaste.training.config import Progress, TrainConfig, silent
from foretaste.training.corpus import Corpus
from foretaste.training.evaluate import UNPUBLISHED
from foretaste.training.fit import fit_sources
from foretaste.training.load import load_artifact
from foretaste.training.prepare import Prepared, prepare
from foretaste.training.publish import stage, version_of
from foretaste.training.recipe import CHAMPION, Recipe, settled
from foretaste.training.report import TrainReport
from foretaste.training.stages import Stages

CHALLENGER = "challenger"


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
    same on each run, and small systems do not wait for threads. `config.threads` share what is independent
    of each other: the rows of factors and of item graphs.

    Raises `InvalidInputError` for a log without a positive event, `NoModelError` where every source fails.
    """
    clock = Stages(progress)
    config = config or TrainConfig()
    with threadpool_limits(limits=1, user_api="blas"), on_threads(config.threads):
        with clock.stage("prepare"):
            prepared = prepare(corpus, config, seed)
        recipe = settled(prepared, champion, clock)
        del champion
        with clock.stage("refit"):
            artifact = _refitted(prepared, recipe, created_at)
    report = msgspec.structs.replace(
        recipe.report,
        version=artifact.version,
        seconds=dict(clock.seconds),
        contexts_dropped=corpus.contexts_dropped,
    )
    return Trained(artifact, report)


def _refitted(prepared: Prepared, recipe: Recipe, created_at: int) -> Artifact:
    """Return the artifact: the sources with all they chose, fitted on the whole window."""
    record, blend, calibration, ranker = recipe.record, recipe.blend, recipe.calibration, recipe.ranker
    window = prepared.interactions(len(prepared.events))
    models = fit_sources(recipe.configs, window, prepared.corpus.catalog, seed=prepared.seed).models
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
        once=prepared.once,
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


def _champion(registry: ModelRegistry) -> Artifact | None:
    """Return what serves now; a damaged one is no rival."""
    version = registry.aliases().get(CHAMPION)
    if version is None:
        return None
    try:
        return load_artifact(registry.path(version))
    except CorruptArtifactError:
        return None

"""Training on what a home holds."""

from collections import deque
from dataclasses import replace
from pathlib import Path

import msgspec

from foretaste.app.home import Home
from foretaste.app.merging import everyone
from foretaste.app.settings import Settings
from foretaste.app.stores import models_directory, state_config
from foretaste.domain.circumstances import circumstances_of
from foretaste.domain.clock import MICROS_PER_DAY, system_clock
from foretaste.domain.errors import InvalidInputError
from foretaste.domain.parallel import usable_cores
from foretaste.events.weights import weigh
from foretaste.ranking.shown import ShownSlates
from foretaste.training.config import Progress, TrainConfig, silent
from foretaste.training.corpus import Corpus, read_corpus
from foretaste.training.report import TrainReport
from foretaste.training.run import learn, train
from foretaste.training.slate_log import is_own, shown_slates
from foretaste.training.sources import QUESTIONS, Effort, chosen_sources
from foretaste.training.tuning import Told, Tuning, untold

MOST_EXPOSURES = 50_000
"""The latest so many slates are joined with the log."""


def corpus_of(home: Home) -> Corpus:
    """Return all that there is to learn from; raise `InvalidInputError` where there is nothing."""
    corpus = read_corpus(home.log, home.id_map, home.catalog_columns)
    if not len(corpus.events):
        raise InvalidInputError("the log is empty: take events in with foretaste ingest events FILE")
    known = home.profiles.all()
    people = circumstances_of([known.get(name, {}) for name in home.id_map.names("user")] if known else [])
    return replace(corpus, shown=_shown(home, corpus), people=people)


def _shown(home: Home, corpus: Corpus) -> ShownSlates:
    """Return what was shown to whom, joined with the log.

    In a home opened for reading, slates may be younger than the id map and show what it does not know.
    """
    home.exposures.flush()
    events = corpus.events
    weights = weigh(corpus.type_names, events.type, events.value, state_config(home.settings).weights)
    slates = (
        slate
        for slate in home.exposures.read()
        if max(slate.items, default=-1) < corpus.n_items and is_own(slate)
    )
    latest = deque(slates, maxlen=MOST_EXPOSURES)
    return shown_slates(latest, everyone(home), events, weights > 0.0)


def train_home(
    home: Home,
    *,
    seed: int | None = None,
    effort: Effort | None = None,
    publish: bool = True,
    tuning: Tuning | None = None,
    remember: bool = True,
    told: Told = untold,
    staging: Path | None = None,
    progress: Progress = silent,
) -> TrainReport:
    """Learn from the home's log and publish to its registry; the home serves the model if it passed.

    Works on a home opened for reading too: whoever serves it takes the new champion by itself. Versions that
    served last before the records of what was shown begin (`exposure_days`) are removed then. A home
    in memory, without a registry, serves what was learnt. `seed` and `effort` None take the settings';
    `tuning`, `remember` and `told` see `TrainConfig`; `staging` is a directory for what is not yet a
    version, on the file system of the models.
    """
    chosen = home.settings.seed if seed is None else seed
    config = _config(home.settings, effort or home.settings.effort)
    config = replace(config, tuning=tuning, remember=remember, told=told)
    now = system_clock()
    home.encode_texts(lambda share: progress("encode", share))
    if home.registry is None or home.directory is None:
        trained = learn(corpus_of(home), created_at=now, seed=chosen, config=config, progress=progress)
        home.serve_artifact(trained.artifact)
        return msgspec.structs.replace(trained.report, promoted=True)
    staging = staging or models_directory(home.directory, home.settings)
    staging.mkdir(parents=True, exist_ok=True)
    report = train(
        corpus_of(home),
        home.registry,
        created_at=now,
        seed=chosen,
        config=config,
        promote=publish,
        staging=staging,
        progress=progress,
    )
    home.refresh()
    home.registry.retire(now - round(home.settings.exposure_days * MICROS_PER_DAY))
    return report


def _config(settings: Settings, effort: Effort) -> TrainConfig:
    tuned, judged = QUESTIONS[effort]
    return TrainConfig(
        state=state_config(settings),
        sources=chosen_sources(settings.sources),
        effort=effort,
        max_features=settings.tfidf_max_features,
        factors=settings.collaborative_factors,
        regularization=settings.collaborative_regularization,
        embedding_dim=settings.content_embedding_dim,
        threads=settings.training_threads or usable_cores(),
        tuned=tuned,
        judged=judged,
    )

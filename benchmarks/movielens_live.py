"""Ratings replayed in true time order: `python benchmarks/movielens_live.py [--data FILE] [--questions N]`.

MovieLens-100K, or another log of films: `--data` names a Parquet file with the columns user, item, timestamp
and, if people rated, rating.

Sources are fitted on the first 80 % of the events, the blend learns on the next 10 %, and the hash of both is
printed before the last 10 % is opened. Before each event of a person with an earlier one, all items that the
person has not had are ranked, the place of the next item is noted, and the event is let in.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from threadpoolctl import threadpool_limits

import foretaste as ft
from foretaste.adapters.files.event_table import Events
from foretaste.app.importing import BATCH, import_events
from foretaste.app.wiring import home_in_memory
from foretaste.domain.arrays import Floats, Ordinals
from foretaste.domain.event import EventColumns
from foretaste.domain.history import History
from foretaste.evaluation.bootstrap import Interval, ratio_interval
from foretaste.evaluation.judgement import Judgement, scores_of
from foretaste.evaluation.liveness import measure_liveness
from foretaste.evaluation.regret import regret_of
from foretaste.evaluation.replay import drawn
from foretaste.models.interface import Model, Moment
from foretaste.pipeline.artifact import Artifact, assemble
from foretaste.ranking.calibration import Calibration
from foretaste.training.composition import Composition
from foretaste.training.config import TrainConfig
from foretaste.training.corpus import Corpus, read_corpus
from foretaste.training.evaluate import UNPUBLISHED, judge_all, learn_blend, state_before, surroundings
from foretaste.training.fit import fit_sources
from foretaste.training.prepare import Prepared, prepare
from foretaste.training.publish import version_of

SEED = 0
STALE = "stale batch vectors"
FLOOR = 0.105
SOME_QUESTIONS = 10_000
"""Of another log at most so many questions are judged, drawn by lot, unless told otherwise."""


class WithStale:
    """The composition, and beside it iALS with the vectors that people had when it was fitted.

    Who had none then gets what was popular then.
    """

    def __init__(
        self,
        live: Composition,
        model: Model,
        histories: dict[int, History],
        popular: Floats,
        corpus: Corpus,
    ) -> None:
        self._live = live
        self._model = model
        self._histories = histories
        self._popular = popular
        self._corpus = corpus
        self._empty = live.state.history(-1)

    @property
    def names(self) -> Sequence[str]:
        """What the lists are called."""
        return (*self._live.names, STALE)

    def apply(self, events: EventColumns) -> object:
        """Fold events into the state; the stale vectors do not change."""
        return self._live.apply(events)

    def lists(self, user: int, now: int, k: int) -> Ordinals:
        """Return everyone's best items."""
        moment = Moment(now, self._live.state.items, self._corpus.catalog)
        history = self._histories.get(user, self._empty)
        score = self._model.score(history, moment) if len(history) else self._popular.copy()
        score[self._live.state.tally(user).item] = -np.inf
        best = np.argsort(-score, kind="stable")[:k].astype(np.int32)
        return np.vstack((self._live.lists(user, now, k), best[None, :]))


def corpus_of_movielens() -> Corpus:
    """Return the ratings as the log holds them."""
    return corpus_of_events(ft.datasets.movielens_100k())


def corpus_of_file(path: Path) -> Corpus:
    """Return the events of a Parquet file as the log holds them, oldest first."""
    frame = pl.read_parquet(path).sort("timestamp", maintain_order=True)
    kind = "rating" if "rating" in frame.columns else "watch"
    names = {"user_id": "user", "item_id": "item", "timestamp": "timestamp"}
    columns = [pl.col(column).alias(field) for field, column in names.items()]
    if kind == "rating":
        columns.append(pl.col("rating").cast(pl.Float64).alias("value"))
    return corpus_of_events(ft.read_events(frame.select(columns), event_type=kind))


def corpus_of_events(events: Events) -> Corpus:
    """Return events and items as the log and the catalog hold them."""
    home = home_in_memory()
    home.put_items(list(events.items))
    import_events(home.log, events.chunks(BATCH))
    return read_corpus(home.log, home.id_map, home.catalog_columns)


def measure(found: Corpus, questions: int | None) -> dict[str, Any]:
    """Fit, print the hash, open the last part, and return all figures."""
    prepared = prepare(found, TrainConfig(judged=questions), SEED)
    corpus, window = prepared.corpus, prepared.interactions(prepared.tune)
    fitted = fit_sources(prepared.sources, window, corpus.catalog, seed=SEED)
    state = state_before(prepared, prepared.tune)
    histories = {user: state.history(user) for user in range(state.n_users)}
    popular = np.bincount(window.item, minlength=corpus.n_items).astype(np.float32)
    blend = learn_blend(prepared, state, fitted.models)
    version = version_of(fitted.models, blend, Calibration.flat(), prepared.window(), SEED)
    print(f"learnt {version}; now the last part is opened", file=sys.stderr)
    artifact = assemble(fitted.models, blend, Calibration.flat(), UNPUBLISHED)
    live = Composition(corpus, state, artifact, prepared.config.scenario, seed=SEED)
    judgement = judge_all(prepared, WithStale(live, fitted.models["ials"], histories, popular, corpus))
    scores = scores_of(judgement, surroundings(prepared, fitted.models), seed=SEED)
    liveness = liveness_of(prepared, artifact)
    return {
        "version": version,
        "questions": len(judgement),
        "people": len(np.unique(judgement.user)),
        "regret": None
        if (regret := regret_of(judgement, tuple(fitted.models), seed=SEED)) is None
        else regret.words,
        "weights": dict(zip((*blend.sources, "boost"), blend.row(20).round(3).tolist(), strict=True)),
        "scores": {
            score.name: {
                **{metric: parts(found) for metric, found in score.accuracy.items()},
                "coverage": score.coverage,
                "novelty": parts(score.novelty),
                "gini": score.gini,
                "diversity": parts(score.diversity) if score.diversity else None,
            }
            for score in scores
        },
        "precision@10 over": {
            rival: parts(factor_over(judgement, rival)) for rival in ("popularity", "random")
        },
        "liveness": liveness,
    }


def liveness_of(prepared: Prepared, artifact: Artifact) -> dict[str, float]:
    """Return the shares of answers that change with an event, of lists of one's own, of strangers served."""
    state, scenario = state_before(prepared, prepared.test), prepared.config.scenario
    composition = Composition(prepared.corpus, state, artifact, scenario, sources=False, seed=SEED)
    positions = np.flatnonzero(prepared.counts[prepared.test :]) + prepared.test
    tried = drawn(positions, 1_000, SEED)
    found = measure_liveness(prepared.events, tried, composition, start=prepared.test)
    return {"changed": found.changed, "own lists": found.own_lists, "strangers served": found.cold_served}


def factor_over(judgement: Judgement, rival: str) -> Interval:
    """Return by how much the blend's Precision@10 is that of a rival, with its interval over people."""
    return ratio_interval(
        judgement.values("blend", "precision"),
        judgement.values(rival, "precision"),
        judgement.user,
        seed=SEED,
    )


def parts(interval: Interval) -> list[float]:
    """Return value, low and high of an interval."""
    return [round(float(part), 5) for part in (interval.value, interval.low, interval.high)]


def main() -> int:
    """Print the table or JSON; return 1 if the blend is below the floor."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=int, help="judge at most so many, drawn by lot; all by default")
    parser.add_argument("--data", type=Path, help="a Parquet file of another log; MovieLens-100K by default")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with threadpool_limits(limits=1, user_api="blas"):
        found = corpus_of_file(options.data) if options.data else corpus_of_movielens()
        questions = options.questions or (SOME_QUESTIONS if options.data else None)
        figures = measure(found, questions)
    if options.json:
        print(json.dumps(figures))
    else:
        print(
            f"{figures['questions']:,} questions about {figures['people']} people, 95 % intervals by person\n"
        )
        print("| | NDCG@10 | HR@10 | MRR@10 | coverage | novelty, bits | Gini |")
        print("|---|---|---:|---:|---:|---:|---:|")
        for name, score in sorted(figures["scores"].items(), key=lambda pair: -pair[1]["ndcg"][0]):
            value, low, high = score["ndcg"]
            hits, first = score["hit_rate"][0], score["mrr"][0]
            print(
                f"| {name} | {value:.4f} [{low:.4f}, {high:.4f}] | {hits:.3f} | {first:.3f} "
                f"| {score['coverage']:.2f} | {score['novelty'][0]:.1f} | {score['gini']:.2f} |"
            )
        print(f"\nPrecision@10 of the blend over: {figures['precision@10 over']}")
        print(f"the blend is {figures['regret']}")
        print(f"shares: {figures['liveness']}\nweights: {figures['weights']}")
    return int(not options.data and figures["scores"]["blend"]["ndcg"][0] < FLOOR)


if __name__ == "__main__":
    sys.exit(main())

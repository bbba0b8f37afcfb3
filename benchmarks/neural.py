"""What neural models add: `python benchmarks/neural.py [--data DIR] [--part test] [--json]`.

With `--data`, a folder with `sequences.parquet` (user, item, pos): the last item of each person judges, the one
before it teaches the blend, and nothing is fitted on either. Without, MovieLens-100K in time order. Sources are
fitted once; blends with and without the neural ones are learnt and judged on the same questions. By default
(`--part validation`) the last item, or tenth of the log, is not read and all is one step earlier: to choose by.
"""

import argparse
import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from threadpoolctl import threadpool_limits

import foretaste as ft
from foretaste.adapters.files.event_table import Events
from foretaste.app.importing import BATCH, import_events
from foretaste.app.wiring import home_in_memory
from foretaste.domain.event import Event
from foretaste.evaluation.bootstrap import difference_interval, mean_interval
from foretaste.evaluation.replay import drawn
from foretaste.models.interface import Model, Moment
from foretaste.pipeline.artifact import assemble
from foretaste.ranking.blend import Blend
from foretaste.ranking.calibration import Calibration
from foretaste.training.asking import asked_at, asked_between
from foretaste.training.composition import Composition
from foretaste.training.config import TrainConfig
from foretaste.training.corpus import Corpus, read_corpus
from foretaste.training.evaluate import UNPUBLISHED, learn_blend, state_before
from foretaste.training.fit import fit_sources
from foretaste.training.prepare import Prepared, prepare
from foretaste.training.publish import version_of
from foretaste.training.sources import optional_sources, usual_sources

SEED = 0
K = 10
NEURAL = ("self_attention", "ncf")
DAY = 86_400_000_000
EPOCH = 1_600_000_000_000_000
"""Sequences have an order but no times: a day lies between two events, and everyone's last is today."""


def sequences(folder: Path, part: str) -> tuple[Corpus, float, float]:
    """Return the log and which share of it, at its end, teaches the blend and which judges."""
    frame = pl.read_parquet(folder / "sequences.parquet").sort("user", "pos")
    back = pl.len().over("user") - 1 - pl.int_range(pl.len()).over("user")
    frame = frame.with_columns(back=back).sort("back", descending=True, maintain_order=True)
    if part == "validation":
        frame = frame.filter(pl.col("back") > 0).with_columns(back=pl.col("back") - 1)
    events = [
        Event(
            event_id=f"{user}-{back}",
            user_id=str(user),
            item_id=str(item),
            type="purchase",
            timestamp=EPOCH - back * DAY,
        )
        for user, item, back in frame.select("user", "item", "back").iter_rows()
    ]
    chunks = (events[begin : begin + BATCH] for begin in range(0, len(events), BATCH))
    home = home_in_memory()
    import_events(home.log, chunks)
    judging, teaching = (int((frame["back"] == number).sum()) for number in (0, 1))
    corpus = read_corpus(home.log, home.id_map, home.catalog_columns)
    return corpus, teaching / len(frame), judging / len(frame)


def movielens(part: str) -> tuple[Corpus, float, float]:
    """Return the ratings, and which share of them, at their end, teaches the blend and which judges."""
    events: Events = ft.datasets.movielens_100k()
    items = events.items
    tenth = 0.1
    if part == "validation":
        events, tenth = events.until(events.quantile(0.9)), 0.1 / 0.9
    home = home_in_memory()
    home.put_items(items)
    import_events(home.log, events.chunks(BATCH))
    return read_corpus(home.log, home.id_map, home.catalog_columns), tenth, tenth


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Fit, learn the blends, print their hashes, open the part that judges, and return all figures."""
    is_live = options.data is None
    corpus, teaching, judging = (
        movielens(options.part) if is_live else sequences(Path(options.data), options.part)
    )
    config = TrainConfig(validation=teaching, test=judging, tuned=options.tuned, judged=options.questions)
    prepared = prepare(corpus, config, SEED)
    names = [*usual_sources(effort=options.effort), *NEURAL] if options.sources is None else options.sources
    learners = {**optional_sources(), **usual_sources(effort=options.effort)}
    window = prepared.interactions(prepared.tune)
    chosen = {name: learners[name] for name in names}
    fitted = fit_sources(chosen, window, corpus.catalog, seed=SEED)
    print(f"seconds {fitted.seconds}\nfailures {fitted.failures}", file=sys.stderr, flush=True)
    blends = {
        name: _blend(prepared, fitted.models, found) for name, found in _versions(fitted.models).items()
    }
    for name, (models, blend) in blends.items():
        version = version_of(models, blend, Calibration.flat(), prepared.window(), SEED)
        weights = dict(zip(blend.sources, blend.row(20).round(3).tolist(), strict=False))
        print(f"learnt {name}: {version} {weights}", file=sys.stderr, flush=True)
    print("now the last part is opened", file=sys.stderr, flush=True)
    gains = _judge(prepared, fitted.models, blends, is_live=is_live)
    return {
        "questions": len(next(iter(gains.values()))[0]),
        "seconds": dict(fitted.seconds),
        "epochs": {name: model.config.epochs for name, model in fitted.models.items() if name in NEURAL},
        "microseconds": _microseconds(prepared, fitted.models),
        "scores": {name: _figures(*found) for name, found in gains.items()},
        "added": {
            name: _interval(difference_interval(found[1], gains["without"][1], found[2], seed=SEED))
            for name, found in gains.items()
            if name.startswith("with ")
        },
    }


def _versions(models: Mapping[str, Model]) -> dict[str, list[str]]:
    """Return which sources each blend has."""
    usual = [name for name in models if name not in NEURAL]
    there = [name for name in NEURAL if name in models]
    return {"without": usual, **{f"with {name}": [*usual, name] for name in there}}


def _blend(
    prepared: Prepared, models: Mapping[str, Model], names: list[str]
) -> tuple[Mapping[str, Model], Blend]:
    some = {name: models[name] for name in names}
    return some, learn_blend(prepared, state_before(prepared, prepared.tune), some)


def _judge(
    prepared: Prepared,
    models: Mapping[str, Model],
    blends: Mapping[str, tuple[Mapping[str, Model], Blend]],
    *,
    is_live: bool,
) -> dict[str, tuple[Any, Any, Any]]:
    """Return hits, gains and people of every question, for each blend and each source alone.

    Live, what happened between two questions is let in; else nothing of the last part is.
    """
    state = state_before(prepared, prepared.test)
    first, *others = (
        (name, assemble(some, blend, Calibration.flat(), UNPUBLISHED))
        for name, (some, blend) in blends.items()
    )
    composition = Composition(
        prepared.corpus, state, first[1], prepared.config.scenario, others=dict(others), sources=False
    )
    events, done = prepared.events, prepared.test
    asked = drawn(asked_between(prepared, done, len(events)), prepared.config.judged, SEED + 1)
    places: list[list[float]] = []
    for position in asked.tolist():
        if is_live:
            composition.apply(events.take(done, position))
            done = position
        user, truth = int(events.user[position]), int(events.item[position])
        now = asked_at(prepared, position)
        lists = [found[found >= 0] for found in composition.lists(user, now, K)[:-1]]
        moment = Moment(now, state.items, prepared.corpus.catalog)
        history, had = state.history(user), state.tally(user).item
        alone = [_best(model.score(history, moment), had) for model in models.values()]
        places.append([_place(found, truth) for found in (*lists, *alone)])
    place = np.array(places)
    names = ["without", *(name for name, _ in others), *models]
    gain = np.where(place < K, 1.0 / np.log2(place + 2.0), 0.0)
    return {
        name: ((place[:, column] < K).astype(float), gain[:, column], events.user[asked])
        for column, name in enumerate(names)
    }


def _best(score: Any, had: Any) -> Any:
    score[had] = -np.inf
    return np.argpartition(-score, K)[:K][np.argsort(-score[np.argpartition(-score, K)[:K]], kind="stable")]


def _place(found: Any, truth: int) -> float:
    where = np.flatnonzero(found == truth)
    return float(where[0]) if len(where) else np.inf


def _microseconds(prepared: Prepared, models: Mapping[str, Model]) -> dict[str, float]:
    """Return how long a score of all items takes each model, the median over some people."""
    state = state_before(prepared, prepared.test)
    moment = Moment(asked_at(prepared, prepared.test), state.items, prepared.corpus.catalog)
    histories = [state.history(user) for user in range(0, state.n_users, max(1, state.n_users // 200))]
    medians = {}
    for name, model in models.items():
        spans = []
        for history in histories:
            began = time.perf_counter()
            model.score(history, moment)
            spans.append(time.perf_counter() - began)
        medians[name] = round(float(np.median(spans)) * 1e6, 1)
    return medians


def _figures(hit: Any, gain: Any, user: Any) -> dict[str, list[float]]:
    return {
        "recall": _interval(mean_interval(hit, user, seed=SEED)),
        "ndcg": _interval(mean_interval(gain, user, seed=SEED)),
    }


def _interval(interval: Any) -> list[float]:
    return [round(float(part), 5) for part in (interval.value, interval.low, interval.high)]


def main() -> int:
    """Print the table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", help="a folder with sequences.parquet; MovieLens-100K by default")
    parser.add_argument("--part", choices=("validation", "test"), default="validation")
    parser.add_argument("--effort", choices=("quick", "usual", "best"), default="usual")
    parser.add_argument("--sources", type=lambda text: text.split(","), help="all by default")
    parser.add_argument("--tuned", type=int, default=3000, help="questions that teach the blend")
    parser.add_argument("--questions", type=int, help="judge at most so many, drawn by lot; all by default")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with threadpool_limits(limits=1, user_api="blas"):
        figures = measure(options)
    if options.json:
        print(json.dumps(figures))
        return 0
    print(f"{figures['questions']:,} questions, 95 % intervals by person\n")
    print("| | Recall@10 | NDCG@10 | fit, s | score, µs |\n|---|---:|---:|---:|---:|")
    for name, score in figures["scores"].items():
        (recall, *_), (value, low, high) = score["recall"], score["ndcg"]
        seconds, micros = (figures[column].get(name, "-") for column in ("seconds", "microseconds"))
        print(f"| {name} | {recall:.4f} | {value:.4f} [{low:.4f}, {high:.4f}] | {seconds} | {micros} |")
    print(f"\nadded to NDCG@10 of the blend: {figures['added']}; epochs: {figures['epochs']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""What neural models add: `python benchmarks/neural.py [--data DIR] [--part test] [--json]`.

With `--data`, a folder with `sequences.parquet` (user, item, pos): the last item of each person judges, the
one before it teaches the blend, and nothing is fitted on either. Without, MovieLens-100K in time order. The
sources are fitted once; blends with and without the neural ones are learnt and judged on the same questions.
By default (`--part validation`) the last item, or tenth of the log, is not looked at, and all is one step
earlier: to choose by.
"""

import argparse
import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from beauty import corpus_of
from foretaste.domain.arrays import Int64s
from foretaste.domain.event import EventColumns
from foretaste.evaluation.bootstrap import Interval, difference_interval, mean_interval
from foretaste.evaluation.judgement import Judgement
from foretaste.models.interface import Model, Moment
from foretaste.pipeline.artifact import Artifact, assemble
from foretaste.ranking.calibration import Calibration
from foretaste.training.asking import asked_at
from foretaste.training.composition import BLEND, Composition
from foretaste.training.config import TrainConfig
from foretaste.training.corpus import Corpus
from foretaste.training.evaluate import UNPUBLISHED, judge_all, learn_blend, state_before
from foretaste.training.fit import Fitted, fit_sources
from foretaste.training.prepare import Prepared, prepare
from foretaste.training.publish import version_of
from foretaste.training.sources import optional_sources
from movielens_live import corpus_of_movielens

SEED = 0
NEURAL = ("self_attention", "ncf")
WITHOUT = "blend without"
TENTH = 0.1


def prepared_for(options: argparse.Namespace) -> Prepared:
    """Return the log as `train` takes it; to choose by, without all that judges otherwise."""
    choosing, share = options.part == "validation", TENTH
    if options.data is None:
        corpus = corpus_of_movielens()
        if choosing:
            order = np.lexsort((corpus.events.seq, corpus.events.time))
            corpus = with_events(corpus, np.sort(order[: int(len(order) * (1.0 - TENTH))]))
            share = TENTH / (1.0 - TENTH)
    else:
        corpus = corpus_of(options.data / "sequences.parquet")
        if choosing:
            order = np.lexsort((corpus.events.time, corpus.events.user))
            goes_on = np.append(np.diff(corpus.events.user[order]) == 0, False)
            corpus = with_events(corpus, np.sort(order[goes_on]))
    config = TrainConfig(effort=options.effort, judged=options.questions, validation=share, test=share)
    return prepare(corpus, config, SEED)


def with_events(corpus: Corpus, chosen: Int64s) -> Corpus:
    """Return the corpus with the events at the positions `chosen` only."""
    events = corpus.events
    columns = {
        name: getattr(events, name)[chosen] for name in ("user", "item", "type", "time", "key", "value")
    }
    kept = EventColumns(previous_seq=0, seq=np.arange(1, len(chosen) + 1), **columns)
    return Corpus(kept, corpus.catalog, corpus.item_names, corpus.type_names, corpus.n_users)


def fitted_for(prepared: Prepared, names: tuple[str, ...]) -> Fitted:
    """Return the usual sources and the neural ones of these names, fitted on the first part."""
    learners = {**prepared.sources, **{name: optional_sources()[name] for name in names}}
    window = prepared.interactions(prepared.tune)
    fitted = fit_sources(learners, window, prepared.corpus.catalog, seed=SEED)
    for source, reason in fitted.failures.items():
        print(f"left out {source}: {reason}", file=sys.stderr)
    return fitted


def blended(prepared: Prepared, fitted: Fitted, names: tuple[str, ...]) -> dict[str, Artifact]:
    """Return the blend of all sources, that without the neural ones, and those with one of them."""
    there = [name for name in names if name in fitted.models]
    usual = [name for name in fitted.models if name not in NEURAL]
    wanted = {BLEND: [*usual, *there], WITHOUT: usual}
    if len(there) > 1:
        wanted |= {f"blend with {name}": [*usual, name] for name in there}
    artifacts = {}
    for name, sources in wanted.items():
        models = {source: fitted.models[source] for source in sources}
        blend = learn_blend(prepared, state_before(prepared, prepared.tune), models)
        artifacts[name] = assemble(models, blend, Calibration.flat(), UNPUBLISHED)
        version = version_of(models, blend, Calibration.flat(), prepared.window(), SEED)
        weights = dict(zip(blend.sources, blend.row(20).round(3).tolist(), strict=False))
        print(f"learnt {name}: {version} {weights}", file=sys.stderr, flush=True)
    return artifacts


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Fit, learn the blends, print their hashes, open the part that judges, and return all figures."""
    prepared = prepared_for(options)
    fitted = fitted_for(prepared, options.neural)
    artifacts = blended(prepared, fitted, options.neural)
    print("now the last part is opened", file=sys.stderr, flush=True)
    first, others = artifacts[BLEND], {name: found for name, found in artifacts.items() if name != BLEND}
    state = state_before(prepared, prepared.test)
    composition = Composition(
        prepared.corpus, state, first, prepared.config.scenario, others=others, seed=SEED
    )
    judgement = judge_all(prepared, composition)
    return {
        "split": prepared.words,
        "questions": len(judgement),
        "seconds": dict(fitted.seconds),
        "settings": {name: repr(model.config) for name, model in fitted.models.items() if name in NEURAL},
        "microseconds": microseconds(prepared, fitted.models),
        "scores": {
            name: {metric: score(judgement, name, metric) for metric in ("hit_rate", "ndcg")}
            for name in judgement.names
        },
        "added": {name: parts(added(judgement, name)) for name in artifacts if name != WITHOUT},
    }


def score(judgement: Judgement, name: str, metric: str) -> list[float]:
    """Return a mean with its interval by person; with one truth a question, recall is the hit rate."""
    return parts(mean_interval(judgement.values(name, metric), judgement.user, seed=SEED))


def added(judgement: Judgement, name: str) -> Interval:
    """Return by how much NDCG@10 is above that of the blend without neural sources."""
    values = judgement.values(name, "ndcg"), judgement.values(WITHOUT, "ndcg")
    return difference_interval(*values, judgement.user, seed=SEED)


def microseconds(prepared: Prepared, models: Mapping[str, Model]) -> dict[str, float]:
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


def parts(interval: Interval) -> list[float]:
    """Return value, low and high of an interval."""
    return [round(float(part), 5) for part in (interval.value, interval.low, interval.high)]


def printed(figures: dict[str, Any]) -> None:
    """Print the table."""
    print(f"{figures['split']}; {figures['questions']:,} questions, 95 % intervals by person\n")
    print("| | Recall@10 | NDCG@10 | fit, s | score, µs |\n|---|---:|---:|---:|---:|")
    for name, found in sorted(figures["scores"].items(), key=lambda pair: -pair[1]["ndcg"][0]):
        (recall, *_), (value, low, high) = found["hit_rate"], found["ndcg"]
        costs = " | ".join(str(figures[cost].get(name, "")) for cost in ("seconds", "microseconds"))
        print(f"| {name} | {recall:.4f} | {value:.4f} [{low:.4f}, {high:.4f}] | {costs} |")
    print(f"\nadded to the blend's NDCG@10: {figures['added']}")
    for settings in figures["settings"].values():
        print(settings)


def main() -> int:
    """Print the table or JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="a folder with sequences.parquet; else MovieLens-100K")
    parser.add_argument("--part", choices=("validation", "test"), default="validation")
    parser.add_argument("--effort", choices=("quick", "usual", "best"), default="usual")
    parser.add_argument("--neural", type=lambda text: tuple(text.split(",")), default=NEURAL)
    parser.add_argument("--questions", type=int, help="judge at most so many, drawn by lot; all by default")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with threadpool_limits(limits=1, user_api="blas"):
        figures = measure(options)
    if options.json:
        print(json.dumps(figures))
    else:
        printed(figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())

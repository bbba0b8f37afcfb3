"""Every stream replayed in true time order: `python benchmarks/streams.py [--data DIR] [--stream FILE]`.

A made-up news site, a made-up shop, MovieLens-100K, with `--data` the folder `online-retail` in it, and with
`--stream` any Parquet file with the columns user, item and timestamp (and rating, if people rated). Of each
stream the first 80 % of the events fit, the next 10 % tune the blend, the hash is printed, then the last 10 %
judge: the blend that ships beside each source alone, and how far it is ahead of the best of them. Where the
chances of all items are known, as in the made-up shop, that is told by what a list is worth on the average
over all that may come next too, which is far more precise. It fails where one of these falls below the floor.
"""

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import polars as pl
from threadpoolctl import threadpool_limits

import foretaste as ft
from foretaste.app.datasets.synthetic import Synthetic
from foretaste.domain.arrays import Doubles
from foretaste.evaluation.bootstrap import mean_interval, ratio_interval
from foretaste.evaluation.judgement import Judgement
from foretaste.evaluation.regret import Regret, regret_of
from foretaste.pipeline.artifact import assemble
from foretaste.ranking.calibration import Calibration
from foretaste.training.composition import BLEND, Composition
from foretaste.training.config import TrainConfig
from foretaste.training.corpus import Corpus
from foretaste.training.evaluate import UNPUBLISHED, judge_all, learn_blend, state_before
from foretaste.training.fit import fit_sources
from foretaste.training.prepare import Prepared, prepare
from foretaste.training.publish import version_of
from movielens_live import corpus_of_events, corpus_of_file, corpus_of_movielens, parts

SEED = 0
FLOOR = -0.01
"""The blend is at most so much behind the best single source, by the lower end of the interval."""


@dataclass(frozen=True, slots=True, eq=False)
class Stream:
    """A log, and, where known, the chance that a person takes an item: float64 [users, items], by ordinal."""

    corpus: Corpus
    chances: Doubles | None = None


def measure(name: str, stream: Stream, questions: int) -> dict[str, Any]:
    """Fit, print the hash, open the last part, and return all figures of a stream."""
    began, corpus = perf_counter(), stream.corpus
    prepared = prepare(corpus, TrainConfig(judged=questions), SEED)
    window = prepared.interactions(prepared.tune)
    fitted = fit_sources(prepared.sources, window, corpus.catalog, seed=SEED)
    state = state_before(prepared, prepared.tune)
    blend = learn_blend(prepared, state, fitted.models)
    version = version_of(fitted.models, blend, Calibration.flat(), prepared.window(), SEED)
    learnt = perf_counter() - began
    print(f"{name}: learnt {version} in {learnt:.0f} s; now the last part is opened", file=sys.stderr)
    artifact = assemble(fitted.models, blend, Calibration.flat(), UNPUBLISHED)
    live = Composition(corpus, state, artifact, prepared.config.scenario, seed=SEED)
    judgement = judge_all(prepared, live)
    regret = regret_of(judgement, tuple(fitted.models), seed=SEED)
    scores = {
        who: parts(mean_interval(judgement.values(who, "ndcg"), judgement.user, seed=SEED))
        for who in judgement.names
    }
    heard = {True: blend.row(30, in_session=True), False: blend.row(30)}
    return {
        "version": version,
        "events": len(prepared.events),
        "questions": len(judgement),
        "ndcg@10": scores,
        "form": blend.form,
        "weights in a session": dict(zip(blend.sources, heard[True].round(2).tolist(), strict=False)),
        "weights on coming back": dict(zip(blend.sources, heard[False].round(2).tolist(), strict=False)),
        "regret": told(regret),
        "on the average": expected_regret(prepared, judgement, tuple(fitted.models), stream.chances),
        "seconds to learn": round(learnt, 1),
    }


def told(regret: Regret | None) -> dict[str, Any]:
    """Return the regret as JSON values."""
    if regret is None:
        return {}
    return {"best": regret.best, "ahead": parts(regret.ahead), "words": regret.words}


def expected_regret(
    prepared: Prepared, judgement: Judgement, sources: tuple[str, ...], chances: Doubles | None
) -> dict[str, Any]:
    """Return how far the blend is ahead on the average over all that may come next, {} where none knows.

    A list is worth the chances of its items, given that it is an item not had, over log2 of place plus one.
    """
    if chances is None:
        return {}
    events, worth = prepared.events, np.zeros(judgement.lists.shape[:2])
    for row, position in enumerate(judgement.position.tolist()):
        own = (events.user[:position] == events.user[position]) & prepared.consuming[:position]
        chance = chances[events.user[position]].copy()
        chance[events.item[:position][own]] = 0.0
        lists = judgement.lists[:, row]
        discounts = np.log2(np.arange(lists.shape[1]) + 2.0)
        worth[:, row] = (np.where(lists >= 0, chance[lists], 0.0) / discounts).sum(axis=1) / chance.sum()
    values = dict(zip(judgement.names, worth, strict=True))
    best = max(sources, key=lambda source: values[source].mean())
    ratio = ratio_interval(values[BLEND], values[best], judgement.user, seed=SEED)
    value, low, high = (each - 1.0 for each in (ratio.value, ratio.low, ratio.high))
    means = values[BLEND].mean(), values[best].mean()
    words = (
        f"{value:+.1%} [{low:+.1%}, {high:+.1%}] ahead of {best} on the average over what may come next"
        f" ({means[0]:.4f} against {means[1]:.4f})"
    )
    return {"best": best, "ahead": [value, low, high], "words": words}


def streams_of(data: Path | None, file: Path | None, world: int) -> dict[str, Callable[[], Stream]]:
    """Return how each stream there is can be read."""
    found: dict[str, Callable[[], Stream]] = {
        "news": lambda: Stream(corpus_of_events(ft.datasets.synthetic_news(seed=world))),
        "shop": lambda: _shop(ft.datasets.synthetic(n_users=600, n_items=400, n_events=20_000, seed=world)),
        "films": lambda: Stream(corpus_of_movielens()),
    }
    if data is not None:
        found["online-retail"] = lambda: Stream(_retail(data / "online-retail" / "events.parquet"))
    if file is not None:
        found[file.stem] = lambda: Stream(corpus_of_file(file))
    return found


def _shop(made: Synthetic) -> Stream:
    corpus, truth = corpus_of_events(made.events), made.truth
    ordinals, first = np.unique(corpus.events.user, return_index=True)
    people, names = made.events.frame["user_id"], {name: row for row, name in enumerate(truth.users)}
    items = {name: column for column, name in enumerate(truth.items)}
    chances = np.zeros((corpus.n_users, corpus.n_items))
    columns = [items[name] for name in corpus.item_names]
    chances[ordinals] = truth.preference[[names[people[place]] for place in first.tolist()]][:, columns]
    return Stream(corpus, chances)


def _retail(path: Path) -> Corpus:
    frame = pl.read_parquet(path).sort("timestamp", maintain_order=True)
    return corpus_of_events(
        ft.read_events(frame.select("user_id", "item_id", "timestamp"), event_type="purchase")
    )


def main() -> int:
    """Print the tables or JSON; return 1 if on a stream the blend may be behind by more than a hundredth."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="the folder that holds online-retail")
    parser.add_argument("--stream", type=Path, help="a Parquet file of another stream")
    parser.add_argument("--only", nargs="*", default=(), help="names of streams; all there are by default")
    parser.add_argument("--questions", type=int, default=3000, help="judge at most so many on each stream")
    parser.add_argument("--world", type=int, default=SEED, help="the seed of the made-up shop and news")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    streams = streams_of(options.data, options.stream, options.world)
    figures = {}
    with threadpool_limits(limits=1, user_api="blas"):
        for name, read in streams.items():
            if not options.only or name in options.only:
                figures[name] = measure(name, read(), options.questions)
                if not options.json:
                    show(name, figures[name])
    if options.json:
        print(json.dumps(figures))
    regrets = [each[kind] for each in figures.values() for kind in ("regret", "on the average")]
    return int(any(regret and regret["ahead"][1] < FLOOR for regret in regrets))


def show(name: str, found: dict[str, Any]) -> None:
    """Print one stream's table."""
    print(f"\n{name}: {found['questions']:,} questions, {found['events']:,} events; {found['form']}")
    print(f"{BLEND} {found['regret'].get('words', '')}")
    print(f"{found['on the average'].get('words', '')}\n\n| | NDCG@10 |\n|---|---|")
    for who, (value, low, high) in sorted(found["ndcg@10"].items(), key=lambda pair: -pair[1][0]):
        print(f"| {who} | {value:.4f} [{low:.4f}, {high:.4f}] |")
    print(f"\nin a session {found['weights in a session']}\non coming back {found['weights on coming back']}")


if __name__ == "__main__":
    sys.exit(main())

"""Every stream replayed in true time order: `python benchmarks/streams.py [--data DIR] [--stream FILE]`.

Made-up news sites, made-up shops, MovieLens-100K, with `--data` the folder `online-retail` in it, and with
`--stream` any Parquet file with the columns user, item and timestamp (and rating, if people rated). Of each
stream the first 80 % of the events fit, the next 10 % tune the blend, the hash is printed, then the last 10 %
judge: the blend that ships beside each source alone, and how far it is ahead of the best of them.

One made-up world is too small to tell a hundredth, so several are made up, each learnt by itself, and pooled:
the blend's questions of all worlds against those of each world's own best source in hindsight, which may be
another in each; the people of different worlds are different people. Where the chances of all items are
known, as in the shops, that is told by what a list is worth on the average over all that may come next too,
which is far more precise. It fails where a stream's figure falls below the floor: of worlds the pooled one by
either measure, and each world's own on the average.
"""

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import polars as pl
from threadpoolctl import threadpool_limits

import foretaste as ft
from foretaste.domain.arrays import Doubles, Ordinals
from foretaste.evaluation.bootstrap import mean_interval, ratio_interval
from foretaste.evaluation.judgement import Judgement
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
WORLDS = 6
"""So many shops and news sites are made up, with the seeds from 1 on."""
CAME, AVERAGE = "by what came", "on the average over what may come next"
"""The two kinds of judging."""


@dataclass(frozen=True, slots=True, eq=False)
class Stream:
    """A log, and, where known, the chance that a person takes an item: float64 [users, items], by ordinal."""

    corpus: Corpus
    chances: Doubles | None = None


Read = Callable[[], Stream]
"""Reads, or makes up, a stream."""


@dataclass(frozen=True, slots=True, eq=False)
class Paired:
    """What the blend and the best single source in hindsight got for the same questions, float64 [n] each.

    `user` int32 [n] says whose question each is. `best` is the source, in every world its own.
    """

    best: str
    ours: Doubles
    theirs: Doubles
    user: Ordinals

    @property
    def ahead(self) -> tuple[float, float, float]:
        """How far the mean of `ours` is above that of `theirs`, relative, with its interval over people."""
        ratio = ratio_interval(self.ours, self.theirs, self.user, seed=SEED)
        return ratio.value - 1.0, ratio.low - 1.0, ratio.high - 1.0

    @property
    def told(self) -> dict[str, Any]:
        """The comparison as JSON values."""
        ahead, means = self.ahead, (float(self.ours.mean()), float(self.theirs.mean()))
        words = "{:+.1%} [{:+.1%}, {:+.1%}] ahead of".format(*ahead)
        return {
            "best": self.best,
            "ahead": ahead,
            "questions": len(self.user),
            "words": f"{words} {self.best} ({means[0]:.4f} against {means[1]:.4f})",
        }


def pooled(worlds: Sequence[Paired]) -> Paired:
    """Return the questions of all worlds as one; people of different worlds stay apart."""
    first = np.cumsum([0, *(int(world.user.max()) + 1 for world in worlds[:-1])])
    return Paired(
        best=", ".join(sorted({world.best for world in worlds})),
        ours=np.concatenate([world.ours for world in worlds]),
        theirs=np.concatenate([world.theirs for world in worlds]),
        user=np.concatenate([world.user + start for world, start in zip(worlds, first, strict=True)]),
    )


def against_the_best(worth: Mapping[str, Doubles], sources: Sequence[str], user: Ordinals) -> Paired:
    """Return the blend beside the source of the highest mean."""
    best = max(sources, key=lambda source: worth[source].mean())
    return Paired(best, worth[BLEND], worth[best], user)


def measure(name: str, stream: Stream, questions: int) -> tuple[dict[str, Any], dict[str, Paired]]:
    """Fit, print the hash, open the last part; return a stream's figures, and the blend's lead by kind."""
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
    came = {who: judgement.values(who, "ndcg") for who in judgement.names}
    sources = tuple(fitted.models)
    leads = {CAME: against_the_best(came, sources, judgement.user)}
    if stream.chances is not None:
        worth = expected_worth(prepared, judgement, stream.chances)
        leads[AVERAGE] = against_the_best(worth, sources, judgement.user)
    heard = {True: blend.row(30, in_session=True), False: blend.row(30)}
    figures = {
        "version": version,
        "events": len(prepared.events),
        "questions": len(judgement),
        "ndcg@10": {
            who: parts(mean_interval(values, judgement.user, seed=SEED)) for who, values in came.items()
        },
        "form": blend.form,
        "weights in a session": dict(zip(blend.sources, heard[True].round(2).tolist(), strict=False)),
        "weights on coming back": dict(zip(blend.sources, heard[False].round(2).tolist(), strict=False)),
        "ahead": {kind: lead.told for kind, lead in leads.items()},
        "seconds to learn": round(learnt, 1),
    }
    return figures, leads


def expected_worth(prepared: Prepared, judgement: Judgement, chances: Doubles) -> dict[str, Doubles]:
    """Return what everyone's list of each question is worth on the average over all that may come next.

    A list is worth the chances of its items, given that it is an item not had, over log2 of place plus one.
    """
    events, worth = prepared.events, np.zeros(judgement.lists.shape[:2])
    for row, position in enumerate(judgement.position.tolist()):
        own = (events.user[:position] == events.user[position]) & prepared.consuming[:position]
        chance = chances[events.user[position]].copy()
        chance[events.item[:position][own]] = 0.0
        lists = judgement.lists[:, row]
        discounts = np.log2(np.arange(lists.shape[1]) + 2.0)
        worth[:, row] = (np.where(lists >= 0, chance[lists], 0.0) / discounts).sum(axis=1) / chance.sum()
    return dict(zip(judgement.names, worth, strict=True))


def streams_of(data: Path | None, file: Path | None, worlds: Sequence[int]) -> dict[str, list[Read]]:
    """Return how each stream there is can be read; of made-up ones, how each of its worlds can."""
    found: dict[str, list[Read]] = {
        "news": [partial(_news, world) for world in worlds],
        "shop": [partial(_shop, world) for world in worlds],
        "films": [lambda: Stream(corpus_of_movielens())],
    }
    if data is not None:
        found["online-retail"] = [lambda: Stream(_retail(data / "online-retail" / "events.parquet"))]
    if file is not None:
        found[file.stem] = [lambda: Stream(corpus_of_file(file))]
    return found


def _news(world: int) -> Stream:
    return Stream(corpus_of_events(ft.datasets.synthetic_news(seed=world)))


def _shop(world: int) -> Stream:
    made = ft.datasets.synthetic(n_users=600, n_items=400, n_events=20_000, seed=world)
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


def measure_worlds(
    name: str, reads: Sequence[Read], worlds: Sequence[int], questions: int, tell: Callable[[str], object]
) -> tuple[dict[str, Any], bool]:
    """Return the figures of each world of a stream and of all as one, told as they come, and if they hold."""
    figures, leads = {}, []
    for world, read in zip(worlds, reads, strict=False):
        called = name if len(reads) == 1 else f"{name} {world}"
        figures[called], lead = measure(called, read(), questions)
        leads.append(lead)
        tell(table(called, figures[called]))
    held = [pooled([lead[kind] for lead in leads]) for kind in leads[0]]
    if len(reads) > 1:
        figures["pooled"] = {"ahead": {kind: one.told for kind, one in zip(leads[0], held, strict=True)}}
        tell("\n".join([f"\n{name}, {len(reads)} worlds as one", *words(figures["pooled"])]))
    held += [lead[AVERAGE] for lead in leads if AVERAGE in lead]
    return figures, all(each.ahead[1] >= FLOOR for each in held)


def main() -> int:
    """Print the tables or JSON; return 1 if on a stream the blend may be behind by more than a hundredth."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="the folder that holds online-retail")
    parser.add_argument("--stream", type=Path, help="a Parquet file of another stream")
    parser.add_argument("--only", nargs="*", default=(), help="names of streams; all there are by default")
    parser.add_argument("--questions", type=int, default=3000, help="judge at most so many on each stream")
    parser.add_argument(
        "--worlds",
        type=int,
        nargs="+",
        default=range(1, WORLDS + 1),
        help="the seeds of the made-up shops and news",
    )
    parser.add_argument("--json", action="store_true", help="print all figures as JSON instead")
    options = parser.parse_args()
    tell: Callable[[str], object] = partial(
        print, flush=True, file=sys.stderr if options.json else sys.stdout
    )
    figures, held = {}, True
    with threadpool_limits(limits=1, user_api="blas"):
        for name, reads in streams_of(options.data, options.stream, options.worlds).items():
            if not options.only or name in options.only:
                figures[name], holds = measure_worlds(name, reads, options.worlds, options.questions, tell)
                held = held and holds
    if options.json:
        print(json.dumps(figures))
    return int(not held)


def table(name: str, found: dict[str, Any]) -> str:
    """Return one stream's table."""
    rows = sorted(found["ndcg@10"].items(), key=lambda pair: -pair[1][0])
    return "\n".join(
        [
            f"\n{name}: {found['questions']:,} questions, {found['events']:,} events; {found['form']}",
            *words(found),
            "\n| | NDCG@10 |\n|---|---|",
            *(f"| {who} | {value:.4f} [{low:.4f}, {high:.4f}] |" for who, (value, low, high) in rows),
            f"\nin a session {found['weights in a session']}",
            f"on coming back {found['weights on coming back']}",
        ]
    )


def words(found: dict[str, Any]) -> list[str]:
    """Return how far the blend is ahead, a line for each kind of judging."""
    told = found["ahead"].items()
    return [f"{BLEND} {kind}: {each['words']}, {each['questions']:,} questions" for kind, each in told]


if __name__ == "__main__":
    sys.exit(main())

"""Recall and NDCG at 5 and 10 on product sequences: the last item of every user tests, the one before tunes.

The protocol of S3-Rec and DuoRec: all items are ranked, the truth is the user's last one. Strict: nothing is
ever fitted on the items that tune or test; of each user, the item that tunes is only part of the live
history that is asked about. Items that the user had are left out, as they always are. Everything is as
`foretaste train` does it by default; the hash of the artifact is printed before the test items are looked at.

`blend` is the slate that ships, diversified; `blend, by score` has the same candidates in order of score.

`python benchmarks/beauty.py --data DIR` where DIR holds `sequences.parquet` with the columns `user`, `item`
and `pos`. `--effort quick|usual|best`, `--users N` asks N users only, drawn by lot; `--json FILE` writes
the numbers too.
"""

import argparse
import json
import os
import platform
import resource
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from threadpoolctl import threadpool_limits

from foretaste.domain.arrays import Ordinals
from foretaste.domain.event import EventColumns
from foretaste.evaluation.bootstrap import mean_interval
from foretaste.evaluation.judgement import Judgement
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.pipeline.warming import warm_up
from foretaste.training.composition import Composition
from foretaste.training.config import TrainConfig
from foretaste.training.corpus import Corpus
from foretaste.training.evaluate import judge_all, state_before
from foretaste.training.judging import learn_before
from foretaste.training.prepare import Prepared, prepare

SEED = 0
BY_SCORE = "blend, by score"
CUTOFFS = (5, 10)
MICROS_PER_DAY = 86_400_000_000
FLOOR = {"hit_rate": 0.080, "ndcg": 0.050}
ONE_CORE = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


class WithOrderOfScores:
    """The composition, and beside it the blend's candidates in the order of their scores."""

    def __init__(self, composition: Composition) -> None:
        self._composition = composition

    @property
    def names(self) -> Sequence[str]:
        """What the lists are called."""
        return (*self._composition.names, BY_SCORE)

    def apply(self, events: EventColumns) -> object:
        """Fold events into the state."""
        return self._composition.apply(events)

    def lists(self, user: int, now: int, k: int) -> Ordinals:
        """Return everyone's best items."""
        lists = self._composition.lists(user, now, k)
        by_score = np.full((1, k), -1, np.int32)
        best = self._composition.remembered[-1].item[:k]
        by_score[0, : len(best)] = best
        return np.vstack((lists, by_score))


def corpus_of(path: Path) -> Corpus:
    """Return the sequences as a log of purchases, in which the place in the sequence stands for the time."""
    table = pl.read_parquet(path).sort(["pos", "user"])
    users, user = np.unique(table["user"].to_numpy(), return_inverse=True)
    items, item = np.unique(table["item"].to_numpy(), return_inverse=True)
    n = len(table)
    events = EventColumns(
        previous_seq=0,
        seq=np.arange(1, n + 1),
        user=user.astype(np.int32),
        item=item.astype(np.int32),
        type=np.zeros(n, np.int16),
        time=table["pos"].to_numpy().astype(np.int64) * MICROS_PER_DAY,
        key=np.arange(n),
        value=np.full(n, np.nan, np.float32),
    )
    names = [str(name) for name in items]
    return Corpus(events, CatalogColumns.empty(), names, ("purchase",), len(users))


def measure(prepared: Prepared) -> dict[str, Any]:
    """Learn, print the hash, ask about the test items, and return all figures."""
    began = time.process_time()
    learnt = learn_before(prepared)
    seconds = time.process_time() - began
    print(f"learnt {learnt.version} in {seconds:.1f} s of CPU; now the test items are looked at", flush=True)
    began = time.process_time()
    composition = Composition(
        prepared.corpus,
        state_before(prepared, prepared.test),
        learnt.artifact,
        prepared.config.scenario,
        remember=prepared.config.k,
        seed=SEED,
    )
    judgement = judge_all(prepared, WithOrderOfScores(composition))
    asked = time.process_time() - began
    row = learnt.blend.row(20)
    return {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "version": learnt.version,
        "users": prepared.corpus.n_users,
        "items": prepared.corpus.n_items,
        "events": len(prepared.events),
        "questions": len(judgement),
        "learn_seconds": round(seconds, 1),
        "judge_seconds": round(asked, 1),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "form": learnt.blend.form,
        "weights": dict(zip((*learnt.blend.sources, "boost"), row.round(3).tolist(), strict=True)),
        "failures": dict(learnt.failures),
        "settings": {name: repr(model.config) for name, model in learnt.models.items()},
        "scores": {name: scores_of(judgement, name) for name in judgement.names},
    }


def scores_of(judgement: Judgement, name: str) -> dict[str, list[float]]:
    """Return value, low and high of every figure; with one truth, recall is the hit rate."""
    found = {}
    for metric, written in (("hit_rate", "recall"), ("ndcg", "ndcg")):
        for k in CUTOFFS:
            interval = mean_interval(judgement.values(name, metric, k), judgement.user, seed=SEED)
            parts = (interval.value, interval.low, interval.high)
            found[f"{written}@{k}"] = [round(float(part), 5) for part in parts]
    return found


def printed(figures: dict[str, Any]) -> None:
    """Print the table."""
    print(f"{figures['questions']:,} users, {figures['items']:,} items ranked, 95 % intervals by user")
    print(f"learnt in {figures['learn_seconds']} s of CPU, asked in {figures['judge_seconds']} s, ", end="")
    print(f"peak {figures['peak_mb']} MB; {figures['machine']}\n")
    heads = [f"{metric}@{k}" for metric in ("recall", "ndcg") for k in CUTOFFS]
    print(f"| | {' | '.join(heads)} |\n|---|{'---:|' * len(heads)}")
    for name, score in sorted(figures["scores"].items(), key=lambda pair: -pair[1]["ndcg@10"][0]):
        cells = [f"{score[head][0]:.4f} [{score[head][1]:.4f}, {score[head][2]:.4f}]" for head in heads]
        print(f"| {name} | {' | '.join(cells)} |")
    print(f"\n{figures['form']}: {figures['weights']}")
    for name, settings in figures["settings"].items():
        print(f"  {name}: {settings}")
    for name, reason in figures["failures"].items():
        print(f"  left out {name}: {reason}")


def main() -> int:
    """Print the table; return 1 if the blend is below the floor."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--effort", choices=("quick", "usual", "best"), default="usual")
    parser.add_argument("--users", type=int, help="ask so many users, drawn by lot; all by default")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    os.environ.update(ONE_CORE)
    warm_up()
    config = TrainConfig(effort=options.effort, judged=options.users)
    with threadpool_limits(limits=1, user_api="blas"):
        figures = measure(prepare(corpus_of(options.data / "sequences.parquet"), config, SEED))
    printed(figures)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    best = figures["scores"]["blend"]
    return int(best["recall@10"][0] < FLOOR["hit_rate"] or best["ndcg@10"][0] < FLOOR["ndcg"])


if __name__ == "__main__":
    sys.exit(main())

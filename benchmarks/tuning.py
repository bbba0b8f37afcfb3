"""What tuning gains: the usual settings, and what `foretaste tune` makes of them, on the same questions.

Sources are fitted on the first 80 % of the events (without times: of everyone's events), tuned and blended on
the next 10 %, and the versions of both models are printed before the last 10 % is opened. There both answer
the same questions; the difference is paired, with a bootstrap interval by person.

`python benchmarks/tuning.py [--data FILE] [--minutes N | --trials N]`: FILE is Parquet with the columns
`user`, `item` and, where there is an order, `pos` or `timestamp`; without it MovieLens-100K is used.
"""

import argparse
import os
import sys
import time
from pathlib import Path

import numpy as np
import polars as pl
from threadpoolctl import threadpool_limits

from foretaste.domain.artifact import Trial
from foretaste.domain.event import EventColumns
from foretaste.evaluation.bootstrap import difference_interval, mean_interval
from foretaste.evaluation.judgement import Judgement
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.training.config import TrainConfig
from foretaste.training.corpus import Corpus
from foretaste.training.evaluate import judge_all
from foretaste.training.judging import Learnt, learn_before
from foretaste.training.prepare import Prepared, prepare
from foretaste.training.tuning import NO_TUNING, Told, Tuning, untold
from movielens_live import corpus_of_movielens

SEED = 0
MICROS_PER_DAY = 86_400_000_000
ONE_CORE = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def corpus_of(path: Path) -> Corpus:
    """Return a table as a log of purchases; a place in a sequence stands for the time."""
    table = pl.read_parquet(path)
    order = next((name for name in ("timestamp", "pos") if name in table.columns), None)
    if order is not None:
        table = table.sort(order, maintain_order=True)
    users, user = np.unique(table["user"].to_numpy(), return_inverse=True)
    items, item = np.unique(table["item"].to_numpy(), return_inverse=True)
    n = len(table)
    time_of_each = np.full(n, MICROS_PER_DAY)
    if order is not None:
        time_of_each = table[order].cast(pl.Int64).to_numpy() * (MICROS_PER_DAY if order == "pos" else 1)
    events = EventColumns(
        previous_seq=0,
        seq=np.arange(1, n + 1),
        user=user.astype(np.int32),
        item=item.astype(np.int32),
        type=np.zeros(n, np.int16),
        time=time_of_each,
        key=np.arange(n),
        value=np.full(n, np.nan, np.float32),
    )
    names = [str(name) for name in items]
    return Corpus(events, CatalogColumns.empty(), names, ("purchase",), len(users))


def learnt(corpus: Corpus, options: argparse.Namespace, tuning: Tuning | None, told: Told) -> Learnt:
    """Learn with a budget, None for the one that training has by itself, and print what came of it."""
    config = TrainConfig(effort=options.effort, judged=options.questions, tuning=tuning, told=told)
    began = time.process_time()
    found = learn_before(prepare(corpus, config, SEED))
    name = "by itself" if tuning is None else "not tuned" if tuning.is_empty else "tuned"
    print(f"{name}: {found.version}, {time.process_time() - began:.0f} s of CPU", flush=True)
    return found


def said(trial: Trial, best: float) -> None:
    """Print what was adopted."""
    if trial.outcome == "adopted":
        print(
            f"  {trial.number}: {trial.source} {trial.values} +{trial.gain:.4f}, now {best:.4f}", flush=True
        )


def asked(found: Learnt) -> Judgement:
    """Answer the questions of the last part."""
    prepared: Prepared = found.prepared
    return judge_all(prepared, found.composition(sources=False))


def main() -> int:
    """Print the table; return 1 if what was tuned is worse beyond doubt."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, metavar="FILE")
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--trials", type=int)
    parser.add_argument("--effort", choices=("quick", "usual", "best"), default="usual")
    parser.add_argument("--questions", type=int, help="judge on so many, drawn by lot; all by default")
    options = parser.parse_args()
    os.environ.update(ONE_CORE)
    minutes = 3.0 if options.minutes is None and options.trials is None else options.minutes
    tuning = Tuning(trials=options.trials, minutes=minutes)
    corpus = corpus_of(options.data) if options.data else corpus_of_movielens()
    with threadpool_limits(limits=1, user_api="blas"):
        models = {
            "usual settings": learnt(corpus, options, NO_TUNING, untold),
            "as train does it": learnt(corpus, options, None, untold),
            "tuned": learnt(corpus, options, tuning, said),
        }
        print("now the last part is opened", flush=True)
        answers = {name: asked(found) for name, found in models.items()}
    usual = answers["usual settings"]
    print(f"{len(usual):,} questions about {len(np.unique(usual.user)):,} people, 95 % intervals by person\n")
    print("| | NDCG@10 | HR@10 | NDCG@10 over the usual settings |\n|---|---|---:|---|")
    worse = False
    for name, judgement in answers.items():
        values, rival = judgement.values("blend", "ndcg"), usual.values("blend", "ndcg")
        difference = difference_interval(values, rival, judgement.user, seed=SEED)
        hits = judgement.values("blend", "hit_rate").mean()
        value = mean_interval(values, judgement.user, seed=SEED)
        gain = f"{difference.value:+.4f} [{difference.low:+.4f}, {difference.high:+.4f}]"
        print(f"| {name} | {value} | {hits:.4f} | {gain} |")
        worse = worse or difference.high < 0.0
    return int(worse)


if __name__ == "__main__":
    sys.exit(main())

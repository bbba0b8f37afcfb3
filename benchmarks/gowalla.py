"""Recall@20 and NDCG@20 by LightGCN's protocol, on one core: what `foretaste train` makes, beside its peers.

The default training learns from `train.parquet` as from a log without times: it chooses its settings, fits
its sources and learns their blend on parts of it. The artifact's hash is printed before the test part is
opened.
Then, for every user with test items, all items they do not have in `train` are ranked, as an answer
ranks them before diversity. Recall@20 is the share of the test items found; NDCG@20 is binary with the
ideal cut at min(20, number of test items); both are means over users.

`python benchmarks/gowalla.py --data DIR` for any DIR with `train.parquet` and `test.parquet`, each with the
columns `user` and `item`, numbered from 0. `--effort best` spends what the best model needs; `--users N`
ranks for the first N users only; `--no-peers` leaves `implicit` out; `--json FILE` writes the numbers too.
`--factors` tries factorization alone: it chooses its settings and is fitted on all of `train`.
"""

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
from scipy import sparse
from threadpoolctl import threadpool_limits

from foretaste.domain.interactions import Interactions
from foretaste.models.ials import IALSConfig
from foretaste.models.warming import warm_up
from foretaste.training.config import TrainConfig
from foretaste.training.corpus import Corpus
from foretaste.training.publish import stage
from foretaste.training.run import Trained, learn
from static_peers import peers
from static_ranking import Lists, Quality, corpus_of, judged, own_lists, read, served_lists

SEED = 0
ONE_CORE = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
TIMED_USERS = 300


def compiled(train: sparse.csr_matrix) -> float:
    """Compile or load all kernels by training on a few people; return the seconds that took."""
    began = time.perf_counter()
    learn(corpus_of(train[:400]), created_at=0, config=TrainConfig(tuned=100, judged=50))
    warm_up()
    return time.perf_counter() - began


def interactions_of(corpus: Corpus) -> Interactions:
    """Return the corpus as what a model is fitted on."""
    events = corpus.events
    ones, none = np.ones(len(events), np.float32), np.zeros(len(events), np.int64)
    return Interactions(events.user, events.item, ones, none, corpus.n_users, corpus.n_items, timed=False)


def fit_seconds(corpus: Corpus, trained: Trained) -> dict[str, float]:
    """Fit every source of the artifact again, its settings given; return the CPU seconds of each."""
    interactions, seconds = interactions_of(corpus), {}
    for source, model in trained.artifact.models.items():
        began = time.process_time()
        model.config.fit(interactions, SEED, corpus.catalog)
        seconds[source] = round(time.process_time() - began, 1)
    return seconds


def hash_of(trained: Trained) -> str:
    """Write the artifact and return the hash in its manifest."""
    with tempfile.TemporaryDirectory() as directory:
        return stage(trained.artifact, Path(directory) / "artifact", trained.report.metrics).hash


def answer_micros(lists: Callable[[int], Lists], n_users: int) -> float:
    """Return the median microseconds of making one user's lists, the sources' own included."""
    taken = []
    for user in np.linspace(0, n_users - 1, TIMED_USERS).astype(int).tolist():
        began = time.perf_counter()
        lists(user)
        taken.append(time.perf_counter() - began)
    return round(float(np.median(taken)) * 1e6, 1)


def table(quality: dict[str, Quality], seconds: dict[str, float]) -> str:
    """Return the results in Markdown."""
    lines = ["| | Recall@20 | NDCG@20 | fit, CPU s |", "|---|---:|---:|---:|"]
    for name, found in quality.items():
        fit = seconds.get(name, "")
        lines.append(f"| {name} | {found.recall:.4f} | {found.ndcg:.4f} | {fit} |")
    return "\n".join(lines)


def arguments() -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=os.environ.get("FORETASTE_DATA"), help="folder of files")
    parser.add_argument("--effort", choices=("quick", "usual", "best"), default="usual")
    parser.add_argument("--json", type=Path, help="write the numbers to this file")
    parser.add_argument("--users", type=int, help="rank for so many users only")
    parser.add_argument("--factors", action="store_true", help="factorization alone, nothing else")
    parser.add_argument("--no-peers", action="store_true", help="leave implicit out")
    given = parser.parse_args()
    if given.data is None or not (Path(given.data) / "train.parquet").is_file():
        parser.error("--data must name the folder that holds train.parquet and test.parquet")
    return given


def factors_alone(given: argparse.Namespace) -> None:
    """Let iALS choose its settings on all of train, fit it, and print what it reaches."""
    train = read(given.data / "train.parquet")
    compiled(train)
    corpus = corpus_of(train)
    interactions = interactions_of(corpus)
    began = time.process_time()
    config = IALSConfig().chosen(interactions, SEED)
    chosen = time.process_time()
    model = config.fit(interactions, SEED, corpus.catalog)
    fitted = time.process_time()
    print(f"{config}: chosen in {chosen - began:.1f}, fitted in {fitted - chosen:.1f} CPU s", flush=True)
    quality = judged(
        own_lists(corpus, train, model, "ials alone"), read(given.data / "test.parquet"), given.users
    )
    print(table(quality, {"ials alone": round(fitted - chosen, 1)}))


def trained_on(train: sparse.csr_matrix, given: argparse.Namespace) -> tuple[Corpus, Trained, float]:
    """Train as `foretaste train` does; print how, and return what came of it with its CPU seconds."""
    print(f"kernels compiled or loaded in {compiled(train):.1f} s", flush=True)
    corpus = corpus_of(train)
    began = time.process_time()
    trained = learn(corpus, created_at=0, seed=SEED, config=TrainConfig(effort=given.effort))
    seconds = round(time.process_time() - began, 1)
    blend = trained.artifact.blend
    print(f"blend {blend.form}: {dict(zip(blend.sources, blend.weights.round(2).T.tolist(), strict=False))}")
    for source, model in trained.artifact.models.items():
        print(f"{source}: {model.config}")
    print(f"whole training {seconds} CPU s, by stage {trained.report.seconds}")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
    return corpus, trained, seconds


def main() -> int:
    """Run the benchmark."""
    given = arguments()
    if any(os.environ.get(name) != value for name, value in ONE_CORE.items()):
        environment = {**os.environ, **ONE_CORE}  # read when NumPy is imported, hence a fresh start
        os.execve(sys.executable, [sys.executable, *sys.argv], environment)  # noqa: S606 - the same program again
    if given.factors:
        with threadpool_limits(limits=1):
            factors_alone(given)
        return 0
    train = read(given.data / "train.parquet")
    with threadpool_limits(limits=1):
        corpus, trained, whole = trained_on(train, given)
        fits = fit_seconds(corpus, trained)
        fits["blend"] = round(sum(fits.values()), 1)
        lists = served_lists(corpus, trained.artifact)
        micros = answer_micros(lists, train.shape[0])
        others = [] if given.no_peers else list(peers(train, SEED))
        print(f"artifact {hash_of(trained)}; now the test part is opened", flush=True)
        test = read(given.data / "test.parquet")
        quality = judged(lists, test, given.users)
        for name, of_peer, seconds in others:
            quality |= judged(of_peer, test, given.users)
            fits[name] = round(seconds, 1)
    print(table(quality, fits))
    print(f"one user's lists, of every source and the blend: {micros} µs")
    if given.json:
        found = {name: asdict(value) for name, value in quality.items()}
        report = {"quality": found, "fit_seconds": fits, "train_seconds": whole, "list_micros": micros}
        given.json.write_text(json.dumps(report, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())

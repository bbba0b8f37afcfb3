"""Recall@20 and NDCG@20 on Gowalla by LightGCN's protocol, on one core, beside `implicit`'s ALS.

Models are fitted on `train`; for every user with test items, all items they do not have in `train` are
ranked; Recall@20 is the share of the test items found, NDCG@20 is binary with the ideal cut at min(20,
number of test items); both are means over users. Our models answer as they serve, one live history at a
time. What is tuned is tuned by the models themselves on a part of `train`. The hash of the artifact is
printed before the test data is opened.

`python benchmarks/gowalla.py --data DIR` where DIR holds `train.parquet` and `test.parquet`, each with the
columns `user` and `item`. `--json FILE` writes the numbers too; `--users N` ranks for the first N users only.
"""

import argparse
import json
import os
import platform
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import msgspec
import numpy as np
import polars as pl
from scipy import sparse

from foretaste.domain.artifact import ArtifactManifest
from foretaste.domain.event import EventColumns
from foretaste.domain.history import History
from foretaste.domain.interactions import Interactions
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.features.state import State, StateConfig
from foretaste.models.artifact_files import manifest_hash, write_models
from foretaste.models.ials import IALSConfig
from foretaste.models.interface import Model, Moment
from foretaste.models.neighbourhood import NeighbourhoodConfig
from foretaste.models.popularity import PopularityConfig
from foretaste.models.warming import warm_up

try:
    from implicit.als import AlternatingLeastSquares
except ModuleNotFoundError:
    AlternatingLeastSquares = None

PLACES = 20
SEED = 0
ONE_CORE = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
FLOOR = {"recall": 0.174, "ndcg": 0.145, "fit_seconds": 10.0}

Scorer = Callable[[int], np.ndarray]


@dataclass(frozen=True)
class Result:
    """One row: quality, CPU seconds of choosing settings and of fitting; microseconds of one answer."""

    model: str
    recall: float
    ndcg: float
    tune_seconds: float
    fit_seconds: float
    score_micros: float
    settings: dict[str, object]


@dataclass(frozen=True)
class Fitted:
    """A model as something that scores all items for a user of `train`."""

    name: str
    scores: Scorer
    tune_seconds: float
    fit_seconds: float
    settings: dict[str, object]


def interactions_of(train: sparse.csr_matrix) -> Interactions:
    """Return `train` as interactions of weight 1 without times."""
    user, item = train.nonzero()
    return Interactions(
        user=user.astype(np.int32),
        item=item.astype(np.int32),
        weight=np.ones(len(user), np.float32),
        time=np.zeros(len(user), np.int64),
        n_users=train.shape[0],
        n_items=train.shape[1],
        timed=False,
    )


def moment_of(interactions: Interactions) -> Moment:
    """Fold the interactions, as views of one instant, and return the moment after them."""
    n = len(interactions)
    state = State(StateConfig(window=1), lambda: ["click"])
    state.apply(
        EventColumns(
            previous_seq=0,
            seq=np.arange(1, n + 1),
            user=interactions.user,
            item=interactions.item,
            type=np.zeros(n, np.int16),
            time=interactions.time,
            key=np.arange(n),
            value=np.full(n, np.nan, np.float32),
        )
    )
    return Moment(now=0, items=state.items, catalog=CatalogColumns.empty())


def history_of(train: sparse.csr_matrix, user: int) -> History:
    """Return a user's items of `train` as a live history."""
    item = train.indices[train.indptr[user] : train.indptr[user + 1]]
    n = len(item)
    return History(
        item=item.astype(np.int32),
        weight=np.ones(n, np.float32),
        time=np.zeros(n, np.int64),
        type=np.zeros(n, np.int16),
    )


def ours(interactions: Interactions) -> Iterator[tuple[str, Model, float, float]]:
    """Fit our models; yield (name, model, CPU seconds of tuning, of fitting)."""
    catalog = CatalogColumns.empty()
    for name, config in (("ials", IALSConfig()), ("neighbourhood", NeighbourhoodConfig())):
        began = time.process_time()
        chosen = config.chosen(interactions, SEED)
        between = time.process_time()
        model = chosen.fit(interactions, SEED, catalog)
        yield name, model, between - began, time.process_time() - between
    yield "popularity", PopularityConfig().fit(interactions, SEED, catalog), 0.0, 0.0


def compile_training(interactions: Interactions) -> float:
    """Compile or load all kernels by fitting a few people; return the seconds that took."""
    began = time.perf_counter()
    few = interactions.user < 300
    part = Interactions(
        interactions.user[few],
        interactions.item[few],
        interactions.weight[few],
        interactions.time[few],
        interactions.n_users,
        interactions.n_items,
        timed=False,
    )
    for config in (IALSConfig(), NeighbourhoodConfig()):
        config.fit(part, SEED, CatalogColumns.empty())
    warm_up()
    return time.perf_counter() - began


def hash_of(models: dict[str, Model], interactions: Interactions) -> str:
    """Write the models as an artifact and return its hash."""
    with tempfile.TemporaryDirectory() as directory:
        described, files = write_models(models, Path(directory))
    return manifest_hash(
        ArtifactManifest(
            name="gowalla",
            version="benchmark",
            created_at=0,
            seed=SEED,
            window={"events": len(interactions)},
            n_users=interactions.n_users,
            n_items=interactions.n_items,
            models=described,
            files=files,
        )
    )


def served(
    name: str, model: Model, seconds: tuple[float, float], train: sparse.csr_matrix, moment: Moment
) -> Fitted:
    """Return one of our models, scoring each user's history live."""

    def scores(user: int) -> np.ndarray:
        return model.score(history_of(train, user), moment)

    return Fitted(f"foretaste {name}", scores, *seconds, msgspec.to_builtins(model.config))


def implicits(train: sparse.csr_matrix, dim: int) -> Iterator[Fitted]:
    """Fit `implicit`'s ALS with its defaults, and with our number of dimensions."""
    if AlternatingLeastSquares is None:
        sys.stderr.write("implicit is not installed (`uv sync --group bench`): left out\n")
        return
    for name, settings in (("defaults", {}), (f"{dim} factors", {"factors": dim})):
        model = AlternatingLeastSquares(random_state=SEED, num_threads=1, **settings)
        began = time.process_time()
        model.fit(train, show_progress=False)
        seconds = time.process_time() - began
        users, items = model.user_factors, model.item_factors
        yield Fitted(
            f"implicit ALS, {name}",
            lambda user, users=users, items=items: items @ users[user],
            0.0,
            seconds,
            {
                "factors": model.factors,
                "regularization": model.regularization,
                "iterations": model.iterations,
            },
        )


def judged(fitted: Fitted, train: sparse.csr_matrix, test: sparse.csr_matrix, most: int | None) -> Result:
    """Rank for every user with test items and return the means."""
    users = np.flatnonzero(np.diff(test.indptr))[:most]
    gains = 1.0 / np.log2(2.0 + np.arange(PLACES))
    ideal = np.cumsum(gains)
    recall = ndcg = seconds = 0.0
    for user in users:
        began = time.perf_counter()
        scores = fitted.scores(user)
        seconds += time.perf_counter() - began
        scores = scores.copy()
        scores[train.indices[train.indptr[user] : train.indptr[user + 1]]] = -np.inf
        top = np.argpartition(-scores, PLACES)[:PLACES]
        top = top[np.argsort(-scores[top], kind="stable")]
        wanted = test.indices[test.indptr[user] : test.indptr[user + 1]]
        hit = np.isin(top, wanted)
        recall += hit.sum() / len(wanted)
        ndcg += (hit * gains).sum() / ideal[min(PLACES, len(wanted)) - 1]
    n = len(users)
    return Result(
        model=fitted.name,
        recall=round(recall / n, 4),
        ndcg=round(ndcg / n, 4),
        tune_seconds=round(fitted.tune_seconds, 1),
        fit_seconds=round(fitted.fit_seconds, 1),
        score_micros=round(seconds / n * 1e6, 1),
        settings=fitted.settings,
    )


def read(path: Path, shape: tuple[int, int] | None = None) -> sparse.csr_matrix:
    """Return a file of (user, item) as a matrix of ones."""
    frame = pl.read_parquet(path)
    user, item = frame["user"].to_numpy(), frame["item"].to_numpy()
    matrix = sparse.csr_matrix((np.ones(len(user), np.float32), (user, item)), shape=shape)
    matrix.data[:] = 1.0
    return matrix


def table(results: list[Result]) -> str:
    """Return the results in Markdown."""
    lines = [
        "| model | Recall@20 | NDCG@20 | choosing settings, s | fit, s | score of all items, µs |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {row.model} | {row.recall:.4f} | {row.ndcg:.4f} "
        f"| {row.tune_seconds} | {row.fit_seconds} | {row.score_micros} |"
        for row in results
    ]
    return "\n".join(lines)


def main() -> int:
    """Run the benchmark; the exit code is 1 if iALS misses its floor."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--data", type=Path, default=os.environ.get("FORETASTE_DATA"), help="folder of the files"
    )
    parser.add_argument("--json", type=Path, help="write the numbers to this file")
    parser.add_argument("--users", type=int, help="rank for so many users only")
    arguments = parser.parse_args()
    if arguments.data is None or not (Path(arguments.data) / "train.parquet").is_file():
        parser.error("--data must name the folder that holds train.parquet and test.parquet")
    if any(os.environ.get(name) != value for name, value in ONE_CORE.items()):
        environment = {**os.environ, **ONE_CORE}  # read when NumPy is imported, hence a fresh start
        os.execve(sys.executable, [sys.executable, *sys.argv], environment)  # noqa: S606 - the same program again

    train = read(arguments.data / "train.parquet")
    interactions = interactions_of(train)
    print(f"kernels compiled or loaded, a few people fitted, in {compile_training(interactions):.1f} s")
    moment = moment_of(interactions)
    models: dict[str, Model] = {}
    fitted = []
    for name, model, *seconds in ours(interactions):
        models[name] = model
        fitted.append(served(name, model, tuple(seconds), train, moment))
        print(f"{fitted[-1].name}: {fitted[-1].settings}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    fitted += implicits(train, models["ials"].config.dim)
    print(f"peak memory of fitting {peak:.0f} MB")
    print(f"artifact {hash_of(models, interactions)}; now the test data is opened")
    test = read(arguments.data / "test.parquet", train.shape)
    results = [judged(each, train, test, arguments.users) for each in fitted]
    print(table(results))
    if arguments.json:
        machine = {
            "machine": platform.machine(),
            "system": platform.system(),
            "python": platform.python_version(),
        }
        report = {"machine": machine, "results": [asdict(result) for result in results]}
        arguments.json.write_text(json.dumps(report, indent=1))
    if arguments.users:
        return 0
    ials = results[0]
    good = ials.recall >= FLOOR["recall"] and ials.ndcg >= FLOOR["ndcg"]
    met = good and ials.fit_seconds <= FLOOR["fit_seconds"]
    print(f"iALS {'meets' if met else 'misses'} its floor {FLOOR}")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())

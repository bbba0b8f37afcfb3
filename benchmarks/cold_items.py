"""Items that nobody took before: how well each way ranks them, from titles, texts and vectors.

    python benchmarks/cold_items.py [--data DIR] [--text-model DIR]

A part of the items is held out of training entirely; then people who took some of them are asked for, once
among the held-out items only and once among all. `--data` is the folder that holds `online-retail` and
`ranklens`; without it MovieLens-100K alone is judged. `--text-model` is a sentence-transformers folder.
"""

import argparse
import hashlib
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import polars as pl
from threadpoolctl import threadpool_limits

import foretaste as ft
from foretaste.app.text_vectors import TextVectors
from foretaste.domain.arrays import MICROS_PER_SECOND, Doubles, Floats, Mask
from foretaste.domain.history import History
from foretaste.domain.interactions import Interactions
from foretaste.domain.item import Item
from foretaste.evaluation.bootstrap import mean_interval
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.features.item_state import no_items
from foretaste.models.cold_items import ColdItemsConfig, Way, content_of
from foretaste.models.content import ContentConfig
from foretaste.models.dense_content import LatentConfig, VectorsConfig
from foretaste.models.ease import EaseConfig
from foretaste.models.ials import IALSConfig
from foretaste.models.interface import Model, Moment

SHARE, MOST_PEOPLE, FEWEST_EVENTS, K = 0.15, 600, 3, 10


@dataclass(frozen=True)
class Log:
    """Events by ordinal in order of time, and what is known of the items."""

    name: str
    user: np.ndarray
    item: np.ndarray
    time: np.ndarray
    items: list[Item | None]


def main() -> None:
    """Judge on every log there is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--text-model", type=Path)
    parser.add_argument("--only", nargs="*", help="names of logs")
    options = parser.parse_args()
    with threadpool_limits(limits=1, user_api="blas"):
        for log in logs(options.data):
            if not options.only or log.name in options.only:
                judge(log, options.text_model)


def judge(log: Log, text_model: Path | None) -> None:
    """Print a table for one log."""
    catalog = CatalogColumns.of(log.items)
    if text_model is not None:
        from foretaste.adapters.text.encoder import FolderEncoder  # noqa: PLC0415 - needs an extra

        began = time.perf_counter()
        catalog = TextVectors(FolderEncoder(text_model)).filled(catalog, encode=True)
        print(f"\n{log.name}: texts encoded in {time.perf_counter() - began:.0f} s")
    n_items = len(log.items)
    cold = np.random.default_rng(1).random(n_items) < SHARE
    seen = ~cold[log.item]
    training = Interactions(
        log.user[seen],
        log.item[seen],
        np.ones(seen.sum(), np.float32),
        log.time[seen],
        int(log.user.max()) + 1,
        n_items,
    )
    models = dict(fitted(training, catalog, vectors=text_model is not None))
    digest = hashlib.sha256()
    for model in models.values():
        for name, array in sorted(model.arrays().items()):
            digest.update(name.encode() + array.tobytes())
    print(f"\n{log.name}: {len(training):,} events, {cold.sum():,} of {n_items:,} items held out")
    print(f"sha256 of all that was learnt: {digest.hexdigest()[:16]}\n")
    print(f"| {log.name} | N@10 among new items | N@10 among all |\n|---|---:|---:|")
    people = asked(log, cold)
    moment = Moment(now=int(log.time.max()), items=no_items(), catalog=catalog)
    draw = np.random.default_rng(2)
    for name in (*models, "random"):
        among_cold, among_all = [], []
        for history, truth in people:
            score = draw.random(n_items) if name == "random" else models[name].score(history, moment)
            lot = draw.permutation(n_items)
            among_cold.append(ndcg(score, cold, history, truth, lot))
            among_all.append(ndcg(score, np.ones(n_items, np.bool_), history, truth, lot))
        print(f"| {name} | {shown(among_cold)} | {shown(among_all)} |", flush=True)


def fitted(training: Interactions, catalog: CatalogColumns, *, vectors: bool) -> Iterator[tuple[str, Model]]:
    """Yield every way: what it is called, and the model."""
    yield "words alike (content)", ContentConfig().fit(training, 0, catalog)
    yield "axes alike (latent)", LatentConfig().fit(training, 0, catalog)
    if vectors:
        yield "vectors alike (vectors)", VectorsConfig().fit(training, 0, catalog)
    ials, ease = IALSConfig().fit(training, 0, catalog), EaseConfig().fit(training, 0, catalog)
    content = content_of(training, 0, catalog, ColdItemsConfig(base=EaseConfig()))
    bases: Mapping[str, Model] = {"ials": ials, "ease": ease}
    for name, base in bases.items():
        ways: dict[str, tuple[Way, float]] = {"likeness, words": ("likeness", 1.0)}
        ways["likeness, vectors" if vectors else "likeness, axes"] = ("likeness", 0.0)
        ways["likeness, both"] = ("likeness", 0.5)
        if name == "ials":
            ways["ridge"] = ("ridge", 0.5)
        for called, (way, words) in ways.items():
            learner = ColdItemsConfig(base=base.config, way=way, words=words, gain=1.0, penalty=3.0)
            yield f"{name}, {called}", learner.around(base, training, 0, catalog, content)
        chosen = ColdItemsConfig(base=base.config).around(base, training, 0, catalog, content)
        told = msgspec.to_builtins(chosen.config)
        said = ", ".join(f"{field} {told[field]}" for field in ("way", "words", "gain") if field in told)
        yield f"{name}, chosen by itself ({said or 'none'})", chosen


def asked(log: Log, cold: Mask) -> list[tuple[History, np.ndarray]]:
    """Return people's histories without the items held out, and those that they took."""
    people: list[tuple[History, np.ndarray]] = []
    order = np.argsort(log.user, kind="stable")
    bounds = np.searchsorted(log.user[order], np.arange(log.user.max() + 2))
    for user in np.random.default_rng(3).permutation(log.user.max() + 1).tolist():
        rows = order[bounds[user] : bounds[user + 1]]
        known, new = rows[~cold[log.item[rows]]], rows[cold[log.item[rows]]]
        if len(known) >= FEWEST_EVENTS and len(new) and len(people) < MOST_PEOPLE:
            n = len(known)
            weight, none = np.ones(n, np.float32), np.zeros(n, np.int16)
            history = History(log.item[known], weight, log.time[known], none)
            people.append((history, np.unique(log.item[new])))
    return people


def ndcg(score: Floats | Doubles, among: Mask, history: History, truth: np.ndarray, lot: np.ndarray) -> float:
    """Return the NDCG@10 of `truth` among the items not had; equal scores are in order of the `lot`."""
    ranked = np.where(among, score, -np.inf)
    ranked[history.item] = -np.inf
    best = lot[np.argsort(-ranked[lot], kind="stable")[:K]]
    gain = np.isin(best, truth) / np.log2(np.arange(2, K + 2))
    return float(gain.sum() / (1.0 / np.log2(np.arange(2, min(len(truth), K) + 2))).sum())


def shown(values: list[float]) -> str:
    """Return a mean with its interval over people."""
    return str(mean_interval(np.array(values), np.arange(len(values), dtype=np.int32), seed=0))


def logs(data: Path | None) -> Iterator[Log]:
    """Yield MovieLens-100K and what `data` holds."""
    films = ft.datasets.movielens_100k()
    frame = films.frame
    yield log_of("movielens", frame["user_id"], frame["item_id"], frame["timestamp"], films.items)
    if data is not None and (data / "online-retail").is_dir():
        sold = pl.read_parquet(data / "online-retail/events.parquet").sort("timestamp")
        shelf = pl.read_parquet(data / "online-retail/items.parquet").iter_rows(named=True)
        items = [Item(item_id=str(one["item_id"]), title=one["title"] or "") for one in shelf]
        moment = sold["timestamp"].cast(pl.Datetime("us")).dt.epoch("us")
        yield log_of("online-retail", sold["user_id"], sold["item_id"].cast(pl.String), moment, items)
    if data is not None and (data / "ranklens").is_dir():
        shelf = pl.read_parquet(data / "ranklens/items.parquet").iter_rows(named=True)
        items = [described(one) for one in shelf]
        lists = pl.read_parquet(data / "ranklens/rankings.parquet").sort("ts")
        clicks = lists.explode("clicked").drop_nulls("clicked")
        order = pl.Series(np.arange(clicks.height) * MICROS_PER_SECOND)
        yield log_of("ranklens", clicks["user"], clicks["clicked"].cast(pl.String), order, items)


def described(row: Mapping[str, object]) -> Item:
    """Return a film of RankLens."""
    genres = row["genres"]
    return Item(
        item_id=str(next(iter(row.values()))),
        title=str(row["title"] or ""),
        text=str(row["description"] or ""),
        categories=tuple(map(str, genres)) if isinstance(genres, list) else (),
    )


def log_of(name: str, user: pl.Series, item: pl.Series, moment: pl.Series, items: Sequence[Item]) -> Log:
    """Return a log with ordinals in order of first sight."""
    by_id = {one.item_id: one for one in items}
    users = {one: number for number, one in enumerate(dict.fromkeys(user.to_list()))}
    ordinals = {one: number for number, one in enumerate(dict.fromkeys(item.to_list()))}
    return Log(
        name,
        np.array([users[one] for one in user.to_list()], np.int32),
        np.array([ordinals[one] for one in item.to_list()], np.int32),
        moment.cast(pl.Int64).to_numpy().astype(np.int64),
        [by_id.get(one) for one in ordinals],
    )


if __name__ == "__main__":
    main()

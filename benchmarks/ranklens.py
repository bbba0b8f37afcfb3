"""NDCG@10 of clicks in lists as they were shown, for people the ranker has not learnt from.

Ten splits of the people: four fifths to learn from, the rest to judge. A list is ranked from its items, what
the same person clicked and left in lists before it, and what the people of the training part clicked. The
ranker is `foretaste.ranking` as training uses it, with its default options. Beside it in the same run:
chance, the order as shown, the smoothed click rate of the item, and LightGBM's LambdaMART with its defaults
over click rate and the items' numbers. Lists without a click are left out. Intervals are paired, by person.

`python benchmarks/ranklens.py --data DIR` where DIR holds `rankings.parquet` with the columns `ranking`,
`user`, `ts`, `shown` and `clicked` (the last two lists of items), and `items.parquet` with `item` and any
other columns: texts, lists of texts and numbers are read as they are. `--splits N` runs fewer splits,
`--no-debias` learns without correcting for places, `--json FILE` writes the numbers too.
"""

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import polars as pl

from foretaste.domain.arrays import Doubles
from foretaste.domain.item import Attribute, Item
from foretaste.events.moments import parse_moment
from foretaste.events.plain import plain
from foretaste.ranking.learning_to_rank import RankerOptions, learn_ranker
from foretaste.ranking.list_gain import list_gains
from foretaste.ranking.past import pasts_of
from foretaste.ranking.shown import ShownSlates
from foretaste.ranking.slate_features import Columns, SlateRequest
from foretaste.ranking.slate_knowledge import knowledge_of
from foretaste.ranking.slate_ranker import SlateRanker, features_of
from foretaste.ranking.traits import Traits, traits_of

ONE_CORE = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
JUDGED = 0.2
LONG_TEXT = 60
"""A text of more characters than this is prose, a shorter one the value of an attribute."""
METARANK = 0.598
TARGET = 0.61
DRAWS = 2000
OURS, RATE = "foretaste ranker", "smoothed click rate"


@dataclass(frozen=True)
class Lists:
    """The data: items by number, lists in order of time, and each list's request as of its moment."""

    traits: Traits
    slates: ShownSlates
    requests: list[SlateRequest]


def read(folder: Path) -> Lists:
    """Return what the folder holds."""
    described = pl.read_parquet(folder / "items.parquet")
    rankings = pl.read_parquet(folder / "rankings.parquet").sort("ts", "ranking")
    shown = rankings["shown"].to_list()
    clicked = [set(items or ()) for items in rankings["clicked"].to_list()]
    names = sorted({*described["item"].to_list(), *(item for items in shown for item in items)})
    number = {name: place for place, name in enumerate(names)}
    items: list[Item | None] = [None] * len(names)
    for row in described.iter_rows(named=True):
        items[number[row["item"]]] = item_of(row)
    people = {name: place for place, name in enumerate(rankings["user"].unique(maintain_order=True))}
    slates = ShownSlates.of(
        user=[people[user] for user in rankings["user"]],
        time=micros(rankings["ts"].to_numpy()),
        shown=[[number[item] for item in items_] for items_ in shown],
        clicked=[[item in hit for item in items_] for items_, hit in zip(shown, clicked, strict=True)],
    )
    requests = [
        SlateRequest(item=slates.item[first:end], past=past, now=now)
        for first, end, past, now in zip(
            slates.start[:-1].tolist(),
            slates.start[1:].tolist(),
            pasts_of(slates),
            slates.time.tolist(),
            strict=True,
        )
    ]
    return Lists(traits_of(items), slates, requests)


def item_of(row: Mapping[str, Any]) -> Item:
    """Return a row as an item: lists become attributes of several values, long texts prose."""
    texts: list[str] = []
    attributes: dict[str, Attribute] = {}
    for name, value in row.items():
        if name == "item" or value is None:
            continue
        if isinstance(value, list):
            attributes[name] = "|".join(str(part) for part in value if part is not None)
        elif isinstance(value, str):
            if len(value) > LONG_TEXT:
                texts.append(value)
            else:
                attributes[name] = value
        elif isinstance(value, int | float) and np.isfinite(value):
            attributes[name] = float(value)
    return Item(item_id=str(row["item"]), text=" ".join(texts), attributes=attributes)


def micros(times: np.ndarray) -> np.ndarray:
    """Return times as microseconds, whatever their unit; without a date, counted from 1970."""
    return np.array([parse_moment(plain(time)) for time in times.tolist()], np.int64)


def learnt(data: Lists, train: np.ndarray, seed: int, *, debias: bool) -> SlateRanker:
    """Return the ranker learnt from the lists at positions `train`, by default options."""
    return learn_ranker(
        data.slates.take(train),
        [data.requests[place] for place in train.tolist()],
        data.traits,
        Columns(numbers=data.traits.number_names),
        seed=seed,
        options=RankerOptions(debias=debias),
    )


def plain_lambdamart(data: Lists, train: np.ndarray, test: np.ndarray, seed: int) -> np.ndarray:
    """Return scores by LightGBM's ranker with its defaults, over click rates and numbers of the items."""
    columns = Columns(numbers=data.traits.number_names)
    kept = ["click_rate", "looks", *(f"attribute_{name}" for name in columns.numbers)]
    chosen = [columns.names.index(name) for name in kept]
    people = np.unique(data.slates.user[train])
    half = np.isin(data.slates.user, np.random.default_rng(seed).permutation(people)[: len(people) // 2])
    rows, labels, sizes = [], [], []
    for own in (half, ~half):  # click rates of one half of the people for the other
        places = train[own[train]]
        knowledge = knowledge_of(data.slates.take(train[~own[train]]), data.traits, seed)
        part = data.slates.take(places)
        rows.append(
            features_of([data.requests[place] for place in places.tolist()], knowledge, columns)[:, chosen]
        )
        labels.append(part.clicked)
        sizes.append(part.sizes)
    ranker = lightgbm.LGBMRanker(n_jobs=1, random_state=seed, verbosity=-1)
    ranker.fit(np.concatenate(rows), np.concatenate(labels).astype(int), group=np.concatenate(sizes))
    knowledge = knowledge_of(data.slates.take(train), data.traits, seed)
    features = features_of([data.requests[place] for place in test.tolist()], knowledge, columns)
    return np.asarray(ranker.predict(features[:, chosen]))


def smoothed_rate(train: ShownSlates, test: ShownSlates) -> np.ndarray:
    """Return each item's clicks over its showings, drawn to the mean by ten showings."""
    n = int(max(train.item.max(), test.item.max())) + 1
    shown = np.bincount(train.item, minlength=n)
    clicks = np.bincount(train.item, weights=train.clicked, minlength=n)
    rate: Doubles = (clicks + 10.0 * train.clicked.mean()) / (shown + 10.0)
    return rate[test.item]


def one_split(data: Lists, seed: int, *, debias: bool) -> dict[str, np.ndarray]:
    """Return NDCG@10 by list of every order, on people drawn by `seed`; NaN for lists not judged."""
    generator = np.random.default_rng(seed)
    people = np.unique(data.slates.user)
    held_back = generator.permutation(people)[: round(JUDGED * len(people))]
    is_test = np.isin(data.slates.user, held_back)
    train, test = np.flatnonzero(~is_test), np.flatnonzero(is_test)
    began = time.process_time()
    ranker = learnt(data, train, seed, debias=debias)
    seconds = time.process_time() - began
    print(
        f"split {seed}: learnt in {seconds:.0f} s of CPU, {len(ranker.trees)} trees, hash {hash_of(ranker)}",
        flush=True,
    )
    part = data.slates.take(test)
    scores = {
        "random": generator.random(len(part.item)),
        "as shown": -part.position.astype(np.float64),
        RATE: smoothed_rate(data.slates.take(train), part),
        "LightGBM LambdaMART": plain_lambdamart(data, train, test, seed),
        OURS: np.concatenate([ranker.score(data.requests[place]) for place in test.tolist()]),
    }
    found = {}
    for name, score in scores.items():
        found[name] = np.full(len(data.slates), np.nan)
        found[name][test] = list_gains(part, score)
    print("  " + ", ".join(f"{name} {np.nanmean(gain):.4f}" for name, gain in found.items()), flush=True)
    return found


def hash_of(ranker: SlateRanker) -> str:
    """Return a digest of all that was learnt."""
    digest = sha256(json.dumps(ranker.describe(), sort_keys=True).encode())
    for name, array in sorted(ranker.arrays().items()):
        digest.update(name.encode() + np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:16]


def ahead(ours: np.ndarray, other: np.ndarray, user: np.ndarray) -> tuple[float, float]:
    """Return the 95 % interval of the mean gain over `other`, people drawn with replacement.

    `ours` and `other` are [n_splits, n_lists]; a list that several splits judge counts with each.
    """
    difference = np.where(np.isnan(ours), 0.0, ours - other)
    total = np.bincount(user, weights=difference.sum(axis=0))
    count = np.bincount(user, weights=(~np.isnan(ours)).sum(axis=0))
    drawn = np.random.default_rng(0).integers(len(total), size=(DRAWS, len(total)))
    means = total[drawn].sum(axis=1) / count[drawn].sum(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def table(rows: list[dict[str, Any]]) -> str:
    """Return the results in Markdown."""
    lines = [
        "| order | NDCG@10 | least and most of the splits | ranker ahead by (95 %) |",
        "|---|---|---|---|",
    ]
    for row in rows:
        gap = "" if row["ahead"] is None else f"{row['ahead'][0]:+.4f} to {row['ahead'][1]:+.4f}"
        lines.append(
            f"| {row['order']} | {row['ndcg']:.4f} | {row['least']:.4f} to {row['most']:.4f} | {gap} |"
        )
    return "\n".join(lines)


def main() -> int:
    """Run the benchmark; the exit code is 1 if the ranker misses its target."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--data", type=Path, default=os.environ.get("FORETASTE_DATA"), help="folder of the files"
    )
    parser.add_argument("--splits", type=int, default=10, help="how many splits of the people")
    parser.add_argument("--no-debias", action="store_true", help="do not correct for places")
    parser.add_argument("--json", type=Path, help="write the numbers to this file")
    arguments = parser.parse_args()
    if arguments.data is None or not (Path(arguments.data) / "rankings.parquet").is_file():
        parser.error("--data must name the folder that holds items.parquet and rankings.parquet")
    if any(os.environ.get(name) != value for name, value in ONE_CORE.items()):
        environment = {**os.environ, **ONE_CORE}  # read when NumPy is imported, hence a fresh start
        os.execve(sys.executable, [sys.executable, *sys.argv], environment)  # noqa: S606 - the same program again

    data = read(Path(arguments.data))
    print(f"{len(data.slates)} lists of {data.slates.user.max() + 1} people, {len(data.traits.rows)} items")
    splits = [one_split(data, seed, debias=not arguments.no_debias) for seed in range(arguments.splits)]
    gains = {name: np.stack([split[name] for split in splits]) for name in splits[0]}
    rows: list[dict[str, Any]] = []
    for name, gain in gains.items():
        by_split = np.nanmean(gain, axis=1)
        rows.append(
            {
                "order": name,
                "ndcg": float(by_split.mean()),
                "least": float(by_split.min()),
                "most": float(by_split.max()),
                "ahead": None if name == OURS else ahead(gains[OURS], gain, data.slates.user),
            }
        )
    print(table(rows))
    print(f"Metarank states {METARANK} on a split of its own")
    if arguments.json:
        machine = {"machine": platform.machine(), "python": platform.python_version()}
        arguments.json.write_text(json.dumps({"machine": machine, "results": rows}, indent=1))
    ours = next(row["ndcg"] for row in rows if row["order"] == OURS)
    print(f"the ranker {'meets' if ours > TARGET else 'misses'} its target {TARGET}")
    return 0 if ours > TARGET else 1


if __name__ == "__main__":
    sys.exit(main())

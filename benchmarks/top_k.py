"""What it takes to score all items for one person and to find the best hundred, without a server.

`python benchmarks/top_k.py [--items 100000 1000000] [--dim 64] [--rounds 30]`: made-up vectors whose spectrum
falls as that of factor models does, and rows from item to item; one thread. Each way's recall@10 is
against a sort of all scores in float64. Medians of CPU time; the ways take turns, so that all meet the same
machine.
"""

import argparse
import os
import time
from collections.abc import Callable

os.environ.update(dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1"))

import numpy as np
from numpy.typing import NDArray

from foretaste.domain.history import History
from foretaste.models.entries import TURNED
from foretaste.models.item_rows import ItemRows
from foretaste.retrieval.selection import best_entries

SEED, BEST, K = 5, 100, 10
EVENTS, NEIGHBOURS = 50, 100

Way = Callable[[], NDArray[np.int64]]


def dense_ways(n_items: int, dim: int) -> tuple[dict[str, Way], NDArray[np.float64]]:
    """Return the ways to find the best by inner products, and the true scores."""
    draw = np.random.default_rng(SEED)
    spectrum = (np.arange(1, dim + 1) ** -0.5).astype(np.float32)
    items = draw.standard_normal((n_items, dim), dtype=np.float32) * spectrum
    person = draw.standard_normal(dim, dtype=np.float32) * spectrum
    shown = np.ones(n_items, np.bool_)

    def sorted_parts() -> NDArray[np.int64]:
        scores = items @ person
        best = np.argpartition(-scores, BEST)[:BEST]
        return best[np.argsort(-scores[best])]

    ways: dict[str, Way] = {
        "inner products, numpy's argpartition": sorted_parts,
        "inner products, as answers take the best": lambda: ordinals(
            best_entries(items @ person, shown, BEST)
        ),
    }
    return ways, items.astype(np.float64) @ person


def sparse_ways(n_items: int) -> tuple[dict[str, Way], NDArray[np.float64]]:
    """Return the ways to find the best by rows from item to item, and the true scores."""
    draw = np.random.default_rng(SEED)
    start = np.arange(n_items + 1, dtype=np.int64) * NEIGHBOURS
    item = draw.integers(0, n_items, n_items * NEIGHBOURS, dtype=np.int32)
    rows = ItemRows(start, item, draw.random(len(item), np.float32))
    events = draw.integers(0, n_items, EVENTS, dtype=np.int32)
    weight = draw.random(EVENTS, np.float32)
    none = np.zeros(EVENTS, np.int64)
    history = History(item=events, weight=weight, time=none, type=none.astype(np.int16))
    shown = np.ones(n_items, np.bool_)
    true = np.zeros(n_items)
    for event, own in zip(events, weight, strict=True):
        row = slice(start[event], start[event + 1])
        np.add.at(true, item[row], np.float64(own) * rows.value[row])
    found = {
        f"rows from item to item, {EVENTS} events of {NEIGHBOURS} neighbours": lambda: ordinals(
            best_entries(rows.score(history, weight, n_items), shown, BEST)
        )
    }
    return found, true


def ordinals(entries: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the items of entries."""
    return TURNED - (entries & TURNED)


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--items", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--dim", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=30)
    given = parser.parse_args()
    print("| items | way | CPU µs, median | least | recall@10 |\n|---:|---|---:|---:|---:|")
    for n_items in given.items:
        for ways, true in (dense_ways(n_items, given.dim), sparse_ways(n_items)):
            best = set(np.argsort(-true, kind="stable")[:K].tolist())
            seconds: dict[str, list[float]] = {name: [] for name in ways}
            for _ in range(given.rounds):
                for name, way in ways.items():
                    started = time.thread_time()
                    way()
                    seconds[name].append(time.thread_time() - started)
            for name, way in ways.items():
                median, least = 1e6 * np.median(seconds[name]), 1e6 * min(seconds[name])
                recall = len(best & set(way()[:K].tolist())) / K
                print(f"| {n_items:,} | {name} | {median:,.0f} | {least:,.0f} | {recall:.2f} |", flush=True)


if __name__ == "__main__":
    main()

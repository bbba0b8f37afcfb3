"""What it takes to score all items for one person and to find the best hundred, without a server.

`python benchmarks/top_k.py [--items 100000 1000000] [--dim 64] [--rounds 30] [--home DIR ...]`: made-up
vectors of groups, some people's sums of six of them, and rows from item to item; of each home the vectors
that its iALS learnt, and its people's. One thread. Each way's recall@10, the mean over people, is against a
sort of all scores. Medians of CPU time over people; the ways take turns, so that all meet the same machine.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from shutil import copytree

os.environ.update(dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1"))

import numpy as np
from numpy.typing import NDArray

from foretaste.app.wiring import open_home
from foretaste.domain.clock import system_clock
from foretaste.domain.history import History
from foretaste.models.coded_vectors import CodedVectors
from foretaste.models.entries import items_of
from foretaste.models.interface import Moment
from foretaste.models.item_rows import ItemRows
from foretaste.models.listing import in_lists
from foretaste.models.vector_model import VectorModel, VectorQuery
from foretaste.models.vector_search import best_vectors
from foretaste.retrieval.selection import best_entries
from foretaste.testing.listed_vectors import a_person, factors

SEED, BEST, K = 5, 100, 10
EVENTS, NEIGHBOURS = 50, 100
IN_A_GROUP, LEARNT_FROM = 100, 128

Floats = NDArray[np.float32]
Way = Callable[[Floats], NDArray[np.integer]]
"""From a person's vector (or the weights of their events) to the best items."""


def made_up(n_items: int, dim: int, people: int) -> tuple[CodedVectors, list[Floats]]:
    """Return vectors of groups in lists, and people whom these do not know."""
    draw = np.random.default_rng(SEED)
    vectors = CodedVectors.of(factors(n_items, dim, SEED, n_items // IN_A_GROUP))
    known = np.stack([a_person(vectors, draw) for _ in range(LEARNT_FROM)])
    return in_lists(vectors, known, SEED), [a_person(vectors, draw) for _ in range(people)]


def of_home(home: Path, people: int) -> tuple[CodedVectors, list[Floats]]:
    """Return the vectors of a home's iALS, and those of some of its people."""
    draw = np.random.default_rng(SEED)
    folder = tempfile.TemporaryDirectory()
    with folder, open_home(copytree(home, Path(folder.name) / "home")) as opened:
        model = None if opened.artifact is None else opened.artifact.models.get("ials")
        if model is None or not isinstance(model, VectorModel):
            raise SystemExit(f"{home} has no model with iALS; train it first")
        state = opened.state
        moment = Moment(now=system_clock(), items=state.items, catalog=opened.catalog_columns)
        asked = [
            model.query(state.history(int(user)), moment)
            for user in draw.permutation(len(opened.id_map.names("user")))[:people]
        ]
        found = [query for query in asked if query is not None]
        if not found:
            raise SystemExit(f"the vectors of {home} are in no lists: too few, or not next to each other")
        return found[0].vectors, [query.vector for query in found]


def dense_ways(vectors: CodedVectors) -> dict[str, Way]:
    """Return the ways to find the best by inner products."""
    shown = np.ones(len(vectors), np.bool_)
    written = vectors.all()

    def sorted_parts(person: Floats) -> NDArray[np.integer]:
        scores = written @ person
        best = np.argpartition(-scores, BEST)[:BEST]
        return best[np.argsort(-scores[best])]

    ways: dict[str, Way] = {
        "inner products, numpy's argpartition": sorted_parts,
        "inner products of eight bits, all of them": lambda person: items_of(
            best_entries(vectors.products(person), shown, BEST)
        ),
    }
    if vectors.lists is not None:
        ways["the same searched in lists, as answers take the best"] = lambda person: items_of(
            best_vectors(VectorQuery(vectors, person), shown, len(vectors), BEST).entries
        )
    return ways


def sparse_ways(n_items: int, people: int) -> tuple[dict[str, Way], list[Floats], Callable[[Floats], Floats]]:
    """Return the ways to find the best by rows from item to item, people, and the true scores."""
    draw = np.random.default_rng(SEED)
    start = np.arange(n_items + 1, dtype=np.int64) * NEIGHBOURS
    item = draw.integers(0, n_items, n_items * NEIGHBOURS, dtype=np.int32)
    rows = ItemRows(start, item, draw.random(len(item), np.float32))
    events = draw.integers(0, n_items, EVENTS, dtype=np.int32)
    none = np.zeros(EVENTS, np.int64)
    history = History(item=events, weight=np.ones(EVENTS, np.float32), time=none, type=none.astype(np.int16))
    shown = np.ones(n_items, np.bool_)

    def true(weight: Floats) -> Floats:
        scores = np.zeros(n_items)
        for event, own in zip(events, weight, strict=True):
            row = slice(start[event], start[event + 1])
            np.add.at(scores, item[row], np.float64(own) * rows.value[row])
        return scores.astype(np.float32)

    name = f"rows from item to item, {EVENTS} events of {NEIGHBOURS} neighbours"
    ways: dict[str, Way] = {
        name: lambda weight: items_of(best_entries(rows.score(history, weight, n_items), shown, BEST))
    }
    return ways, [draw.random(EVENTS, np.float32) for _ in range(people)], true


def measured(name: str, ways: dict[str, Way], people: list[Floats], true: Callable[[Floats], Floats]) -> None:
    """Print a row of the table for each way."""
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    recall: dict[str, list[float]] = {way: [] for way in ways}
    for person in [people[0], *people]:  # the first one compiles, and is left out
        best = np.argsort(-true(person), kind="stable")[:K]
        for way, find in ways.items():
            started = time.thread_time()
            found = find(person)
            seconds[way].append(time.thread_time() - started)
            recall[way].append(float(np.isin(best, found[:K]).mean()))
    for way in ways:
        median, least = 1e6 * np.median(seconds[way][1:]), 1e6 * min(seconds[way][1:])
        print(f"| {name} | {way} | {median:,.0f} | {least:,.0f} | {np.mean(recall[way]):.3f} |", flush=True)


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--items", type=int, nargs="*", default=[100_000, 1_000_000])
    parser.add_argument("--dim", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--home", type=Path, nargs="*", default=[])
    given = parser.parse_args()
    print("| items | way | CPU µs, median | least | recall@10 |\n|---:|---|---:|---:|---:|")
    for n_items in given.items:
        vectors, people = made_up(n_items, given.dim, given.rounds)
        measured(f"{n_items:,}", dense_ways(vectors), people, vectors.products)
        measured(f"{n_items:,}", *sparse_ways(n_items, given.rounds))
    for home in given.home:
        vectors, people = of_home(home, given.rounds)
        name = f"{len(vectors):,} of {home.name}, {len(vectors.column)} dimensions"
        measured(name, dense_ways(vectors), people, vectors.products)


if __name__ == "__main__":
    main()

"""A million items, ten million events, a million people on one machine: what every step takes.

`python benchmarks/large.py [--items 1e6] [--events 1e7] [--people 1e6] [--keep DIR]` makes up a shop (items
of Zipf's popularity in a thousand kinds, people who keep to a few of them, two months) as two Parquet files,
and then types what a user types, each command a process of its own: `foretaste ingest` of both files,
`foretaste train`, `foretaste serve`. Of each: seconds, CPU seconds, peak memory. Of the service besides: how
long from its start to the first answer, with its snapshot and without, what it holds in memory, what answers
take at 16 connections (people uniform, one event per ten answers; with a filter that leaves a thousandth; for
similar items) and the memory after that. With `--keep`, what is in DIR already is not done again.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from http_load import Service, measure, memory_mb
from server_process import cpu_seconds, free_port
from start import FORETASTE, first_answer

SEED = 0
KINDS, OWN_KINDS, KEEPS = 1_000, 3, 0.7
DAYS = 60
ASKED, PER_EVENT = 5_000, 10
START_SECONDS = 900.0
"""After so long without an answer the start has failed."""
GIGABYTE = 1 << 20
"""In kilobytes, in which the operating system tells the peak."""


@dataclass(frozen=True)
class Shop:
    """How large it is."""

    items: int
    events: int
    people: int

    def write_items(self, file: Path) -> None:
        """Write the catalog: a title of three words, a kind, a price."""
        rng = np.random.default_rng(SEED)
        words = np.array([f"word{number}" for number in range(20_000)])[
            rng.integers(20_000, size=(3, self.items))
        ]
        number = np.arange(self.items)
        pl.DataFrame(
            {
                "item_id": [f"p{item}" for item in number.tolist()],
                "title": np.char.add(np.char.add(words[0] + " ", words[1] + " "), words[2]),
                "categories": [[f"kind{kind}"] for kind in (number % KINDS).tolist()],
                "price": np.round(np.exp(rng.normal(3.0, 1.0, self.items)), 2),
            }
        ).write_parquet(file)

    def write_events(self, file: Path) -> None:
        """Write the log, in order of time."""
        rng = np.random.default_rng(SEED + 1)
        user = rng.integers(self.people, size=self.events)
        rank = ((self.items + 1) ** rng.random(self.events)).astype(np.int64) - 1
        kind = (user * 7 + rng.integers(OWN_KINDS, size=self.events) * 331) % KINDS
        item = np.where(rng.random(self.events) < KEEPS, rank // KINDS * KINDS + kind, rank) % self.items
        pl.DataFrame(
            {
                "user_id": "u" + pl.Series(user).cast(pl.String),
                "item_id": "p" + pl.Series(item).cast(pl.String),
                "type": np.where(rng.random(self.events) < 0.1, "purchase", "view"),
                "timestamp": 1_750_000_000 + np.sort(rng.integers(DAYS * 86_400, size=self.events)),
            }
        ).write_parquet(file)


@dataclass(frozen=True)
class Step:
    """What one command took."""

    name: str
    seconds: float
    cpu_seconds: float
    peak_gb: float

    def row(self) -> str:
        """Return a row of a table in Markdown."""
        return f"| {self.name} | {self.seconds:,.0f} | {self.cpu_seconds:,.0f} | {self.peak_gb:.2f} |"


def run(name: str, *arguments: str) -> Step:
    """Run a command to its end; raise `RuntimeError` where it fails."""
    began = time.perf_counter()
    process = subprocess.Popen([FORETASTE, *arguments], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"foretaste {' '.join(arguments)} ended with status {status}")
    seconds = time.perf_counter() - began
    return Step(name, seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / GIGABYTE)


def get(path: str) -> dict[str, str]:
    """Return a request."""
    return {"method": "GET", "path": path}


def requests_of(shop: Shop) -> dict[str, list[dict[str, str]]]:
    """Return what is asked, by name."""
    rng = np.random.default_rng(SEED + 2)
    live: list[dict[str, str]] = []
    filtered, similar = [], []
    for number in range(ASKED):
        user, item = int(rng.integers(shop.people)), int(rng.integers(shop.items))
        live.append(get(f"/recommend/u{user}?k=10"))
        filtered.append(get(f"/recommend/u{user}?k=10&filter=category:kind{item % KINDS}"))
        similar.append(get(f"/items/p{item}/similar?k=10"))
        if number % PER_EVENT == PER_EVENT - 1:
            event = {"user_id": f"u{user}", "item_id": f"p{item}", "type": "view"}
            live.append({"method": "POST", "path": "/events", "body": json.dumps(event)})
    return {
        "answers, an event per ten": live,
        "answers, a filter that leaves a thousandth": filtered,
        "similar items": similar,
    }


def serve(home: Path, shop: Shop, seconds: float, *, ask: bool) -> None:
    """Start the service, wait for an answer, say what that took; with `ask` load it too."""
    port, began = free_port(), time.perf_counter()
    process = subprocess.Popen(
        [FORETASTE, "serve", "--home", str(home), "--port", str(port)], stdout=subprocess.DEVNULL
    )
    try:
        answer: Any = first_answer(process, f"http://127.0.0.1:{port}/recommend/u1?k=10", START_SECONDS)
        took, cpu = time.perf_counter() - began, cpu_seconds(process.pid)
        print(
            f"first answer after {took:.1f} s and {cpu:.1f} CPU s, from {answer['source']}; "
            f"memory {memory_mb(process.pid)}"
        )
        if ask:
            print("\n| | CPU µs each | each/s | p50 ms | p99 ms | bytes |\n|---|---:|---:|---:|---:|---:|")
            given = ["--seconds", str(seconds), "--connections", "16"]
            for name, rows in requests_of(shop).items():
                measure(Service(process.pid, port, [], []), name, rows, given)
            print(f"\nmemory after that {memory_mb(process.pid)}")
    finally:
        process.send_signal(signal.SIGTERM)
        _, _, used = os.wait4(process.pid, 0)
        print(f"peak memory {used.ru_maxrss / GIGABYTE:.2f} GB", flush=True)


def make(shop: Shop, folder: Path) -> None:
    """Make the files, take them in and train, as far as that is not done; print what each step took."""
    home, items, events = folder / "home", folder / "items.parquet", folder / "events.parquet"
    if not events.exists():
        shop.write_items(items)
        shop.write_events(events)
    at = ("--home", str(home))
    steps = {
        "ingest items": ("ingest", "items", str(items), *at),
        "ingest events": ("ingest", "events", str(events), *at),
        "train": ("train", *at),
    }
    for name, arguments in steps.items():
        done = folder / f"{name.replace(' ', '-')}.done"
        if not done.exists():
            print(run(name, *arguments).row(), flush=True)
            done.touch()


def main() -> int:
    """Measure everything and print it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--items", type=float, default=1e6)
    parser.add_argument("--events", type=float, default=1e7)
    parser.add_argument("--people", type=float, default=1e6)
    parser.add_argument("--seconds", type=float, default=10.0, help="how long each load lasts")
    parser.add_argument("--keep", type=Path, help="a folder for files and home, to be used again")
    given = parser.parse_args()
    shop = Shop(int(given.items), int(given.events), int(given.people))
    with tempfile.TemporaryDirectory() as scratch:
        folder = given.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        print("| step | s | CPU s | peak GB |\n|---|---:|---:|---:|", flush=True)
        make(shop, folder)
        home = folder / "home"
        print("\nwith its snapshot: ", end="", flush=True)
        serve(home, shop, given.seconds, ask=True)
        for snapshot in home.rglob("state.safetensors"):
            snapshot.unlink()
        print("\nwithout its snapshot: ", end="", flush=True)
        serve(home, shop, given.seconds, ask=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())

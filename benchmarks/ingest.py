"""How many events the log makes durable per second, beside what the disk itself can sync.

Submitters are threads of this process, as in a server. A single submitter waits for each acknowledgement
before it sends the next event or batch; latency is what it waits. `--prefill` puts that many events
into the log first. Everything is written below `--directory`, which decides the disk measured.

`python benchmarks/ingest.py --prefill 1000000` prints a table, `--json FILE` writes the numbers too.
"""

import argparse
import json
import os
import platform
import resource
import sqlite3
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from threading import Barrier
from typing import Any

import numpy as np

from foretaste.adapters.sqlite.database import SqliteDatabase
from foretaste.adapters.sqlite.event_log import SqliteEventLog
from foretaste.adapters.sqlite.id_map import SqliteIdMap
from foretaste.domain.event import Event

CASES = ((1, 1), (16, 1), (64, 1), (1, 100), (1, 1000), (4, 100), (4, 1000))
"""Submitters, events per batch."""

USERS, ITEMS = 100_000, 20_000
TYPES = ("view", "click", "add_to_cart", "purchase")
START = 1_700_000_000_000_000


@dataclass(frozen=True)
class Result:
    """Durable events per second of one case; latencies of one acknowledgement in milliseconds.

    `cpu_us` is the CPU time of this process per event, which other work on the machine changes less.
    """

    submitters: int
    batch: int
    events_per_second: float
    p50_ms: float
    p99_ms: float
    cpu_us: float


class Source:
    """Events without end, users and items drawn uniformly."""

    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        self._numbers = count()
        self._seed = seed

    def batch(self, size: int) -> list[Event]:
        """Return the next `size` events."""
        users = self._random.integers(0, USERS, size).tolist()
        items = self._random.integers(0, ITEMS, size).tolist()
        return [
            Event(
                event_id=f"{self._seed}-{number:012d}",
                user_id=f"user-{user}",
                item_id=f"item-{item}",
                type=TYPES[number % len(TYPES)],
                timestamp=START + number * 1000,
            )
            for number, user, item in zip(self._numbers, users, items, strict=False)
        ]


def synced_writes_per_second(directory: Path, seconds: float) -> float:
    """Overwrite pages of 4 KiB, each made durable before the next: what the disk can do for one submitter."""
    page, pages = os.urandom(4096), 4096
    with tempfile.NamedTemporaryFile(dir=directory) as file:
        file.write(page * pages)
        file.flush()
        os.fsync(file.fileno())
        begin, written = time.perf_counter(), 0
        while (spent := time.perf_counter() - begin) < seconds:
            os.pwrite(file.fileno(), page, written % pages * 4096)
            os.fdatasync(file.fileno())
            written += 1
    return written / spent


def prefill(log: SqliteEventLog, events: int) -> None:
    """Put events into the log."""
    source, waiting = Source(seed=0), []
    for done in range(0, events, 5000):
        waiting.append(log.submit(source.batch(min(5000, events - done))))
        if len(waiting) > 8:
            waiting.pop(0).result()
    for future in waiting:
        future.result()


def submit_for(
    log: SqliteEventLog, batches: list[list[Event]], start: Barrier, seconds: float
) -> list[float]:
    """Submit batches one after the other, for as long as there are any; return how long each took."""
    latencies: list[float] = []
    start.wait()
    end = time.perf_counter() + seconds
    for batch in batches:
        begin = time.perf_counter()
        log.submit(batch).result()
        now = time.perf_counter()
        latencies.append(now - begin)
        if now >= end:
            break
    return latencies


def measured(log: SqliteEventLog, seed: int, submitters: int, size: int, seconds: float) -> Result:
    """Measure one case; the events are made before the clock starts."""
    source = Source(seed)
    most = int(seconds * (40_000 if size == 1 else 300_000)) // size // submitters + 1
    batches = [[source.batch(size) for _ in range(most)] for _ in range(submitters)]
    last, start = log.last_seq(), Barrier(submitters + 1)
    with ThreadPoolExecutor(submitters) as pool:
        futures = [pool.submit(submit_for, log, own, start, seconds) for own in batches]
        start.wait()
        begin, cpu = time.perf_counter(), time.process_time()
        latencies = np.array([latency for future in futures for latency in future.result()])
        spent, cpu = time.perf_counter() - begin, time.process_time() - cpu
    done = log.last_seq() - last
    p50, p99 = np.percentile(latencies, (50, 99)) * 1000
    return Result(submitters, size, done / spent, float(p50), float(p99), cpu / done * 1e6)


def opened(path: Path) -> tuple[SqliteDatabase, SqliteEventLog]:
    """Open the log without anyone subscribed."""
    database = SqliteDatabase(path)
    return database, SqliteEventLog(database, SqliteIdMap(database))


def reopened(path: Path) -> dict[str, float]:
    """Return how long opening and reading the whole log take, in seconds."""
    begin = time.perf_counter()
    database, log = opened(path)
    with closing(database):
        opening = time.perf_counter() - begin
        begin = time.perf_counter()
        events = len(log.read(0, 2**40))
        return {"events": events, "open_s": opening, "read_s": time.perf_counter() - begin}


def run(directory: Path, events: int, seconds: float) -> dict[str, Any]:
    """Measure all cases on one log."""
    path = directory / "foretaste.db"
    disks = [synced_writes_per_second(directory, seconds)]
    database, log = opened(path)
    with closing(database):
        begin = time.perf_counter()
        prefill(log, events)
        filled = events / (time.perf_counter() - begin) if events else None
        results = [measured(log, seed, *case, seconds) for seed, case in enumerate(CASES, 1)]
    disks.append(synced_writes_per_second(directory, seconds))
    return {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "synced_writes_per_second": disks,
        "prefilled": events,
        "prefill_events_per_second": filled,
        "cases": [asdict(result) for result in results],
        "reopened": reopened(path),
        "file_mb": path.stat().st_size / 2**20,
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def printed(report: dict[str, Any]) -> None:
    """Print the table."""
    before, after = report["synced_writes_per_second"]
    disk = max(before, after)
    print(f"{report['machine']}, Python {report['python']}, SQLite {report['sqlite']}")
    print(f"the disk syncs {before:,.0f} (before) and {after:,.0f} (after) single 4 KiB writes per second")
    if report["prefilled"]:
        rate = report["prefill_events_per_second"]
        print(f"{report['prefilled']:,} events in the log before, written at {rate:,.0f} per second")
    heads = f"{'submitters':>10} {'batch':>6} {'events/s':>10} {'p50 ms':>8} {'p99 ms':>8}"
    print(f"{heads} {'CPU µs':>7} {'of syncs':>9}")
    for case in report["cases"]:
        share = f"{case['events_per_second'] / disk:9.0%}" if case["batch"] == 1 else ""
        print(
            f"{case['submitters']:>10} {case['batch']:>6} {case['events_per_second']:>10,.0f} "
            f"{case['p50_ms']:>8.2f} {case['p99_ms']:>8.2f} {case['cpu_us']:>7.0f} {share}"
        )
    again = report["reopened"]
    print(
        f"afterwards {again['events']:,} events in {report['file_mb']:.0f} MB: "
        f"opened in {again['open_s']:.2f} s, read as columns in {again['read_s']:.2f} s"
    )


def main() -> None:
    """Parse the command line, measure, report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--prefill", type=int, default=0, metavar="EVENTS")
    parser.add_argument("--seconds", type=float, default=3.0, help="per case")
    parser.add_argument(
        "--directory", type=Path, default=Path.cwd(), help="where to write (removed afterwards)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers as JSON too")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.directory) as directory:
        report = run(Path(directory), options.prefill, options.seconds)
    printed(report)
    if options.json:
        options.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

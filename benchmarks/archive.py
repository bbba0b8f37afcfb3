"""The archive: events a second into a Delta table and back, beside the bare driver in the same run.

`python benchmarks/archive.py [--events N] [--rounds N] [--json]`. All in a temporary folder, CPU seconds of
this process, the median of the rounds. The bare driver writes and reads the same rows without ids, numbers,
transactions, checks or fsync; reading back includes that `ft.read_events` checks every row.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import polars as pl
from deltalake import write_deltalake

import foretaste as ft
from foretaste.adapters.delta.event_archive import DeltaEventArchive
from foretaste.adapters.delta.event_rows import DAY, frame_of
from foretaste.adapters.memory.event_log import MemoryEventLog
from foretaste.app.archiving import BATCH, ArchiveTask
from foretaste.domain.event import Event
from foretaste.testing.simulator.scenery import Scenery
from foretaste.testing.simulator.traffic import deliveries
from foretaste.testing.simulator.world import World


def simulated(count: int) -> list[Event]:
    """Return about `count` events of five days."""
    days = 5 * 86_400.0
    scenery = Scenery(users=5_000, items=5_000, rate=count / days, duration=days)
    return [delivery.event for delivery in deliveries(World(scenery)) if not delivery.again]


def cpu(work: Callable[[], object]) -> float:
    """Return the CPU seconds of a piece of work."""
    began = time.process_time()
    work()
    return time.process_time() - began


def measured(events: list[Event], folder: Path) -> dict[str, float]:
    """Return CPU seconds of each step, once."""
    log = MemoryEventLog()
    log.submit(events).result()
    ours, bare = folder / "ours", folder / "bare"
    archive = DeltaEventArchive(ours)
    frame = frame_of(log.events(0, len(events)))

    def write_bare() -> None:
        for piece in frame.iter_slices(BATCH):
            write_deltalake(bare, piece, mode="append", partition_by=[DAY])

    return {
        "archive": cpu(ArchiveTask(log, archive).flush),
        "bare write": cpu(write_bare),
        "compact": cpu(archive.compact),
        "read_events": cpu(lambda: ft.read_events(ours)),
        "bare read": cpu(lambda: pl.read_delta(str(bare)).sort("seq")),
    }


def size_of(folder: Path) -> int:
    """Return the bytes of all files below a folder."""
    return sum((Path(place) / name).stat().st_size for place, _, names in os.walk(folder) for name in names)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=500_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    began = time.process_time()
    events = simulated(asked.events)
    rounds, bytes_each = [{"simulate": time.process_time() - began}], 0.0
    for _ in range(asked.rounds):
        with tempfile.TemporaryDirectory() as folder:
            rounds.append(measured(events, Path(folder)))
            bytes_each = size_of(Path(folder) / "bare") / len(events)
    steps = dict.fromkeys(name for one in rounds for name in one)
    seconds = {step: statistics.median(one[step] for one in rounds if step in one) for step in steps}
    rates = {step: round(len(events) / taken) for step, taken in seconds.items()}
    if asked.json:
        print(json.dumps({"events": len(events), "bytes_per_event": bytes_each, "per_cpu_second": rates}))
        return
    print(f"{len(events):,} events, {bytes_each:.0f} bytes each in the table; events per second of CPU:")
    for step, rate in rates.items():
        print(f"  {step:12} {rate:>12,}")


if __name__ == "__main__":
    main()

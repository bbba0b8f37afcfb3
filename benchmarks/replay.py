"""How fast the log is folded into a state: `python benchmarks/replay.py [--events 1000000] [--json]`.

A log of that many events is written once; then it is read and folded from its start, several times, by what
`foretaste replay` does. Beside it the reading alone. Figures are events per second, of wall and of CPU time.
"""

import argparse
import json
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from foretaste.app.home import Home
from foretaste.app.reading_ahead import CHUNK
from foretaste.app.reproducing import fold_log
from foretaste.app.wiring import open_home
from start import fill

ROUNDS = 5


def read_log(home: Home) -> None:
    """Read all events in columns."""
    after = 0
    while after < home.log.last_seq():
        after = home.log.read(after, CHUNK).last_seq


def measured(work: Callable[[], object], n_events: int) -> dict[str, float]:
    """Return events per second of wall and of CPU time: medians of several rounds, after a first one."""
    work()
    walls, cpus = [], []
    for _ in range(ROUNDS):
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return {
        "events_per_second": round(n_events / statistics.median(walls)),
        "events_per_cpu_second": round(n_events / statistics.median(cpus)),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder) / "home"
        fill(directory, arguments.events)
        with open_home(directory, read_only=True, with_model=False) as home:
            results: dict[str, Any] = {
                "events": arguments.events,
                "read": measured(lambda: read_log(home), arguments.events),
                "replay": measured(lambda: fold_log(home), arguments.events),
                "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
            }
    if arguments.json:
        print(json.dumps(results))
        return
    for name in ("read", "replay"):
        found = results[name]
        print(
            f"{name:7} {found['events_per_second']:>12,} events/s  "
            f"{found['events_per_cpu_second']:>12,} per CPU second"
        )
    print(f"peak memory {results['peak_memory_mb']} MB")


if __name__ == "__main__":
    main()

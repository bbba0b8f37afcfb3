"""More requests than can be done: how many are still answered, and how late.

`python benchmarks/overload.py --home DIR [--seconds 8]` serves a copy of the home as a process of its own and
finds its capacity: live answers per second with a filter, users uniform, one event per ten, 32 connections
that each send the next request when the last is answered. Then requests come at constant intervals,
whatever is answered (open loop, 1,024 connections): at 70 % of the capacity, and three and ten times it.

Good is what was answered (200, 202); what was refused (503) was told to come back. Latency counts from the
moment at which a request was due.
"""

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import quote

from http_load import answers, check, running, tenth
from server_process import cpu_seconds, load

TIMES = (0.7, 3.0, 10.0)
REFUSED = "503"


def main() -> None:
    """Find the capacity, exceed it, and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=8.0)
    given = parser.parse_args()
    seconds = ["--seconds", str(given.seconds)]
    with running(given.home) as service, tempfile.TemporaryDirectory() as folder:
        only = f"&filter={quote(tenth(service))}"
        check(service, only)
        requests = Path(folder) / "requests.jsonl"
        rows = answers(service, only, service.users)
        requests.write_text("\n".join(json.dumps(row) for row in rows))
        load(service.port, requests, "--seconds", "2", "--connections", "32")
        capacity = load(service.port, requests, *seconds, "--connections", "32")["per_second"]
        print(f"capacity: {capacity:,.0f} requests/s")
        print(
            "| of the capacity | sent/s | good/s | of the capacity | p50 ms | p99 ms | refused | server CPU |"
        )
        print("|---:|---:|---:|---:|---:|---:|---:|---:|")
        for times in TIMES:
            before = cpu_seconds(service.pid)
            rate = ["--rate", str(times * capacity), "--connections", "1024"]
            outcome = load(service.port, requests, *seconds, *rate)
            print(row(times, capacity, outcome, cpu_seconds(service.pid) - before), flush=True)


def row(times: float, capacity: float, outcome: dict[str, Any], spent: float) -> str:
    """Return one row of the table."""
    elapsed = outcome["seconds"]
    if set(outcome["statuses"]) - {"200", "202", REFUSED}:
        raise RuntimeError(f"{times} times the capacity: {outcome['statuses']}")
    good = outcome["good"] / elapsed
    return (
        f"| {times:g} | {outcome['requests'] / elapsed:,.0f} | {good:,.0f} | {good / capacity:.0%} "
        f"| {outcome['good_p50_ms']:.1f} | {outcome['good_p99_ms']:.1f} "
        f"| {outcome['statuses'].get(REFUSED, 0) / outcome['requests']:.0%} | {spent / elapsed:.0%} |"
    )


if __name__ == "__main__":
    main()

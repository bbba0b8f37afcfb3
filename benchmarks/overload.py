"""More requests than can be done: how many are still answered, and how late.

`python benchmarks/overload.py --home DIR [--seconds 8]` serves a copy of the home as a process of its own and
finds its capacity: live answers per second with a filter, users uniform, one event per ten, 32 connections
that each send the next request when the last is answered. Then requests come at constant intervals, whatever
is answered (open loop, 1,024 connections): at 70 % of the capacity, three and ten times as many answers while
as many events come as at the capacity, and three and ten times as much of everything.

Good is what was answered (200, 202); what was refused (503) was told to come back. Where other processes take
cores away, compare what is good for each second of CPU. Latency counts from the moment at which a request was
due; beside it from when it was sent, and how late the generator was itself.
A probe asks `/health/live` every 10 ms meanwhile, which waits for nothing but the server's loop.
"""

import argparse
import json
import socket
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import Any, Self
from urllib.parse import quote

from http_load import Service, answers, check, running, tenth
from load_generator import percentile
from server_process import cpu_seconds, load

REFUSED = "503"
PROBE_SECONDS = 0.01
HEALTH = b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"


@dataclass(frozen=True)
class Case:
    """So many times the capacity; `per_event` answers to an event."""

    times: float
    per_event: int = 10

    @property
    def name(self) -> str:
        """What it is called in the table."""
        what = "all" if self.times > 1 and self.per_event == 10 else "answers"
        return f"{self.times:g}, {what}" if self.times > 1 else f"{self.times:g}"


CASES = (Case(0.7), Case(3.0, 30), Case(10.0, 100), Case(3.0), Case(10.0))
HEADS = (
    "of the capacity",
    "sent/s",
    "answers/s",
    "events/s",
    "good, of the capacity",
    "good/s of a core",
    "p50 ms",
    "p99 ms",
    "p99 ms of answers",
    "p99 ms of events",
    "p99 ms since sent",
    "generator late, p99 ms",
    "health, p99 ms",
    "health, worst ms",
    "refused",
    "server CPU",
)

TIMED = ("good_p50", "good_p99", "answers_p99", "events_p99", "wire_p99", "late_p99")


class Probe:
    """Asks for the health of the service now and then, on one connection, in a thread of its own."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._ends = Event()
        self._took: list[float] = []

    def __enter__(self) -> Self:
        """Begin."""
        self._thread = Thread(target=self._ask)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self._ends.set()
        self._thread.join()

    def told(self) -> tuple[float, float]:
        """Return the 99th percentile and the worst, in milliseconds."""
        return 1000 * percentile(self._took, 0.99), 1000 * max(self._took)

    def _ask(self) -> None:
        with socket.create_connection(("127.0.0.1", self._port)) as connection:
            while not self._ends.wait(PROBE_SECONDS):
                begun = time.perf_counter()
                connection.sendall(HEALTH)
                connection.recv(4096)
                self._took.append(time.perf_counter() - begun)


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
        requests = {
            per_event: written(service, only, per_event, Path(folder))
            for per_event in {case.per_event for case in CASES}
        }
        load(service.port, requests[10], "--seconds", "2", "--connections", "32")
        before = cpu_seconds(service.pid)
        outcome = load(service.port, requests[10], *seconds, "--connections", "32")
        capacity = outcome["per_second"]
        share = (cpu_seconds(service.pid) - before) / outcome["seconds"]
        print(f"capacity: {capacity:,.0f} requests/s with {share:.0%} of a core")
        print(f"| {' | '.join(HEADS)} |\n|{'---:|' * len(HEADS)}")
        for case in CASES:
            before = cpu_seconds(service.pid)
            rate = ["--rate", str(case.times * capacity), "--connections", "1024"]
            with Probe(service.port) as probe:
                outcome = load(service.port, requests[case.per_event], *seconds, *rate)
            spent = cpu_seconds(service.pid) - before
            print(row(case.name, capacity, outcome, probe.told(), spent), flush=True)


def written(service: Service, only: str, per_event: int, folder: Path) -> Path:
    """Write requests with so many answers to an event; return where."""
    path = folder / f"{per_event}.jsonl"
    rows = answers(service, only, service.users, per_event)
    path.write_text("\n".join(json.dumps(row) for row in rows))
    return path


def row(
    name: str, capacity: float, outcome: dict[str, Any], health: tuple[float, float], spent: float
) -> str:
    """Return one row of the table."""
    elapsed, statuses = outcome["seconds"], outcome["statuses"]
    if set(statuses) - {"200", "202", REFUSED}:
        raise RuntimeError(f"{name} times the capacity: {statuses}")
    cells = [
        name,
        f"{outcome['requests'] / elapsed:,.0f}",
        f"{statuses.get('200', 0) / elapsed:,.0f}",
        f"{statuses.get('202', 0) / elapsed:,.0f}",
        f"{outcome['good'] / elapsed / capacity:.0%}",
        f"{outcome['good'] / spent:,.0f}",
        *(f"{outcome[f'{what}_ms']:.1f}" for what in TIMED),
        *(f"{each:.1f}" for each in health),
        f"{statuses.get(REFUSED, 0) / outcome['requests']:.0%}",
        f"{spent / elapsed:.0%}",
    ]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()

"""What the running service does under load: CPU per answer, requests per second, latency, durable events.

`python benchmarks/http_load.py --home DIR` copies the home (so that the events of the benchmark do not stay),
starts `foretaste serve` on the copy as a process of its own, and loads it from another one:

- live answers: k=10, a filter that leaves about a tenth of the items, users uniform over a hundred of those
  with events, one event per ten answers; the same without events; with 2,000 people, and everybody, asking,
  so that less of what is worked out of a person's events still holds or is kept; without diversification,
  without a filter, explained;
- similar items, single events at several numbers of connections, batches of events.

`--workers N` serves with so many processes. CPU is that of all server processes, read from the operating
system before and after. Every answer is checked to be a 200 or 202; one answer is printed with its model and
sources, so that one sees what is measured.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from server_process import cpu_seconds, free_port, load, wait_for_port

SEED = 5


@dataclass(frozen=True)
class Service:
    """A running service and what its home holds."""

    pid: int
    port: int
    users: list[str]
    items: list[str]

    def ask(self, path: str) -> Any:
        """Return the JSON at a path."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}") as answer:
            return json.loads(answer.read())


@contextmanager
def running(home: Path, workers: int = 1) -> Iterator[Service]:
    """Serve a copy of `home` with so many workers."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "home"
        shutil.copytree(home, copy)
        port = free_port()
        command = [
            str(Path(sys.executable).parent / "foretaste"),
            "serve",
            "--home",
            str(copy),
            "--port",
            str(port),
            "--workers",
            str(workers),
        ]
        begun = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            wait_for_port(process, port)
            bare = Service(process.pid, port, [], [])
            while workers > 1 and bare.ask("/health/ready")["wrong"]:
                time.sleep(0.05)
            bare.ask("/health/ready")
            seconds, spent = time.perf_counter() - begun, cpu_seconds(process.pid)
            print(f"{workers} workers: ready after {seconds:.1f} s and {spent:.1f} s of CPU")
            users = [user["user_id"] for user in bare.ask("/users?limit=100")["users"]]
            items = [item["item_id"] for item in bare.ask("/catalog/search?limit=50")["items"]]
            yield Service(process.pid, port, users, items)
        finally:
            process.terminate()
            process.wait(30)


def tenth(service: Service) -> str:
    """Return the filter of the category that leaves most nearly a tenth of the items."""
    catalog = service.ask("/catalog?limit=100")
    aim = catalog["available"] / 10
    nearest = min(catalog["categories"], key=lambda category: abs(category["count"] - aim))
    print(f"filter: category {nearest['name']}, {nearest['count']} of {catalog['available']} items")
    return f"category:{nearest['name']}"


def everybody(service: Service) -> list[str]:
    """Return everybody by dense index (or by number, where ids are numbers)."""
    return [str(number) for number in range(1, service.ask("/health")["users"])]


def answers(service: Service, query: str, users: list[str], per_event: int = 10) -> list[dict[str, Any]]:
    """Return requests for answers, users uniform, one event per so many."""
    choose = np.random.default_rng(SEED)
    rows: list[dict[str, Any]] = []
    for number in range(max(2000, 2 * len(users))):
        user = _one(choose, users)
        rows.append({"method": "GET", "path": f"/recommend/{quote(user, safe='')}?k=10{query}"})
        if number % per_event == per_event - 1:
            rows.append({"method": "POST", "path": "/events", "body": json.dumps(an_event(service, choose))})
    return rows


def an_event(service: Service, choose: np.random.Generator) -> dict[str, str]:
    """Return a click of one of the users on one of the items."""
    return {"user_id": _one(choose, service.users), "item_id": _one(choose, service.items), "type": "click"}


def _one(choose: np.random.Generator, values: list[str]) -> str:
    return values[int(choose.integers(len(values)))]


def posts(service: Service, size: int) -> list[dict[str, Any]]:
    """Return requests that send `size` events each (a lone one as an object)."""
    choose = np.random.default_rng(SEED)
    bodies = [[an_event(service, choose) for _ in range(size)] for _ in range(max(8, 400 // size))]
    return [
        {"method": "POST", "path": "/events", "body": json.dumps(body[0] if size == 1 else body)}
        for body in bodies
    ]


def check(service: Service, query: str) -> None:
    """Ask once and make sure that it is the real thing that is measured."""
    slate = service.ask(f"/recommend/{quote(service.users[0], safe='')}?k=10{query}")
    sources = {source for item in slate["items"] for source in item["sources"]}
    by = ", ".join(sorted(sources))
    print(f"model {slate['model_version']}, source {slate['source']}, proposed by {by}")


def measure(service: Service, name: str, rows: list[dict[str, Any]], given: list[str], per: int = 1) -> None:
    """Load with `rows` and print one row of the table; `per` events or answers per request."""
    with tempfile.TemporaryDirectory() as folder:
        requests = Path(folder) / "requests.jsonl"
        requests.write_text("\n".join(json.dumps(row) for row in rows))
        load(service.port, requests, "--seconds", "1", *given[2:])
        before = cpu_seconds(service.pid)
        outcome = load(service.port, requests, *given)
        spent = cpu_seconds(service.pid) - before
    if set(outcome["statuses"]) - {"200", "202"}:
        raise RuntimeError(f"{name}: {outcome['statuses']}")
    units = outcome["requests"] * per
    print(
        f"| {name} | {1e6 * spent / units:.0f} | {units / outcome['seconds']:,.0f} | {outcome['p50_ms']:.2f} "
        f"| {outcome['p99_ms']:.2f} | {outcome['bytes_per_answer']:,} |",
        flush=True,
    )


def memory_mb(pid: int) -> str:
    """Return the memory of a process and each of its children, shared pages divided among who shares them."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    each = {process: _proportional_mb(int(process)) for process in (str(pid), *children)}
    return f"{sum(each.values()):.0f} MB: {', '.join(f'{size:.0f}' for size in each.values())}"


def _proportional_mb(pid: int) -> float:
    (line,) = [
        line for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines() if line.startswith("Pss:")
    ]
    return int(line.split()[1]) / 1e3


def main() -> None:
    """Measure everything and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--filter", help="as category:War; by default what leaves about a tenth")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--only", help="measure only rows whose name holds this")
    parser.add_argument("--workers", type=int, default=1)
    given = parser.parse_args()
    seconds = ["--seconds", str(given.seconds)]
    with running(given.home, given.workers) as service:
        only = f"&filter={quote(given.filter or tenth(service))}"
        check(service, only)
        asked_for, people = partial(answers, service, users=service.users), everybody(service)
        rows = [
            ("live answer, filter, 1 event per 10", asked_for(only), 16, 1),
            ("live answer, filter, no events", asked_for(only, per_event=sys.maxsize), 16, 1),
            ("live answer, filter, 2,000 people ask", answers(service, only, people[:2000]), 16, 1),
            ("live answer, filter, everybody asks", answers(service, only, people), 16, 1),
            ("live answer, filter, pure relevance", asked_for(only + "&diversity_lambda=1"), 16, 1),
            ("live answer, no filter", asked_for(""), 16, 1),
            ("live answer, no filter, explained", asked_for("&explain=true"), 16, 1),
            (
                "similar items",
                [
                    {"method": "GET", "path": f"/items/{quote(item, safe='')}/similar?k=10"}
                    for item in service.items
                ],
                16,
                1,
            ),
            ("single events", posts(service, 1), 1, 1),
            ("single events", posts(service, 1), 16, 1),
            ("single events", posts(service, 1), 64, 1),
            ("events in batches of 100", posts(service, 100), 4, 100),
            ("events in batches of 1000", posts(service, 1000), 4, 1000),
        ]
        print("| what | CPU µs each | each/s | p50 ms | p99 ms | bytes |\n|---|---:|---:|---:|---:|---:|")
        for name, requests, connections, per in rows:
            label = f"{name}, {connections} connections"
            if given.only is None or given.only in label:
                measure(service, label, requests, [*seconds, "--connections", str(connections)], per)
        print(f"memory at the end: {memory_mb(service.pid)}")


if __name__ == "__main__":
    main()

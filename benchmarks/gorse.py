"""Requests a second beside a running Gorse, on the same data in the same run: MovieLens-100K.

`python benchmarks/gorse.py --home DIR --gorse http://127.0.0.1:8087 --gorse-processes PID,PID` where the
home is trained on MovieLens-100K (`Recommender.train(events, items=events.items, home=DIR)` as the README
has it), and Gorse is one that runs, empty or with these data already, with `positive_feedback_types =
["like"]` and `read_feedback_types = ["read"]`. The processes are Gorse and its database, whose CPU is
counted with that of their children.

Gorse is given films, people and ratings (4 and 5 are likes), and asked until a hundred people have lists.
Then both are loaded in turns by the same generator, for the same people, ten items each, users uniform: only
answers, and one event per ten answers. Gorse answers from lists computed beforehand; Foretaste computes.
Gorse uses all cores by itself; `--workers N` (2) says how many processes of Foretaste answer.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import quote, urlsplit

import numpy as np

import foretaste as ft
from http_load import SEED, Service, running
from server_process import cpu_seconds, load

BATCH = 5_000
PATIENCE = 900.0
ROUNDS = 3
LIKED = 4.0
LEAST_GOOD = 0.99
"""What is turned away early is not counted; more than this share of requests must be answered."""
Row = dict[str, Any]


def sent(address: str, path: str, body: Any = None) -> Any:
    """Ask Gorse, or tell it something."""
    place = urlsplit(address)
    with closing(HTTPConnection(place.hostname or "127.0.0.1", place.port or 80, timeout=120)) as connection:
        if body is None:
            connection.request("GET", path)
        else:
            connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        content = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status} {content[:200]!r}")
        return json.loads(content or b"null")


def fill(address: str) -> None:
    """Give Gorse the films, the people and their ratings."""
    data = ft.datasets.movielens_100k()
    ratings = data.frame
    items = [
        {"ItemId": item.item_id, "Categories": list(item.categories), "Comment": item.title or ""}
        for item in data.items
    ]
    people = [{"UserId": user} for user in ratings["user_id"].unique().to_list()]
    feedback = [
        {
            "FeedbackType": "like" if value >= LIKED else "read",
            "UserId": user,
            "ItemId": item,
            "Timestamp": datetime.fromtimestamp(moment / 1e6, UTC).isoformat(),
        }
        for user, item, value, moment in ratings.select("user_id", "item_id", "value", "timestamp").rows()
    ]
    for path, rows in (("/api/items", items), ("/api/users", people), ("/api/feedback", feedback)):
        for start in range(0, len(rows), BATCH):
            sent(address, path, rows[start : start + BATCH])


def wait_for_lists(address: str, people: Sequence[str]) -> float:
    """Wait until Gorse has a list for each of `people`; return after how many seconds."""
    began = time.monotonic()
    while True:
        missing = [user for user in people if not sent(address, f"/api/recommend/{quote(user)}?n=10")]
        if not missing:
            return time.monotonic() - began
        if time.monotonic() - began > PATIENCE:
            raise RuntimeError(f"Gorse has no list for {len(missing)} people after {PATIENCE:g} s")
        time.sleep(2.0)


def asked(
    people: Sequence[str], items: Sequence[str], ask: str, tell: Callable[[str, str], Row] | None
) -> list[Row]:
    """Return requests for answers, with one event per ten answers if `tell` makes them."""
    choose = np.random.default_rng(SEED)
    rows: list[Row] = []
    for number in range(2_000):
        user = people[int(choose.integers(len(people)))]
        rows.append({"method": "GET", "path": ask.format(quote(user, safe=""))})
        if tell is not None and number % 10 == 9:
            rows.append(tell(user, items[int(choose.integers(len(items)))]))
    return rows


def told_to_gorse(user: str, item: str) -> Row:
    """Return the request that tells Gorse of a click."""
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    event = {"FeedbackType": "read", "UserId": user, "ItemId": item, "Timestamp": moment}
    return {"method": "PUT", "path": "/api/feedback", "body": json.dumps([event])}


def told(user: str, item: str) -> Row:
    """Return the request that tells Foretaste of a click."""
    body = json.dumps({"user_id": user, "item_id": item, "type": "click"})
    return {"method": "POST", "path": "/events", "body": body}


def measured(port: int, processes: Sequence[int], rows: list[Row], *given: str) -> dict[str, float]:
    """Load a service; return requests a second, percentiles and CPU microseconds a request."""
    with tempfile.TemporaryDirectory() as folder:
        requests = Path(folder) / "requests.jsonl"
        requests.write_text("\n".join(json.dumps(row) for row in rows))
        load(port, requests, "--seconds", "1", *given[2:])
        before = sum(map(cpu_seconds, processes))
        outcome = load(port, requests, *given)
        spent = sum(map(cpu_seconds, processes)) - before
    good = sum(count for status, count in outcome["statuses"].items() if status in {"200", "202"})
    if set(outcome["statuses"]) - {"200", "202", "503"} or good < LEAST_GOOD * outcome["requests"]:
        raise RuntimeError(f"port {port}: {outcome['statuses']}")
    return {
        "per_second": outcome["per_second"] * good / outcome["requests"],
        "p50": outcome["p50_ms"],
        "p99": outcome["p99_ms"],
        "cpu": 1e6 * spent / outcome["requests"],
    }


def compare(service: Service, gorse: str, processes: Sequence[int], seconds: float) -> None:
    """Load both in turns and print a table of medians."""
    port = urlsplit(gorse).port or 80
    sides = (
        ("Gorse, lists computed before", port, processes, "/api/recommend/{}?n=10", told_to_gorse),
        ("Foretaste, live", service.port, [service.pid], "/recommend/{}?k=10", told),
    )
    print("| | connections | answers/s | p50 ms | p99 ms | CPU µs each |\n|---|---:|---:|---:|---:|---:|")
    for events in (False, True):
        for connections in (16, 64):
            given = ["--seconds", str(seconds), "--connections", str(connections)]
            found: dict[str, list[dict[str, float]]] = {name: [] for name, *_ in sides}
            for _ in range(ROUNDS):
                for name, at, pids, ask, tell in sides:
                    rows = asked(service.users, service.items, ask, tell if events else None)
                    found[name].append(measured(at, pids, rows, *given))
            for name, each in found.items():
                of = {key: median(one[key] for one in each) for key in each[0]}
                what = f"{name}, 1 event per 10" if events else name
                print(
                    f"| {what} | {connections} | {of['per_second']:,.0f} | {of['p50']:.1f} | {of['p99']:.1f} "
                    f"| {of['cpu']:,.0f} |",
                    flush=True,
                )


def main() -> int:
    """Fill Gorse, wait for its lists, compare."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--gorse", required=True, help="its address, as http://127.0.0.1:8087")
    parser.add_argument("--gorse-processes", required=True, help="process ids, as 123,456")
    parser.add_argument("--filled", action="store_true", help="Gorse has the data already")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    processes = [int(part) for part in given.gorse_processes.split(",")]
    with running(given.home, given.workers) as service:
        if not given.filled:
            fill(given.gorse)
        print(f"Gorse had lists after {wait_for_lists(given.gorse, service.users):.0f} s")
        compare(service, given.gorse, processes, given.seconds)
    return 0


if __name__ == "__main__":
    sys.exit(main())

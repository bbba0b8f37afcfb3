"""What an answer takes as histories grow, and what it takes to put in order what a client brings.

`python benchmarks/answer_growth.py --home DIR` copies the home, serves the copy as a process of its own, and
asks one question after the other, each of somebody else:

- `GET /recommend/{user}` of people with 1, 10, 100 and 1,000 events, who had one just before each question,
  so that nothing that follows from their own events is kept; and the same question again;
- `POST /personalize` with 100 candidates: items of the catalog, and items that nobody has ever seen,
  described by fifty words that items of the catalog have, other ones in every question.

Told are milliseconds at the client, over one connection, and CPU of the server's processes for each question,
which a clock of the operating system tells in steps of ten milliseconds.
"""

import argparse
import json
import time
from collections.abc import Callable, Sequence
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from http_load import SEED, Service, running
from server_process import cpu_seconds

LENGTHS = (1, 10, 100, 1_000)
PEOPLE, ROUNDS = 20, 10
CANDIDATES, WORDS, QUESTIONS = 100, 50, 200
Row = dict[str, Any]


class Client:
    """One connection to a service."""

    def __init__(self, service: Service) -> None:
        self._pid = service.pid
        self._connection = HTTPConnection("127.0.0.1", service.port)

    def send(self, method: str, path: str, body: Any = None) -> Row:
        """Ask and return the JSON of an answer; raise `RuntimeError` for what is no answer."""
        content = None if body is None else json.dumps(body)
        self._connection.request(method, path, content, {"Content-Type": "application/json"})
        answer = self._connection.getresponse()
        text = answer.read()
        if answer.status not in {200, 202}:
            raise RuntimeError(f"{path}: {answer.status} {text[:200]!r}")
        found: Row = json.loads(text)
        return found

    def timed(self, ask: Callable[[], Row]) -> tuple[float, int]:
        """Return the milliseconds of a question, and how much was left out of its answer for being late."""
        began = time.perf_counter()
        answer = ask()
        return 1e3 * (time.perf_counter() - began), len(answer["left_out"])

    def measured(self, name: str, asks: Sequence[Callable[[], Row]], before: Callable[[int], None]) -> None:
        """Ask all, each after `before`, and print a row."""
        took, spent = [], 0.0
        for number, ask in enumerate(asks):
            before(number)
            started = cpu_seconds(self._pid)
            took.append(self.timed(ask))
            spent += cpu_seconds(self._pid) - started
        each = np.array(took)
        p50, p99 = np.percentile(each[:, 0], [50, 99])
        cpu = 1e3 * spent / len(asks)
        print(f"| {name} | {p50:.2f} | {p99:.2f} | {cpu:.2f} | {int(each[:, 1].sum())} |", flush=True)


def histories(client: Client, items: list[str]) -> None:
    """Measure answers to people with histories of several lengths."""
    choose = np.random.default_rng(SEED)

    def event(user: str) -> Row:
        return {"user_id": user, "item_id": items[int(choose.integers(len(items)))], "type": "click"}

    for length in LENGTHS:
        people = [f"grown {length} {number}" for number in range(PEOPLE)]
        for user in people:
            client.send("POST", "/events", [event(user) for _ in range(length)])
        paths = [f"/recommend/{quote(user, safe='')}?k=10" for user in people] * ROUNDS
        asks = [partial(client.send, "GET", path) for path in paths]

        def tell(number: int, people: list[str] = people) -> None:
            client.send("POST", "/events", event(people[number % PEOPLE]))

        client.measured(f"{length:,} events, one just before", asks, tell)
        client.measured(f"{length:,} events, nothing since", asks, lambda _: None)


def candidates(client: Client, service: Service) -> None:
    """Measure `/personalize` with known candidates and with unseen ones."""
    choose = np.random.default_rng(SEED)
    found: dict[str, Row] = {}
    for user in service.users:
        if len(found) < CANDIDATES:
            answer = client.send("GET", f"/recommend/{quote(user, safe='')}?k=50")
            found |= {item["item_id"]: item for item in answer["items"]}
    known = list(found.values())[:CANDIDATES]
    texts = " ".join(f"{item.get('title') or ''} {' '.join(item.get('categories') or ())}" for item in known)
    words = sorted(set(texts.lower().split())) or ["word"]

    def unseen(question: int, number: int) -> Row:
        text = " ".join(words[int(place)] for place in choose.integers(len(words), size=WORDS))
        return {"item_id": f"unseen {question} {number}", "title": text[:80], "text": text}

    for name, make in (
        ("100 items of the catalog", lambda _: [item["item_id"] for item in known]),
        ("100 items never seen", lambda question: [unseen(question, n) for n in range(CANDIDATES)]),
    ):
        bodies = [
            {"user_id": service.users[number % len(service.users)], "candidates": make(number)}
            for number in range(QUESTIONS)
        ]
        asks = [partial(client.send, "POST", "/personalize", body) for body in bodies]
        client.measured(name, asks, lambda _: None)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--home", type=Path, required=True)
    given = parser.parse_args()
    with running(given.home) as service:
        client = Client(service)
        print("| question | p50 ms | p99 ms | CPU ms | left out |\n|---|---:|---:|---:|---:|")
        histories(client, service.items)
        candidates(client, service)


if __name__ == "__main__":
    main()

"""Where the microseconds of an answer go: thread CPU time of each stage, in process, without a socket.

`python benchmarks/answer_stages.py --home DIR` copies the home and asks as `http_load.py` does: k=10, a
filter that leaves about a tenth of the items, users uniform over a hundred, an event per ten answers. First
without any clock in between (median and tenth percentile of whole answers), then with one around every
stage, which costs about a microsecond each; a stage includes what is indented below it.
"""

import argparse
import os
import shutil
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.update(dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1"))

import numpy as np

from foretaste.adapters.prometheus.telemetry import PrometheusTelemetry
from foretaste.app.home import Home
from foretaste.app.http import queries
from foretaste.app.http.application import create_app
from foretaste.app.http.routes import recommend
from foretaste.app.http.server import settle_memory
from foretaste.app.warming import warm
from foretaste.app.wiring import open_home
from foretaste.domain.clock import system_clock
from foretaste.pipeline import choosing, compose, occasion, presenting, reasons, scoring
from foretaste.serving import answerer

SEED, PEOPLE, ITEMS = 5, 100, 50
STAGES: tuple[tuple[str, Any, str], ...] = (
    ("parameters", queries.RECOMMEND, "read"),
    ("query", recommend, "recommend_query"),
    ("answer", answerer, "answer"),
    ("  occasion", scoring, "occasion_of"),
    ("    interest", occasion, "recent_interest"),
    ("    what passes the filter", occasion, "_passing"),
    ("    what may be shown", occasion, "shown_of"),
    ("  what all sources say", scoring, "_asked"),
    ("  the best of each, united, weighed", scoring, "weighed"),
    ("  choice", compose, "placed"),
    ("    vectors", choosing, "item_vectors"),
    ("    likeness and MMR", choosing, "mmr"),
    ("  places", compose, "places_of"),
    ("    reasons", presenting, "reasons"),
    ("      past items", reasons, "_past_items"),
    ("  id", compose, "make_id"),
    ("exposure", answerer, "exposure_of"),
    ("telemetry", answerer, "count_answer"),
    ("shape of the answer", recommend, "recommendations_of"),
    ("JSON", recommend, "json_response"),
)


class Clocks:
    """CPU seconds by name."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)

    def around(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """Return `call` with a clock around it."""

        def clocked(*args: Any, **named: Any) -> Any:
            started = time.thread_time()
            try:
                return call(*args, **named)
            finally:
                self.seconds[name] += time.thread_time() - started

        return clocked


class Asker:
    """Asks the application of a home without a server, and records an event after every tenth answer."""

    def __init__(self, home: Home) -> None:
        self._home, self._app = home, create_app(home)
        self._choose = np.random.default_rng(SEED)
        now = system_clock()
        self._users = [user.user_id for user in home.search.users(limit=PEOPLE)]
        self._items = [item.item_id for item in home.search.items("", now=now, limit=ITEMS)]
        aim = np.count_nonzero(home.catalog_columns.available(now)) / 10
        of = min(home.search.categories(now=now, limit=100), key=lambda found: abs(found.count - aim))
        print(f"filter: category {of.name}, {of.count} of {home.catalog_columns.n_items} items")
        self._query = f"k=10&filter=category:{of.name}".encode()

    def ask(self, count: int) -> list[float]:
        """Return the CPU seconds of each of `count` answers."""
        seconds = []
        for number in range(count):
            started = time.thread_time()
            self._get(f"/recommend/{self._one(self._users)}")
            seconds.append(time.thread_time() - started)
            if number % 10 == 9:
                click = {
                    "user_id": self._one(self._users),
                    "item_id": self._one(self._items),
                    "type": "click",
                }
                self._home.recorder.record([click], now=system_clock())
        return seconds

    def _one(self, values: list[str]) -> str:
        return values[int(self._choose.integers(len(values)))]

    def _get(self, path: str) -> None:
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        async def receive() -> Any:
            return {"type": "http.request", "body": b""}

        scope = {"type": "http", "method": "GET", "path": path, "query_string": self._query, "headers": []}
        try:
            self._app(scope, receive, send).__await__().send(None)
        except StopIteration:
            if sent[0]["status"] != 200:
                raise RuntimeError(sent) from None


def main() -> None:
    """Ask and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--answers", type=int, default=2000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "home"
        shutil.copytree(given.home, copy)
        with open_home(copy, telemetry=PrometheusTelemetry()) as home:
            warm(home)
            settle_memory()
            asker = Asker(home)
            asker.ask(given.answers // 2)
            tenth, median = 1e6 * np.percentile(asker.ask(given.answers), [10, 50])
            print(f"an answer without HTTP: median {median:.0f} µs, tenth percentile {tenth:.0f} µs\n")
            clocks = Clocks()
            for name, owner, function in STAGES:
                setattr(owner, function, clocks.around(name, getattr(owner, function)))
            for source, model in home.artifact.models.items() if home.artifact else ():
                model.score = clocks.around(f"    scores by {source}", model.score)  # type: ignore[method-assign]
            asker.ask(given.answers)
            print("| stage | µs per answer |\n|---|---:|")
            for name, seconds in clocks.seconds.items():
                print(f"| {name.replace('  ', '· ')} | {1e6 * seconds / given.answers:.1f} |")


if __name__ == "__main__":
    main()

"""Ask a small service what `reference/examples.json` asks, and write its answers there.

A new operation needs its request there first, as `"GET /new/{id}": {"path": {"id": "heat"}}`.
"""

import asyncio
import random
import secrets
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
import numpy as np

from foretaste.app.home import Home
from foretaste.app.http.application import api_routes, create_app
from foretaste.app.http.asgi.examples import Example, read_examples
from foretaste.app.http.asgi.routing import Route
from foretaste.app.retraining.retraining import Retraining
from foretaste.app.settings import Settings
from foretaste.app.wiring import open_home
from foretaste.domain.item import Item
from foretaste.pipeline.artifact import assemble
from foretaste.ranking.calibration import Calibration
from foretaste.serving.untrained import untrained_artifact
from foretaste.training.publish import stage

FILE = Path(__file__).resolve().parents[1] / "src/foretaste/app/http/reference/examples.json"
NOW = 1_767_225_600_000_000
FILMS = (
    Item(item_id="heat", title="Heat", categories=("Crime",), attributes={"year": 1995.0}),
    Item(item_id="fargo", title="Fargo", categories=("Crime", "Drama"), attributes={"year": 1996.0}),
    Item(item_id="alien", title="Alien", categories=("Sci-Fi",), attributes={"year": 1979.0}),
    Item(item_id="big", title="Big", categories=("Comedy",), attributes={"year": 1988.0}),
    Item(item_id="clue", title="Clue", categories=("Comedy", "Crime"), attributes={"year": 1985.0}),
)
PAST = (
    ("ann", "heat"),
    ("ann", "alien"),
    ("bob", "heat"),
    ("bob", "fargo"),
    ("cem", "fargo"),
    ("cem", "clue"),
)


@contextmanager
def example_home() -> Iterator[Home]:
    """Open a home of five films, three people and two model versions, and close it."""
    with (
        tempfile.TemporaryDirectory() as folder,
        open_home(
            Path(folder) / "home", settings=Settings(exposure_days=36_500.0, answer_seconds=0.0), create=True
        ) as home,
    ):
        if home.registry is None:
            raise RuntimeError("a home in a folder has no registry")
        home.put_items(list(FILMS))
        raws = [{"user_id": user, "item_id": item, "type": "watch"} for user, item in PAST]
        home.recorder.record(raws, now=NOW - 86_400_000_000)
        home.put_people({"ann": {"country": "se", "age": 31.0}})
        base = untrained_artifact()
        for version in ("v1", "v2"):
            manifest = msgspec.structs.replace(base.manifest, name="blend", version=version, created_at=NOW)
            curve = Calibration(score=np.array([-1.0, 1.0]), chance=np.array([0.1, 0.8]))
            stage(
                assemble(base.models, base.blend, curve, manifest), Path(folder) / version, {"ndcg@10": 0.31}
            )
            home.registry.publish(Path(folder) / version)
            home.registry.promote(version, "champion")
        home.refresh()
        yield home


class ExampleService:
    """A service over `home` that is asked by examples; its training jobs only wait to be cancelled."""

    def __init__(self, home: Home) -> None:
        self.routes = {f"{route.method} {route.path}": route for route in api_routes(home)}
        self._home = home
        idle = (sys.executable, "-c", "import sys; sys.stdin.read()")
        retraining = Retraining(home, clock=lambda: NOW, command=idle)
        self._app = create_app(home, clock=lambda: NOW, retraining=retraining)
        self._made = {"recommendation_id": "", "job_id": ""}

    def ask(self, name: str, example: Example) -> tuple[int, bytes]:
        """Return the status and the body; past answers and jobs that are asked for are the last ones."""
        route = self.routes[name]
        target = self._address(route, example)
        body = b"" if example.body is None else msgspec.json.encode(example.body)
        status, answer = asyncio.run(self._sent(route.method, target, body))
        if route.path == "/recommend/{user_id}":
            self._made["recommendation_id"] = msgspec.json.decode(answer)["recommendation_id"]
            self._home.exposures.flush()
        if name == "POST /retrain":
            self._made["job_id"] = msgspec.json.decode(answer)["job_id"]
        return status, answer

    def _address(self, route: Route, example: Example) -> str:
        path = route.path
        for parameter, given in example.path.items():
            value = self._made.get(parameter, given)
            path = path.replace(f"{{{parameter}}}", quote(value, safe=""))
        return f"{path}?{urlencode(example.query)}"

    async def _sent(self, method: str, target: str, body: bytes) -> tuple[int, bytes]:
        path, _, query = target.partition("?")
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [(b"host", b"shop.example")],
        }
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await self._app(scope, receive, send)
        return sent[0]["status"], b"".join(part["body"] for part in sent[1:])


def recorded() -> dict[str, Example]:
    """Return the examples with answers as they are now, in the order of the operations."""
    known = read_examples()
    with example_home() as home:
        service = ExampleService(home)
        missing = [name for name in service.routes if name not in known]
        if missing:
            raise SystemExit(f"{FILE.name} has no request for {', '.join(missing)}")
        return {name: _answered(service, name, known[name]) for name in service.routes}


def _answered(service: ExampleService, name: str, example: Example) -> Example:
    route = service.routes[name]
    status, body = service.ask(name, example)
    if status != route.status:
        raise SystemExit(f"{name} answers {status}, not {route.status}: {body.decode()[:500]}")
    if route.answer is None:
        return example
    answer = msgspec.json.decode(body)
    path = dict(example.path)
    for made in path.keys() & {"recommendation_id", "job_id"}:
        path[made] = answer[made]
    return msgspec.structs.replace(example, path=path, answer=answer)


def main() -> int:
    """Write the file; what is drawn at random is drawn alike on every run where it can be."""
    drawn = random.Random(7)  # noqa: S311 - ids of an example
    secrets.token_bytes = drawn.randbytes  # type: ignore[assignment]
    secrets.token_hex = lambda size: drawn.randbytes(size).hex()  # type: ignore[assignment,misc]
    secrets.randbits = drawn.getrandbits  # type: ignore[assignment]
    time.perf_counter = count(0.0, 0.0005).__next__  # durations are told too
    FILE.write_bytes(msgspec.json.format(msgspec.json.encode(recorded()), indent=1) + b"\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

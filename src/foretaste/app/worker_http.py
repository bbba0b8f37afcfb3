"""The measures and the health of a worker that stands alone, over HTTP."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import msgspec

from foretaste.app.home import Home
from foretaste.domain.errors import UnavailableError

METRICS = "text/plain; version=0.0.4; charset=utf-8"
JSON = "application/json"
PATHS = ("/metrics", "/health/live", "/health/ready")
CLIENT_SECONDS = 10.0
"""How long a client may take to ask."""


class WorkerHealth(msgspec.Struct, frozen=True, kw_only=True):
    """How a worker is: `ready`, or `wrong` says what keeps it from its work; its state is at `events`."""

    status: str
    wrong: tuple[str, ...]
    events: int
    lag_seconds: float


@dataclass(frozen=True, slots=True)
class Page:
    """What is answered."""

    status: HTTPStatus
    media: str
    body: bytes


def page(home: Home, path: str) -> Page:
    """Return what is answered to a GET of `path`: measures, or how the worker is."""
    if path == "/metrics":
        home.measure()
        return Page(HTTPStatus.OK, METRICS, home.telemetry.exposition())
    if path == "/health/live":
        return Page(HTTPStatus.OK, JSON, b'{"status":"alive"}')
    if path == "/health/ready":
        health = worker_health(home)
        status = HTTPStatus.SERVICE_UNAVAILABLE if health.wrong else HTTPStatus.OK
        return Page(status, JSON, msgspec.json.encode(health))
    told = {"status": 404, "detail": f"there is no {path}; there are {', '.join(PATHS)}"}
    return Page(HTTPStatus.NOT_FOUND, "application/problem+json", msgspec.json.encode(told))


def worker_health(home: Home) -> WorkerHealth:
    """Return how the worker of a home is: nothing is wrong where it can take events in and do its tasks."""
    wrong = home.condition.wrong()
    return WorkerHealth(
        status="not ready" if wrong else "ready",
        wrong=wrong,
        events=home.state.seq,
        lag_seconds=round(home.lag_seconds(), 3),
    )


@contextmanager
def told_over_http(home: Home, host: str, port: int) -> Iterator[str]:
    """Answer `/metrics`, `/health/live` and `/health/ready` as long as the context lasts; give the address.

    Port 0 takes a free one. Raises `UnavailableError` where the port is taken.
    """
    try:
        server = ThreadingHTTPServer((host, port), _handler(lambda path: page(home, path)))
    except (OSError, OverflowError) as error:
        raise UnavailableError(
            f"cannot listen on {host}:{port} ({error}); choose another --metrics-port, 0 takes a free one",
            field="metrics_port",
        ) from error
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, name="foretaste-metrics", daemon=True)
    thread.start()
    try:
        yield f"http://{host}:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(answer: Callable[[str], Page]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = CLIENT_SECONDS

        def do_GET(self) -> None:
            self._send(with_body=True)

        def do_HEAD(self) -> None:
            self._send(with_body=False)

        def log_message(self, *_words: Any) -> None:
            """Say nothing of each request."""

        def _send(self, *, with_body: bool) -> None:
            found = answer(self.path.partition("?")[0])
            self.send_response(found.status)
            self.send_header("content-type", found.media)
            self.send_header("content-length", str(len(found.body)))
            self.end_headers()
            if with_body:
                self.wfile.write(found.body)

    return Handler

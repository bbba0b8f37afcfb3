"""A running service as the target of a simulation."""

import http.client
import json
import random
import time
from collections.abc import Callable, Sequence
from threading import Lock, local
from typing import Any
from urllib.parse import quote, urlsplit

import msgspec

from foretaste.app.simulating import Sent
from foretaste.domain.errors import InvalidInputError, UnavailableError
from foretaste.domain.event import Event
from foretaste.domain.item import Item

CONCURRENCY = 4
TIMEOUT_SECONDS = 30.0
PATIENCE_SECONDS = 60.0
"""How long a request is tried again while the service is away or overloaded."""
ARRIVAL_SECONDS = 15.0
"""How long a service that never answered may take to start; then the address is more likely to be wrong."""
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0
AGAIN = frozenset({408, 429, 502, 503, 504})
ITEMS_AT_ONCE = 500


class HttpTarget:
    """The service at `url`: `POST /events`, `PUT /items` and `GET /recommend`, `concurrency` at a time.

    A request that the service cannot take now (503, 429 or no connection) is sent again after what
    `Retry-After` says, else after pauses that grow, for up to `patience` seconds; where nobody has answered
    yet, for `ARRIVAL_SECONDS` at most.
    """

    def __init__(
        self,
        url: str,
        *,
        concurrency: int = CONCURRENCY,
        patience: float = PATIENCE_SECONDS,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise InvalidInputError(
                f"{url!r} is no address of a service; write it as http://127.0.0.1:8000", field="target"
            )
        self._kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._host, self._port, self._base = parts.hostname, parts.port, parts.path.rstrip("/")
        self._url = url
        self._patience = patience
        self._sleep = sleep
        self._connections = local()
        self._opening = Lock()
        self._opened: list[http.client.HTTPConnection] = []
        self._arrived = False
        self.concurrency = concurrency

    def put_items(self, items: Sequence[Item]) -> None:
        """Put items into the catalog, some hundred at a time."""
        for start in range(0, len(items), ITEMS_AT_ONCE):
            self._answer("PUT", "/items", msgspec.json.encode(items[start : start + ITEMS_AT_ONCE]))

    def send(self, events: Sequence[Event]) -> Sent:
        """Send a batch; return when it is acknowledged.

        Raises `UnavailableError` where the service stays away, `InvalidInputError` where it refuses all.
        """
        receipt, retried = self._answer("POST", "/events", msgspec.json.encode(events))
        return Sent(
            accepted=receipt["accepted"],
            duplicates=receipt["duplicates"],
            rejected=receipt["rejected"],
            retried=retried,
        )

    def slate(self, user_id: str, k: int, now: int) -> Sequence[str]:
        """Return what the service recommends at this moment: it has a clock of its own."""
        del now
        answer, _ = self._answer("GET", f"/recommend/{quote(user_id, safe='')}?k={k}", None)
        return [item["item_id"] for item in answer["items"]]

    def close(self) -> None:
        """Close all connections."""
        with self._opening:
            for connection in self._opened:
                connection.close()

    def _answer(self, method: str, path: str, body: bytes | None) -> tuple[Any, int]:
        """Return the answer to a request and how often it was sent again."""
        began, pause, retried = time.monotonic(), FIRST_PAUSE, 0
        while True:
            status, after, answer = self._exchanged(method, path, body)
            if status is not None and status not in AGAIN:
                break
            wait = after if after is not None else pause * random.uniform(0.5, 1.0)  # noqa: S311 # no secret
            if time.monotonic() + wait - began > self._allowed():
                raise self._away(path, answer)
            self._sleep(wait)
            pause, retried = min(2 * pause, LONGEST_PAUSE), retried + 1
        if status >= 400:
            raise InvalidInputError(
                f"{self._url} answers {path} with {status}: {answer[:500]!r}", field="target"
            )
        return json.loads(answer), retried

    def _allowed(self) -> float:
        return self._patience if self._arrived else min(self._patience, ARRIVAL_SECONDS)

    def _away(self, path: str, answer: bytes) -> UnavailableError:
        """Return the error of a service that did not take a request, whose last `answer` says why."""
        said = answer[:300].decode("utf-8", "replace")
        words = f"{self._url} did not take {path} within {self._allowed():g} s: {said}"
        if not self._arrived:
            words = f"nobody answers at {self._url}: {said}; start the service, or correct the address"
        return UnavailableError(words, field="target")

    def _exchanged(
        self, method: str, path: str, body: bytes | None
    ) -> tuple[int | None, float | None, bytes]:
        """Return status, `Retry-After` and body of one exchange; no status where there was no answer."""
        connection = self._connection()
        try:
            connection.request(method, self._base + path, body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            self._arrived = True
            return answer.status, _seconds(answer.getheader("Retry-After")), answer.read()
        except (OSError, http.client.HTTPException) as error:
            connection.close()  # the next request opens it again
            return None, None, str(error).encode()

    def _connection(self) -> http.client.HTTPConnection:
        """Return this thread's connection."""
        found: http.client.HTTPConnection | None = getattr(self._connections, "own", None)
        if found is None:
            found = self._kind(self._host, self._port, timeout=TIMEOUT_SECONDS)
            self._connections.own = found
            with self._opening:
                self._opened.append(found)
        return found


def _seconds(text: str | None) -> float | None:
    return float(text) if text and text.isdigit() else None

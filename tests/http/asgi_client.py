"""The service without a network: requests as ASGI hands them over, so that any bytes can be sent."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any

from foretaste.app.home import Home
from foretaste.app.http.application import create_app
from foretaste.app.http.asgi.exchange import BodyLimits
from foretaste.app.retraining.retraining import Retraining
from foretaste.domain.item import Item

DAY = 86_400_000_000
NOW = 20_000 * DAY

STALLS, LEAVES = b"stalls", b"leaves"
"""Chunks that stand for a client that sends nothing more, and for one that hangs up."""

FILMS = [
    Item(item_id="fargo", title="Fargo", categories=("Crime", "Drama"), attributes={"year": 1996.0}),
    Item(item_id="heat", title="Heat", categories=("Crime",), attributes={"year": 1995.0}),
    Item(item_id="alien", title="Alien", categories=("Horror", "Sci-Fi"), attributes={"studio": "Fox"}),
    Item(item_id="big", title="Big", categories=("Comedy",)),
    Item(item_id="clue", title="Clue", categories=("Comedy", "Crime")),
    Item(item_id="jaws", title="Jaws", categories=("Horror",), attributes={"studio": "Universal"}),
]


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def ids(self) -> list[str]:
        return [item["item_id"] for item in self.json["items"]]


class Client:
    """Sends requests to an ASGI application; `now` is the service's clock, `answer_seconds` its setting."""

    def __init__(
        self,
        home: Home,
        limits: BodyLimits | None = None,
        retraining: Retraining | None = None,
        answer_seconds: float = 0.0,
    ) -> None:
        self.home = home
        self.now = NOW
        self.app = create_app(
            home,
            clock=lambda: self.now,
            answer_seconds=answer_seconds,
            limits=limits,
            retraining=retraining,
        )

    def send(
        self, method: str, target: str | bytes, chunks: list[bytes] | None = None, **headers: str
    ) -> Answer:
        """Send a request whose body comes in `chunks`; underscores in header names become dashes."""
        return asyncio.run(self._sent(method, target, chunks or [b""], headers))

    def get(self, target: str, **headers: str) -> Answer:
        return self.send("GET", target, **headers)

    def post(self, target: str, content: Any, **headers: str) -> Answer:
        return self.send("POST", target, [_bytes(content)], **headers)

    def put(self, target: str, content: Any) -> Answer:
        return self.send("PUT", target, [_bytes(content)])

    def together(self, *requests: tuple[str, str, Any]) -> list[Answer | None]:
        """Send requests at once: method, target and content of each, in this order."""

        async def run():
            sent = [self._sent(method, target, [_bytes(content)], {}) for method, target, content in requests]
            return await asyncio.gather(*sent)

        return asyncio.run(run())

    async def _sent(
        self, method: str, target: str | bytes, chunks: list[bytes], headers: dict[str, str]
    ) -> Answer | None:
        raw = target.encode() if isinstance(target, str) else target
        path, _, query = raw.partition(b"?")
        named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        scope = {
            "type": "http",
            "method": method,
            "path": path.decode("latin-1"),
            "raw_path": path,
            "query_string": query,
            "headers": [(b"host", b"shop.example"), *named],
        }
        messages = [
            {"type": "http.request", "body": chunk, "more_body": at < len(chunks) - 1}
            for at, chunk in enumerate(chunks)
        ]
        sent: list[dict[str, Any]] = []

        async def receive():
            message = messages.pop(0)
            if message["body"] is STALLS:
                await asyncio.sleep(60)
            return {"type": "http.disconnect"} if message["body"] is LEAVES else message

        async def send(message):
            sent.append(message)

        await self.app(scope, receive, send)
        if not sent:
            return None
        start, *rest = sent
        found = {name.decode(): value.decode() for name, value in start["headers"]}
        return Answer(start["status"], found, b"".join(part["body"] for part in rest))


def _bytes(content: Any) -> bytes:
    return content if isinstance(content, bytes) else json.dumps(content).encode()


def problem(answer: Answer, status: int) -> dict[str, Any]:
    """Return the problem document of an answer, which must be one."""
    assert answer.status == status, answer.body[:500]
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json
    assert document["status"] == status
    assert document["title"]
    assert document["type"].startswith("urn:foretaste:problem:")
    return document


def did(user: str, item: str, kind: str = "click", **fields: Any) -> dict[str, Any]:
    return {"user_id": user, "item_id": item, "type": kind, **fields}


PAST = [
    did("ann", "fargo", "rating", value=5, timestamp="2024-06-01T10:00:00Z"),
    did("ann", "heat", "rating", value=4, timestamp="2024-06-02T10:00:00Z"),
    did("bob", "fargo", "watch", timestamp="2024-06-01T11:00:00Z"),
    did("bob", "heat", "watch", timestamp="2024-06-01T12:00:00Z"),
    did("bob", "clue", "watch", timestamp="2024-06-01T13:00:00Z"),
    did("cem", "alien", "watch", timestamp="2024-06-03T10:00:00Z"),
    did("cem", "jaws", "watch", timestamp="2024-06-03T11:00:00Z"),
    did("dee", "big", "click", timestamp="2024-06-04T10:00:00Z"),
]

"""One request and its response."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import msgspec

from foretaste.app.http.asgi.problems import HttpError

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Headers: TypeAlias = tuple[tuple[bytes, bytes], ...]

JSON: Headers = ((b"content-type", b"application/json"), (b"cache-control", b"no-store"))
PLAIN = "identity"
"""The `Content-Encoding` of a body that is sent as it is."""
ARRIVED = "foretaste.arrived"
"""Where a scope may say when its request arrived, in seconds of `time.perf_counter`."""
PRIORITY = "foretaste.priority"
"""Where a scope may say what its request is for; then it waits for its turn."""
TIME_LEFT = "foretaste.time_left"
"""Where a scope says for how many seconds more its client waits, if the client said so."""
_encode = msgspec.json.Encoder().encode


class ClientGoneError(Exception):
    """The client went away before its request was complete: there is nobody to answer."""


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """How large a body may be, in bytes, and how long it may take to arrive."""

    size: int = 1_048_576
    seconds: float = 30.0


@dataclass(slots=True)
class Request:
    """What a handler gets. `path` holds the decoded parameters of the address."""

    scope: Scope
    receive: Receive
    path: dict[str, str]
    limits: BodyLimits

    @property
    def query(self) -> bytes:
        """The query string as it came."""
        query: bytes = self.scope["query_string"]
        return query

    def header(self, name: bytes) -> str | None:
        """Return the value of a header (`name` in lower case), None where there is none."""
        for given, value in self.scope["headers"]:
            if given == name:
                decoded: str = value.decode("latin-1")
                return decoded
        return None

    async def body(self) -> bytes:
        """Return the body; raise `HttpError` (413, 408, 415) where it is too large, too slow or encoded."""
        coding = self.header(b"content-encoding") or PLAIN
        if coding.strip().lower() != PLAIN:
            raise HttpError(
                415,
                f"a body with Content-Encoding {coding[:50]!r} is not read; send it as it is, without "
                "compression and without that header",
                field="Content-Encoding",
                hang_up=True,
            )
        announced = self.header(b"content-length")
        if announced is not None and announced.isdigit() and int(announced) > self.limits.size:
            raise self._too_large()
        try:
            async with asyncio.timeout(self.limits.seconds):
                return await self._read()
        except TimeoutError as error:
            raise HttpError(
                408, f"the body did not arrive within {self.limits.seconds:g} s", hang_up=True
            ) from error

    async def _read(self) -> bytes:
        parts: list[bytes] = []
        size = 0
        while True:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise ClientGoneError
            part = message.get("body", b"")
            size += len(part)
            if size > self.limits.size:
                raise self._too_large()
            parts.append(part)
            if not message.get("more_body", False):
                return b"".join(parts)

    def _too_large(self) -> HttpError:
        return HttpError(
            413,
            f"the body is larger than {self.limits.size} bytes; send it in smaller batches",
            hang_up=True,
        )


@dataclass(frozen=True, slots=True)
class Response:
    """What a handler gives."""

    body: bytes
    status: int = 200
    headers: Headers = field(default=JSON)

    async def send(self, send: Send, *, with_body: bool = True) -> None:
        """Write it out; without its body for HEAD."""
        length = (b"content-length", b"%d" % len(self.body))
        headers = [length, (b"x-content-type-options", b"nosniff"), *self.headers]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body if with_body else b""})


def json_response(content: Any, status: int = 200) -> Response:
    """Return `content`, a struct or plain values, as JSON."""
    return Response(_encode(content), status)

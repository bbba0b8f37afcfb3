"""What pages of other origins may do: what browsers ask before they let them (Fetch standard, CORS)."""

from collections.abc import Awaitable, Callable, Collection
from typing import TypeAlias

from foretaste.app.http.asgi.exchange import Headers, Message, Receive, Response, Scope, Send

Asgi: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]
ANY = "*"
REMEMBERED_SECONDS = 7200
MAY: Headers = (
    (b"access-control-allow-methods", b"GET, HEAD, POST"),
    (b"access-control-allow-headers", b"content-type, idempotency-key, x-request-timeout, authorization"),
    (b"access-control-max-age", b"%d" % REMEMBERED_SECONDS),
)


class CrossOrigin:
    """Lets pages of `origins` (`https://shop.example`; `*`: all) read and post, without cookies."""

    def __init__(self, app: Asgi, origins: Collection[str]) -> None:
        self._app = app
        self._origins = frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a browser's question itself, and have every other answer say that the page may read it."""
        origin = _header(scope, b"origin") if scope["type"] == "http" else None
        if origin is None or not allowed(origin.decode("latin-1"), self._origins):
            await self._app(scope, receive, send)
            return
        said: Headers = (
            (b"access-control-allow-origin", origin),
            (b"access-control-expose-headers", b"retry-after"),
            (b"vary", b"origin"),
        )
        if scope["method"] == "OPTIONS" and _header(scope, b"access-control-request-method") is not None:
            await Response(b"", 204, (*said, *MAY)).send(send)
            return

        async def send_said(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *said]}
            await send(message)

        await self._app(scope, receive, send_said)


def allowed(origin: str, origins: Collection[str]) -> bool:
    """Return whether `origin` is one of `origins`."""
    return origin in origins or ANY in origins


def _header(scope: Scope, name: bytes) -> bytes | None:
    return next((value for given, value in scope["headers"] if given == name), None)

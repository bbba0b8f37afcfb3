"""Logs as JSON lines: one for each request, and one for each warning and error of the program."""

import logging
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import msgspec

from foretaste.app.http.asgi.application import ROUTE
from foretaste.app.http.asgi.cross_origin import Asgi
from foretaste.app.http.asgi.exchange import Message, Receive, Scope, Send

INTERACTIONS = frozenset(
    {
        "/events",
        "/events/purchase",
        "/interaction",
        "/api/record_engagement",
        "/api/products/{product_id}/view",
    }
)
Write = Callable[[dict[str, Any]], object]


def to_standard_error(line: dict[str, Any]) -> None:
    """Write one line."""
    sys.stderr.write(msgspec.json.encode(line).decode() + "\n")


class RequestLog:
    """An ASGI application that tells `write` of each answer of `app`: what was asked, how it ended, how long.

    `path` is the route's, its parameters in braces: ids of people are in no line, unless `personal` is on:
    then there is the address as it came. `kind` is `interaction` where events were sent, `error` from status
    500 on, else `request`.
    """

    def __init__(self, app: Asgi, *, write: Write = to_standard_error, personal: bool = False) -> None:
        self._app = app
        self._write = write
        self._personal = personal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer by the application, then tell."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        status = 0

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            self._write(self._line(scope, status, time.perf_counter() - began))

    def _line(self, scope: Scope, status: int, seconds: float) -> dict[str, Any]:
        route = scope.get(ROUTE)
        kind = "interaction" if route in INTERACTIONS else "request"
        line = {
            "time": round(time.time(), 3),
            "level": "error" if status >= 500 or not status else "info",
            "kind": "error" if status >= 500 or not status else kind,
            "method": scope["method"],
            "path": route,
            "status": status,
            "milliseconds": round(seconds * 1e3, 3),
            "pid": os.getpid(),
        }
        return {**line, "address": scope["path"]} if self._personal else line


class JsonLines(logging.Formatter):
    """Formats records of the standard library's logging as JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line."""
        line = {
            "time": round(record.created, 3),
            "level": record.levelname.lower(),
            "kind": "log",
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line).decode()

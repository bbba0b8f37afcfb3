"""Connections that are given up when an answer takes too long, whatever has become of the server."""

import time
from collections.abc import Generator
from typing import Any, TypeVar

import psycopg

T = TypeVar("T")
_TICK_SECONDS = 0.02


class DeadlineError(psycopg.OperationalError):
    """The server did not answer in time; the connection was closed."""


class BoundedConnection(psycopg.Connection[Any]):
    """A connection whose waits end at `deadline`, a reading of `time.monotonic`; None waits on.

    The settings of the server bound what it does itself; this bounds what a client waits for a server that is
    frozen or cannot be reached any more.
    """

    deadline: float | None = None

    def wait(
        self, gen: "Generator[Any, Any, T]", interval: float = _TICK_SECONDS, timeout: float | None = None
    ) -> T:
        """Wait for the server; raise `DeadlineError` and close the connection when time is up."""
        more = {} if timeout is None else {"timeout": timeout}  # which drivers before 3.3 do not know
        if self.deadline is None:
            return super().wait(gen, interval, **more)
        try:
            return super().wait(_until(gen, self.deadline), min(interval, _TICK_SECONDS), **more)
        except DeadlineError:
            self.pgconn.finish()
            raise


def _until(gen: "Generator[Any, Any, T]", deadline: float) -> "Generator[Any, Any, T]":
    """Go on as `gen` does, and stop at a tick without news after the deadline."""
    try:
        wanted = next(gen)
        while True:
            ready = yield wanted
            if not ready and time.monotonic() > deadline:
                raise DeadlineError("the server did not answer in time")
            wanted = gen.send(ready)
    except StopIteration as finished:
        result: T = finished.value
        return result

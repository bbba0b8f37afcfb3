"""A batcher: events are handed over at once and sent in the background, in few requests."""

import asyncio
import atexit
import logging
import threading
from types import TracebackType
from typing import Any, Self

from foretaste.client import calls
from foretaste.client.answers import Receipt
from foretaste.client.buffer import Batching, EventBuffer, OnRejected, Tally
from foretaste.client.clients import Client
from foretaste.client.errors import ClientError, ClosedError, TimedOutError
from foretaste.client.events import GivenEvent
from foretaste.client.forking import renew_in_children

USUAL_BATCHING = Batching()
FLUSH_SECONDS = 30.0
LAST_SECONDS = 5.0
_log = logging.getLogger(__name__)


class EventBatcher:
    """Sends events in the background over `client`, which stays the caller's; is to be closed.

    May be used by several threads, and, as `add` does not wait for the service, in an event loop too: there
    with `async with`, `aflush` and `aclose`. What fails is tried again for as long as it is open, in order;
    what the service will never take is handed to `on_rejected` (in the thread that sends) and counted.

    A program that ends without closing it has five seconds to send what waits; what it cannot is logged. A
    forked process begins with nothing waiting: what waited is its parent's to send.
    """

    def __init__(
        self, client: Client, batching: Batching = USUAL_BATCHING, on_rejected: OnRejected | None = None
    ) -> None:
        self._client = client
        self._batching = batching
        self._on_rejected = on_rejected
        self._closed = False
        self._renew()
        renew_in_children(self, EventBatcher._renew)
        atexit.register(self._end)

    def _renew(self) -> None:
        """Begin with nothing waiting and a thread of its own."""
        self._buffer = EventBuffer(self._batching, self._on_rejected)
        self._changed = threading.Condition()
        self._flushing = 0
        self._thread = threading.Thread(target=self._run, name="foretaste-events", daemon=True)
        if not self._closed:
            self._thread.start()

    def add(self, event: GivenEvent) -> str:
        """Take an event and return its id, at once.

        Raises `QueueFullError`, `ClosedError` after `close`, and `TypeError` or `ValueError` for an event
        that cannot be written as JSON.
        """
        with self._changed:
            if self._closed:
                raise ClosedError("this batcher was closed; make another one")
            event_id = self._buffer.add(event)
            self._changed.notify_all()
            return event_id

    def flush(self, timeout: float = FLUSH_SECONDS) -> Tally:
        """Send all that waits now and return what became of all events so far.

        Raises the last failure where events are still unsent after `timeout` seconds, or at once where the
        client was closed; they are kept.
        """
        with self._changed:
            self._flushing += 1
            self._changed.notify_all()
            self._changed.wait_for(
                lambda: not len(self._buffer) or isinstance(self._buffer.error, ClosedError), timeout
            )
            self._flushing -= 1
            if not len(self._buffer):
                return self._buffer.tally
            left = f"{len(self._buffer)} events are unsent after {timeout:g} s"
            raise self._buffer.error or TimedOutError(left)

    def close(self, timeout: float = FLUSH_SECONDS) -> Tally:
        """Flush, take no more events, and end; raises as `flush` does."""
        try:
            return self.flush(timeout)
        finally:
            with self._changed:
                self._closed = True
                self._changed.notify_all()
            atexit.unregister(self._end)
            if self._thread.is_alive():
                self._thread.join(timeout)

    async def aflush(self, timeout: float = FLUSH_SECONDS) -> Tally:  # noqa: ASYNC109 - as `flush` has it
        """`flush`, and let others go on meanwhile."""
        return await asyncio.to_thread(self.flush, timeout)

    async def aclose(self, timeout: float = FLUSH_SECONDS) -> Tally:  # noqa: ASYNC109 - as `close` has it
        """`close`, and let others go on meanwhile."""
        return await asyncio.to_thread(self.close, timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def _end(self) -> None:
        """Send what waits where the program ends without closing."""
        try:
            self.close(LAST_SECONDS)
        except ClientError as error:
            _log.warning("%d events were never sent: %s", len(self._buffer), error)

    def _run(self) -> None:
        while batch := self._next():
            try:
                outcome: Receipt | ClientError = self._client.send(calls.record_many(batch))
            except ClientError as error:
                outcome = error
            with self._changed:
                settled = self._buffer.settle(outcome)
                self._changed.notify_all()
                if not settled:
                    self._changed.wait_for(lambda: self._closed, self._batching.pause)

    def _next(self) -> list[dict[str, Any]]:
        """Wait for a batch and take it; an empty one means: the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or len(self._buffer) > 0)
            self._changed.wait_for(self._due, self._batching.seconds)
            return [] if self._closed else self._buffer.take()

    def _due(self) -> bool:
        return self._closed or self._flushing > 0 or self._buffer.full_batch

"""Group commit: one thread per process appends, many wait, and one round trip serves all that waited."""

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Condition, Thread, current_thread

from foretaste.adapters.postgres.event_rows import Prepared
from foretaste.domain.errors import ForetasteError, InvalidInputError, UnavailableError
from foretaste.domain.event import Event
from foretaste.ports.event_log import AppendOutcome

LARGEST_GROUP = 20_000
"""Events after which a group is closed."""


@dataclass(slots=True)
class Batch:
    """Events on their way into the log, to be there by `deadline`, a reading of `time.monotonic`."""

    events: Sequence[Event]
    prepared: Sequence[Prepared]
    reached: Mapping[str, int]
    deadline: float
    future: "Future[list[AppendOutcome]]" = field(default_factory=Future)


Append = Callable[[Sequence[Batch], float], list[list[AppendOutcome]]]
"""Appends batches in one transaction within so many seconds, and gives the outcomes of each."""


class Appender:
    """The one thread of a process that appends, through `append`.

    Batches that wait together share a transaction. If they cannot be stored for what one of them holds, each
    is tried alone, so that it does not hurt the others. An error that is not ours stops the thread.
    """

    def __init__(self, append: Append, *, most_waiting: int) -> None:
        self._append = append
        self._most_waiting = most_waiting
        self._waiting: deque[Batch] = deque()
        self._events = 0
        self._accepts = True
        self._changed = Condition()
        self._thread = Thread(target=self._run, name="foretaste-appender", daemon=True)
        self._thread.start()

    def submit(self, batch: Batch) -> None:
        """Queue a batch; raise `UnavailableError` where too many events wait, or after `close`."""
        with self._changed:
            if not self._accepts:
                raise UnavailableError("the log is closed; open it again")
            if self._events >= self._most_waiting:
                raise UnavailableError(
                    f"{self._events} events are waiting for PostgreSQL; try again shortly", retry_after=1.0
                )
            self._waiting.append(batch)
            self._events += len(batch.events)
            self._changed.notify()

    def close(self) -> None:
        """Finish what waits, then stop."""
        with self._changed:
            self._accepts = False
            self._changed.notify()
        if current_thread() is not self._thread:
            self._thread.join()

    def _run(self) -> None:
        group: list[Batch] = []
        try:
            while group := self._next_group():
                self._write([batch for batch in group if batch.future.set_running_or_notify_cancel()])
        finally:
            self._stop(group)

    def _next_group(self) -> list[Batch]:
        with self._changed:
            while not self._waiting and self._accepts:
                self._changed.wait()
            group: list[Batch] = []
            size = 0
            while self._waiting and (not group or size + len(self._waiting[0].events) <= LARGEST_GROUP):
                group.append(self._waiting.popleft())
                size += len(group[-1].events)
            self._events -= size
            return group

    def _write(self, group: Sequence[Batch]) -> None:
        if not group:
            return
        left = max(min(batch.deadline for batch in group) - time.monotonic(), 0.001)
        try:
            outcomes = self._append(group, left)
        except InvalidInputError as error:
            if len(group) == 1:
                group[0].future.set_exception(error)
                return
            for batch in group:
                self._write([batch])
            return
        except ForetasteError as error:
            for batch in group:
                batch.future.set_exception(error)
            return
        for batch, outcome in zip(group, outcomes, strict=True):
            batch.future.set_result(outcome)

    def _stop(self, group: Sequence[Batch]) -> None:
        with self._changed:
            self._accepts = False
            left = [*group, *self._waiting]
            self._waiting.clear()
        for batch in left:
            if not batch.future.done():
                batch.future.set_exception(
                    UnavailableError("the appender stopped on an internal error, see its traceback; restart")
                )

"""Group commit: one thread writes, many wait, and one fsync serves all that waited."""

import sqlite3
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Condition, Thread, current_thread
from typing import Any, Protocol, TypeVar, cast

from foretaste.adapters.sqlite.many_rows import Statement
from foretaste.domain.errors import ForetasteError, NotDurableError, UnavailableError

T = TypeVar("T")
Begin = Callable[[], sqlite3.Connection]
"""What gives the connection, inside the present transaction."""
Operation = Callable[[Begin], T]
"""What is to be written: runs on the writer's thread, again after a rollback.

It writes by itself, or tells a participant what to write.
"""

LARGEST_GROUP = 20_000
"""Units of work (events, items) after which a transaction is closed."""


class Participant(Protocol):
    """Whoever keeps in memory what follows from the database. All calls come on the writer's thread."""

    def statements(self) -> Iterable[Statement]:
        """Return what writes what the operations of this transaction staged."""
        ...

    def committed(self) -> None:
        """Take what was staged as fact: it is durable now."""
        ...

    def rolled_back(self) -> None:
        """Forget what was staged."""
        ...


@dataclass(slots=True)
class _Waiting:
    operation: Operation[Any]
    units: int
    future: Future[Any]


class Writer:
    """The one thread that writes to `connection`, of which it becomes the owner.

    Operations that wait together share a transaction and its fsync. If it fails, each is tried
    alone, so that what one cannot do does not hurt the others. An operation is done when its future
    resolves: after the commit, and after every participant took it in.

    A participant that raises after a commit stops the writer, because what it keeps is no longer what the
    database says; nothing more is accepted until the file is opened anew.
    """

    def __init__(self, connection: sqlite3.Connection, *, most_waiting: int) -> None:
        self.participants: list[Participant] = []
        self._connection = connection
        self._most_waiting = most_waiting
        self._waiting: deque[_Waiting] = deque()
        self._units = 0
        self._accepts = True
        self._changed = Condition()
        self._thread = Thread(target=self._run, name="foretaste-writer", daemon=True)
        self._thread.start()

    def submit(self, operation: Operation[T], units: int = 1) -> "Future[T]":
        """Queue an operation of a size in `units`.

        Raises `UnavailableError` where more than `most_waiting` units wait already, or after `close`.
        """
        waiting = _Waiting(operation, units, Future())
        with self._changed:
            if not self._accepts:
                raise UnavailableError("the database is closed; open it again")
            if self._units >= self._most_waiting:
                raise UnavailableError(
                    f"{self._units} writes are waiting for the disk; try again shortly", retry_after=1.0
                )
            self._waiting.append(waiting)
            self._units += units
            self._changed.notify()
        return cast("Future[T]", waiting.future)

    def call(self, operation: Operation[T], units: int = 1) -> T:
        """Submit an operation and wait for its result; not from the writer's own thread."""
        if current_thread() is self._thread:
            raise UnavailableError("a subscriber of the log may not write to it: it would wait for itself")
        return self.submit(operation, units).result()

    def close(self) -> None:
        """Finish what waits, then stop."""
        with self._changed:
            self._accepts = False
            self._changed.notify()
        if current_thread() is not self._thread:
            self._thread.join()

    def _run(self) -> None:
        group: list[_Waiting] = []
        try:
            while group := self._next_group():
                self._write(group)
        finally:
            self._stop(group)

    def _stop(self, group: Sequence[_Waiting]) -> None:
        with self._changed:
            self._accepts = False
            left = [*group, *self._waiting]
            self._waiting.clear()
        for waiting in left:
            if not waiting.future.done():
                waiting.future.set_exception(
                    UnavailableError("the writer stopped on an internal error, see its traceback; restart")
                )
        self._connection.close()

    def _next_group(self) -> list[_Waiting]:
        """Wait for work and take all there is, up to `LARGEST_GROUP`; nothing once closed and empty."""
        with self._changed:
            while not self._waiting and self._accepts:
                self._changed.wait()
            group: list[_Waiting] = []
            units = 0
            while self._waiting and (not group or units + self._waiting[0].units <= LARGEST_GROUP):
                group.append(self._waiting.popleft())
                units += group[-1].units
            self._units -= units
            return group

    def _write(self, group: Sequence[_Waiting]) -> None:
        wanted = [waiting for waiting in group if waiting.future.set_running_or_notify_cancel()]
        if wanted:
            self._write_together(wanted)

    def _write_together(self, group: Sequence[_Waiting]) -> None:
        try:
            results = self._transaction(group)
        except (sqlite3.Error, ForetasteError) as error:
            self._roll_back()
            if len(group) == 1:
                group[0].future.set_exception(not_durable(error))
                return
            for waiting in group:
                self._write_together([waiting])
            return
        for participant in self.participants:
            participant.committed()
        for waiting, result in zip(group, results, strict=True):
            waiting.future.set_result(result)

    def _transaction(self, group: Sequence[_Waiting]) -> list[Any]:
        """Write what a group asks for; a lone statement is a transaction by itself."""
        results = [waiting.operation(self._begin) for waiting in group]
        statements = [statement for each in self.participants for statement in each.statements()]
        if len(statements) > 1:
            self._begin()
        for statement in statements:
            self._connection.execute(*statement)
        if self._connection.in_transaction:
            self._connection.execute("COMMIT")
        return results

    def _begin(self) -> sqlite3.Connection:
        if not self._connection.in_transaction:
            self._connection.execute("BEGIN IMMEDIATE")
        return self._connection

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")
        for participant in self.participants:
            participant.rolled_back()


def not_durable(error: sqlite3.Error | ForetasteError) -> ForetasteError:
    """Return what is told of a write that ended in `error`, of which nothing remains."""
    if isinstance(error, ForetasteError):
        return error
    explained = NotDurableError(
        f"could not be written durably, so it was not accepted ({error}); free disk space, then try again",
        retry_after=5.0,
    )
    explained.__cause__ = error
    return explained

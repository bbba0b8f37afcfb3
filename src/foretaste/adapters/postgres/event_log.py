"""The event log in PostgreSQL, which any number of processes write and follow."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace
from itertools import accumulate
from threading import RLock
from typing import Any, LiteralString

import numpy as np
from psycopg import sql

from foretaste.adapters.postgres import event_rows as rows
from foretaste.adapters.postgres.arrays import Int2s, Int4s, packed, packed_texts
from foretaste.adapters.postgres.connection import BoundedConnection
from foretaste.adapters.postgres.database import OPERATION_SECONDS, READ_SECONDS, PostgresDatabase
from foretaste.adapters.postgres.id_map import KINDS, NUMBER, PostgresIdMap
from foretaste.adapters.postgres.text import escaped, unescaped
from foretaste.adapters.postgres.writer import Appender, Batch
from foretaste.domain.arrays import Int64s
from foretaste.domain.clock import MICROS_PER_DAY, Clock
from foretaste.domain.errors import (
    CorruptDataError,
    ForetasteError,
    NotDurableError,
    UnavailableError,
    UnconfirmedError,
)
from foretaste.domain.event import Event, EventColumns
from foretaste.ports.event_log import AppendOutcome, farther, of_stream

DEDUPE_DAYS = 30
MOST_WAITING = 200_000
WRITE_SECONDS = 3.0
"""How long a batch may take from its submission until it is durable, or refused."""
TAIL = 5_000
"""How many events a step of following takes."""
CONTEXTS = 20_000
FEW = 1_000
"""Events that are read in no time."""
MOST_ROWS = 2**62
OnAppend = Callable[[EventColumns, Int64s, Mapping[str, int]], object]

LAST_SEQ = "SELECT coalesce(max(seq), 0) FROM event"
STREAMS = "SELECT name, next FROM stream"
_log = logging.getLogger(__name__)


class BusyError(UnavailableError):
    """Another thread of this process was telling the subscriber all the time."""


class PostgresEventLog:
    """`EventLog` in `database`; make one per process, after its id map.

    The process knows the log up to `last_seq`: to there its id map has every name and `on_commit` was told
    every event, of whatever process, in log order, one call at a time. `catch_up` goes on to the end of the
    log as it is now. `read`, `events`, `window` and `contexts` end at `last_seq`.

    An append that could not be confirmed within `write_seconds` raises `UnconfirmedError`. Where the
    connection broke at the wrong moment its events may be stored nevertheless; sent again with their ids
    they count once.
    If `on_commit` raises, the log stops: an event that the state does not know is not acknowledged.

    `on_append` is called after that with what this process appended, before it is acknowledged: the new
    events, for each the number of its user's event before it, and for people whose events were sent again
    the number of the latest of these. Where it raises `UnavailableError` they are not acknowledged.
    """

    def __init__(
        self,
        database: PostgresDatabase,
        id_map: PostgresIdMap,
        *,
        on_commit: Callable[[EventColumns], object] | None = None,
        dedupe_days: int = DEDUPE_DAYS,
        write_seconds: float = WRITE_SECONDS,
        clock: Clock | None = None,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        self._database = database
        self._id_map = id_map
        self._on_commit = on_commit
        self.on_append: OnAppend | None = None
        self._dedupe_days = dedupe_days
        self._write_seconds = write_seconds
        self._clock = clock
        self._telling = RLock()
        self._stopped = False
        self._last_seq = self._told_seq = self._end()
        id_map.refresh()
        self._appender = Appender(self._append, most_waiting=most_waiting)

    def submit(
        self, events: Sequence[Event], *, reached: Mapping[str, int] | None = None
    ) -> "Future[list[AppendOutcome]]":
        """Hand over a batch; the future gives one outcome per event, in the order of `events`.

        Raises `UnavailableError` where too many events wait, `InvalidEventError` for what cannot be stored.
        """
        told = dict(reached or {})
        farther({}, told)
        batch = Batch(
            events=events,
            prepared=[rows.prepare(event) for event in events],
            reached={escaped(name): offset for name, offset in told.items()},
            deadline=time.monotonic() + self._write_seconds,
        )
        self._appender.submit(batch)
        return batch.future

    def read(self, after: int, limit: int) -> EventColumns:
        """Return up to `limit` events with sequence numbers above `after`."""
        return self._database.run(
            lambda connection: rows.read_columns(
                connection, rows.READ_AFTER, (self._last_seq,), after, limit
            ),
            seconds=READ_SECONDS if limit > FEW else OPERATION_SECONDS,
        )

    def events(self, after: int, limit: int) -> list[tuple[int, Event]]:
        """Return up to `limit` events above `after`, whole as they were submitted, with their numbers."""
        arguments = (after, self._last_seq, min(limit, MOST_ROWS))
        found = self._all(rows.EVENTS, arguments)
        return [(row[0], rows.event_of(row[1:])) for row in found]

    def window(self, start: int, end: int) -> EventColumns:
        """Return the events with `start <= timestamp < end` (microseconds), in log order."""
        bounds = (self._last_seq, start, end)

        def work(connection: BoundedConnection) -> EventColumns:
            found = rows.read_columns(connection, rows.READ_WINDOW, bounds, 0, MOST_ROWS)
            first = int(found.seq[0]) if len(found) else 0
            previous = int(connection.execute(rows.BEFORE, (first,)).fetchone()[0])  # type: ignore[index] # max gives a row
            return replace(found, previous_seq=previous)

        return self._database.run(work, seconds=READ_SECONDS)

    def contexts(self, after: int) -> Iterator[tuple[int, Mapping[str, str]]]:
        """Yield number and context of each event above `after` that has a context, in log order."""
        begin, end = after, self._last_seq
        while True:
            found = self._all(rows.CONTEXTS, (begin, end, CONTEXTS))
            for seq, context in found:
                yield seq, rows.context_of(context)
            if len(found) < CONTEXTS:
                return
            begin = found[-1][0]

    def of_user(self, user_id: str, limit: int) -> list[Event]:
        """Return the latest `limit` events of one user by (timestamp, event id), oldest first."""
        arguments = (escaped(user_id), min(limit, MOST_ROWS))
        found = self._all(rows.OF_USER, arguments)
        return [rows.event_of(row) for row in reversed(found)]

    def reached(self, stream: str | None = None) -> dict[str, int]:
        """Return `<stream>/<partition>` → next offset, of one stream or of all."""
        return of_stream({unescaped(name): offset for name, offset in self._all(STREAMS)}, stream)

    def last_seq(self) -> int:
        """Return the number of the last event that this process knows, 0 for none."""
        return self._last_seq

    def told_seq(self) -> int:
        """Return the number of the last event that the subscriber took in; readers may see later ones."""
        return self._told_seq

    def catch_up(self, seq: int | None = None, *, seconds: float = READ_SECONDS) -> bool:
        """Tell what other processes appended: up to number `seq` at least, else to the present end.

        Returns whether the end of the log was seen. Raises `UnavailableError` where it takes longer than
        `seconds`.
        """
        deadline = time.monotonic() + seconds
        with self._telling_within(seconds):
            while seq is None or self._last_seq < seq:
                if self._step(max(deadline - time.monotonic(), 0.001)) < TAIL:
                    return True
        return False

    def require_same_log(self) -> None:
        """Stop where the log ends before what this process was told: a standby took over that lacked it.

        Raises `CorruptDataError` then.
        """
        known = self._last_seq
        found = self._end()
        if found < known:
            self._stopped = True
            raise CorruptDataError(
                f"the log ends at {found}, but this process followed it to {known}: the server lost events; "
                "restart, and let commits wait for the standby (synchronous_standby_names)"
            )

    def close(self) -> None:
        """Finish what was submitted, then close the database."""
        self._appender.close()
        self._database.close()

    def _all(self, statement: LiteralString | sql.Composed, asked: Sequence[object] = ()) -> list[Any]:
        return self._database.run(
            lambda connection: connection.execute(statement, asked).fetchall(), seconds=READ_SECONDS
        )

    def _end(self) -> int:
        found = self._database.run(lambda connection: connection.execute(LAST_SEQ).fetchone())
        return int(found[0]) if found else 0

    def _step(self, seconds: float) -> int:
        """Follow up to `TAIL` events further and return how many there were; the caller holds `_telling`."""
        known = [self._id_map.known(kind) for kind in KINDS]
        arguments = (self._last_seq, TAIL, *known)
        found = self._database.run(
            lambda connection: connection.execute(rows.TAIL, arguments, binary=True).fetchone(),
            seconds=seconds,
        )
        tail = rows.Tail(*found)  # type: ignore[misc] # the function gives one row
        for kind, start, ids in zip(KINDS, known, tail[-3:], strict=True):
            self._id_map.adopt(kind, start, ids or ())
        columns = rows.tail_columns(tail, self._last_seq)
        self._tell(columns)
        return len(columns)

    @contextmanager
    def _telling_within(self, seconds: float) -> Iterator[None]:
        """Be the only one that tells the subscriber."""
        if not self._telling.acquire(timeout=seconds):
            raise BusyError("the log could not be followed in time; it is tried again by itself")
        try:
            if self._stopped:
                raise UnavailableError("what follows the log stopped on an error that was logged; restart")
            yield
        finally:
            self._telling.release()

    def _tell(self, columns: EventColumns) -> None:
        """Let readers see events, then the subscriber; the caller holds `_telling`."""
        if not len(columns):
            return
        self._last_seq = columns.last_seq
        if self._on_commit:
            self._stopped = True
            self._on_commit(columns)
            self._stopped = False
        self._told_seq = columns.last_seq

    def _append(self, group: Sequence[Batch], seconds: float) -> list[list[AppendOutcome]]:
        """Append batches in one transaction and tell the subscriber, in `seconds`."""
        deadline = time.monotonic() + seconds
        events = [event for batch in group for event in batch.events]
        prepared = [event for batch in group for event in batch.prepared]
        reached: dict[str, int] = {}
        for batch in group:
            reached |= farther(reached, batch.reached)
        try:
            arguments = [
                *self._stored(events, prepared),
                list(reached),
                list(reached.values()),
                *self._known(),
            ]
            appended = self._database.run(
                lambda connection: rows.run_append(connection, arguments), seconds=seconds
            )
            self._told(prepared, appended, max(deadline - time.monotonic(), 0.05))
            if self.on_append and len(appended.seqs):
                self.on_append(*rows.own_events(prepared, appended))
        except UnavailableError as error:
            raise _unconfirmed(error) from error
        except CorruptDataError as error:
            if not self._stopped:
                _log.error("%s", error.message)
            self._stopped = True
            raise NotDurableError(error.message, retry_after=5.0) from error
        outcomes = rows.outcomes_of(events, appended.seqs, appended.fresh)
        ends = accumulate(len(batch.events) for batch in group)
        return [outcomes[end - len(batch.events) : end] for batch, end in zip(group, ends, strict=True)]

    def _stored(self, events: Sequence[Event], prepared: Sequence[rows.Prepared]) -> list[Any]:
        """Return the fields of events, with the ordinals that are known, and when they arrive."""
        names = (
            [event.user_id for event in events],
            [event.item_id for event in events],
            [event.type for event in events],
        )
        known = [self._id_map.find(kind, ids) for kind, ids in zip(KINDS, names, strict=True)]
        today = self._clock() // MICROS_PER_DAY if self._clock else None
        return [*rows.append_arguments(prepared, known), today, self._dedupe_days]

    def _known(self) -> list[Any]:
        """Return what tells our log from another one: our last number, and the last name of each kind."""
        last = [(kind, self._id_map.known(kind) - 1) for kind in KINDS]
        known = [
            (NUMBER[kind], ordinal, self._id_map.names(kind, ordinal)[0])
            for kind, ordinal in last
            if ordinal >= 0
        ]
        kinds, ordinals, ids = zip(*known, strict=True) if known else ((), (), ())
        return [
            self._last_seq,
            packed(Int2s, kinds),
            packed(Int4s, ordinals),
            packed_texts([escaped(name) for name in ids]),
        ]

    def _told(self, batch: Sequence[rows.Prepared], appended: rows.Appended, seconds: float) -> None:
        """Tell the subscriber everything up to the last number of a batch that was appended."""
        if not len(appended.seqs):
            return
        with self._telling_within(seconds):
            new = appended.seqs[appended.fresh]
            if len(new) and new[0] == self._last_seq + 1 and self._knows_names(batch, appended):
                self._tell(rows.appended_columns(batch, appended, self._last_seq))
            self.catch_up(int(appended.seqs.max()), seconds=seconds)

    def _knows_names(self, batch: Sequence[rows.Prepared], appended: rows.Appended) -> bool:
        """Learn the names that a batch brought; return whether there are none between that others brought."""
        fields = ("user_id", "item_id", "type")
        ordinals_of_kinds = (appended.users, appended.items, appended.types)
        for kind, field, ordinals in zip(KINDS, fields, ordinals_of_kinds, strict=True):
            known = self._id_map.known(kind)
            places = np.flatnonzero(ordinals >= known).tolist()
            added = {int(ordinals[place]): getattr(batch[place], field) for place in places}
            if added and max(added) - known + 1 != len(added):
                return False
            self._id_map.adopt(kind, known, [added[ordinal] for ordinal in sorted(added)])
        return True


def _unconfirmed(error: ForetasteError) -> UnconfirmedError:
    refused = UnconfirmedError(
        f"could not be stored durably in time, so it was not accepted ({error.message}); send it again with "
        "the same event ids: what arrived nevertheless counts once",
        retry_after=getattr(error, "retry_after", 1.0),
    )
    refused.field = error.field
    return refused

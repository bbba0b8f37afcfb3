"""The event log in SQLite."""

import sqlite3
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace

import numpy as np

from foretaste.adapters.sqlite.database import SqliteDatabase
from foretaste.adapters.sqlite.event_columns import read_after, read_chains, read_window
from foretaste.adapters.sqlite.event_rows import (
    INSERT,
    MOST_ROWS,
    READ_CONTEXTS,
    READ_USER,
    Prepared,
    columns_of,
    context_of,
    event_of,
    prepare,
    read_events,
)
from foretaste.adapters.sqlite.id_map import SqliteIdMap
from foretaste.adapters.sqlite.key_index import KeyIndex
from foretaste.adapters.sqlite.many_rows import ManyRows, Row, Statement
from foretaste.adapters.sqlite.schema import STREAM_TABLE
from foretaste.domain.arrays import Int64s
from foretaste.domain.clock import MICROS_PER_DAY, Clock, system_clock
from foretaste.domain.errors import CorruptDataError
from foretaste.domain.event import Event, EventColumns
from foretaste.ports.event_log import AppendOutcome, farther, of_stream

DEDUPE_DAYS = 30

LAST_SEQ = "SELECT ifnull(max(seq), 0) FROM event"
BEFORE = "SELECT ifnull(max(seq), 0) FROM event WHERE seq < ?"
ARRIVALS = "SELECT day, first_seq FROM arrival ORDER BY day"
REACHED = "SELECT name, next FROM stream"
HAS_STREAMS = "SELECT count(*) FROM sqlite_schema WHERE name = 'stream'"
ADD_REACHED = ManyRows("INSERT OR REPLACE INTO stream", "name, next")
ADD_ARRIVAL = "INSERT INTO arrival (day, first_seq) VALUES (?, ?)"


class SqliteEventLog:
    """`EventLog` in the file of `database`; make one per database, after its id map.

    `on_commit` is called on the writer's thread with the new events of each transaction, after the
    commit and before the futures of those events resolve. If it raises, the log stops: an event that
    the state does not know is not acknowledged. An event id is recognized for `dedupe_days` after its
    first arrival, which takes 16 bytes of memory for each. A reader at any moment sees whole batches.
    """

    def __init__(
        self,
        database: SqliteDatabase,
        id_map: SqliteIdMap,
        *,
        on_commit: Callable[[EventColumns], object] | None = None,
        dedupe_days: int = DEDUPE_DAYS,
        clock: Clock = system_clock,
    ) -> None:
        self._database = database
        self._id_map = id_map
        self._intern_user = id_map.interner("user")
        self._intern_item = id_map.interner("item")
        self._intern_type = id_map.interner("type")
        self._on_commit = on_commit
        self._dedupe_days = dedupe_days
        self._clock = clock
        self._rows: list[Row] = []
        self._staged: dict[int, int] = {}
        self._staged_heads: dict[int, int] = {}
        self._staged_day: tuple[int, int] | None = None
        self._staged_reached: dict[str, int] = {}
        with database.reading() as connection:
            self._load(connection)
        database.writer.participants.append(self)

    def submit(
        self, events: Sequence[Event], *, reached: Mapping[str, int] | None = None
    ) -> "Future[list[AppendOutcome]]":
        """Hand over a batch; the future gives one outcome per event, in the order of `events`.

        Raises `UnavailableError` where too many events wait, `InvalidEventError` for what cannot be stored.
        """
        prepared = [prepare(event) for event in events]
        told = dict(reached or {})
        farther({}, told)
        return self._database.writer.submit(lambda _: self._stage_with(prepared, told), max(len(prepared), 1))

    def read(self, after: int, limit: int) -> EventColumns:
        """Return up to `limit` events with sequence numbers above `after`."""
        with self._database.reading() as connection:
            return read_after(connection, after, limit)

    def events(self, after: int, limit: int) -> list[tuple[int, Event]]:
        """Return up to `limit` events above `after`, whole as they were submitted, with their numbers."""
        with self._database.reading() as connection:
            return read_events(connection, after, limit)

    def window(self, start: int, end: int) -> EventColumns:
        """Return the events with `start <= timestamp < end` (microseconds), in log order. Scans the log."""
        with self._database.reading() as connection:
            found = read_window(connection, start, end, MOST_ROWS)
            first = int(found.seq[0]) if len(found) else 0
            previous_seq = int(connection.execute(BEFORE, (first,)).fetchone()[0])
        return replace(found, previous_seq=previous_seq)

    def contexts(self, after: int) -> Iterator[tuple[int, Mapping[str, str]]]:
        """Yield number and context of each event above `after` that has a context, in log order."""
        with self._database.reading() as connection:
            for seq, text in connection.execute(READ_CONTEXTS, (after,)):
                yield seq, context_of(text)

    def of_user(self, user_id: str, limit: int) -> list[Event]:
        """Return the latest `limit` events of one user by (timestamp, event id), oldest first."""
        user = self._id_map.ordinal("user", user_id)
        if not 0 <= user < len(self._heads):
            return []
        with self._database.reading() as connection:
            rows = connection.execute(READ_USER, (self._heads[user], min(limit, MOST_ROWS))).fetchall()
        return [event_of(user_id, row) for row in reversed(rows)]

    def reached(self, stream: str | None = None) -> dict[str, int]:
        """Return `<stream>/<partition>` → next offset, of one stream or of all."""
        return of_stream(self._reached, stream)

    def last_seq(self) -> int:
        """Return the sequence number of the last event, 0 for an empty log."""
        return self._last_seq

    def close(self) -> None:
        """Finish what was submitted, then close the database."""
        self._database.close()

    def _load(self, connection: sqlite3.Connection) -> None:
        """Rebuild what is held in memory from the log."""
        self._last_seq = int(connection.execute(LAST_SEQ).fetchone()[0])
        self._arrivals: list[tuple[int, int]] = connection.execute(ARRIVALS).fetchall()
        has_streams = connection.execute(HAS_STREAMS).fetchone()[0]
        self._reached: dict[str, int] = dict(connection.execute(REACHED)) if has_streams else {}
        self._keys = KeyIndex(self._floor(self._today()))
        users = len(self._id_map.names("user"))
        heads = np.zeros(users, np.int64)
        recent: list[tuple[Int64s, Int64s]] = []
        for seq, user, key in read_chains(connection):
            if not 0 <= user.min() <= user.max() < users:
                raise CorruptDataError(
                    f"{self._database.path}: the log names a user that the id map does not have"
                )
            heads[user] = seq
            begin = int(seq.searchsorted(self._keys.floor))
            recent.append((key[begin:], seq[begin:]))
        self._heads = array("q", heads.tobytes())
        if recent:
            keys, seqs = (np.concatenate(parts) for parts in zip(*recent, strict=True))
            self._keys.add_run(keys, seqs)

    def _today(self) -> int:
        return self._clock() // MICROS_PER_DAY

    def _floor(self, today: int) -> int:
        """Return the first sequence number within the dedupe horizon."""
        kept = [first for day, first in self._arrivals if day > today - self._dedupe_days]
        return min(kept, default=self._last_seq + 1)

    def _stage_with(self, batch: Sequence[Prepared], reached: Mapping[str, int]) -> list[AppendOutcome]:
        """Stage a batch together with how far the streams were read that it came from."""
        self._staged_reached |= farther({**self._reached, **self._staged_reached}, reached)
        return self._stage(batch)

    def _stage(self, batch: Sequence[Prepared]) -> list[AppendOutcome]:
        """Give each event of a batch its number, or the one it has."""
        found = self._keys.find([prepared.key for prepared in batch])
        return [self._stage_event(prepared, seq) for prepared, seq in zip(batch, found, strict=True)]

    def _stage_event(self, prepared: Prepared, earlier: int) -> AppendOutcome:
        event_id = prepared.event.event_id
        seq = earlier or self._staged.get(prepared.key, 0)
        if seq:
            return AppendOutcome(event_id=event_id, status="duplicate", seq=seq)
        return AppendOutcome(event_id=event_id, status="accepted", seq=self._stage_row(prepared))

    def _stage_row(self, prepared: Prepared) -> int:
        key, event, context = prepared
        seq = self._last_seq + len(self._rows) + 1
        user = self._intern_user(event.user_id)
        previous = self._staged_heads.get(user)
        if previous is None:
            previous = self._heads[user] if user < len(self._heads) else 0
        self._rows.append(
            (
                seq,
                user,
                self._intern_item(event.item_id),
                self._intern_type(event.type),
                event.timestamp,
                key,
                event.value,
                previous,
                event.event_id,
                event.session_id,
                event.recommendation_id,
                context,
            )
        )
        self._staged[key] = seq
        self._staged_heads[user] = seq
        return seq

    def statements(self) -> Iterator[Statement]:
        """Yield what writes the rows of the present transaction."""
        if self._staged_reached:
            yield STREAM_TABLE, ()
            yield from ADD_REACHED.statements(list(self._staged_reached.items()))
        if not self._rows:
            return
        today = self._today()
        if not self._arrivals or today > self._arrivals[-1][0]:
            self._staged_day = (today, self._last_seq + 1)
            yield ADD_ARRIVAL, self._staged_day
        yield from INSERT.statements(self._rows)

    def committed(self) -> None:
        """Take the new events as facts and tell the subscriber."""
        self._reached = {**self._reached, **self._staged_reached}
        if not self._rows:
            self.rolled_back()
            return
        columns = columns_of(self._rows, self._last_seq)
        if self._staged_day:
            self._arrivals.append(self._staged_day)
            self._keys.forget_before(self._floor(self._staged_day[0]))
        self._keys.add(list(self._staged), list(self._staged.values()))
        self._advance_heads()
        self._last_seq = columns.last_seq
        self.rolled_back()
        if self._on_commit:
            self._on_commit(columns)

    def _advance_heads(self) -> None:
        missing = max(self._staged_heads) + 1 - len(self._heads)
        if missing > 0:
            self._heads.extend([0] * missing)
        for user, seq in self._staged_heads.items():
            self._heads[user] = seq

    def rolled_back(self) -> None:
        """Forget what was staged."""
        self._rows, self._staged, self._staged_heads, self._staged_day = [], {}, {}, None
        self._staged_reached = {}

"""The end of a log in SQLite that another process may be writing."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from foretaste.adapters.sqlite.event_rows import read_events
from foretaste.adapters.sqlite.read_only import ReadOnlyDatabase
from foretaste.domain.event import Event

LAST_SEQ = "SELECT ifnull(max(seq), 0) FROM event"


class SqliteEventTail:
    """Reads a log's events beside the process that writes it; every call sees what is committed by then.

    Nothing stays open between calls. Each raises `NotFoundError` where there is no data yet.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def events(self, after: int, limit: int) -> list[tuple[int, Event]]:
        """Return up to `limit` events above `after`, whole, with their numbers."""
        with self._reading() as connection:
            return read_events(connection, after, limit)

    def last_seq(self) -> int:
        """Return the sequence number of the last event, 0 for an empty log."""
        with self._reading() as connection:
            return int(connection.execute(LAST_SEQ).fetchone()[0])

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with closing(ReadOnlyDatabase(self._path)) as database, database.reading() as connection:
            yield connection

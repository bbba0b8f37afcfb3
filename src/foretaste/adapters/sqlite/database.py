"""The file that holds id map, event log and catalog: opened by one process, written by one thread."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from foretaste.adapters.sqlite.connections import Readers, opened, readable
from foretaste.adapters.sqlite.file_lock import FileLock
from foretaste.adapters.sqlite.schema import STORE_TABLES, STORE_VERSION
from foretaste.adapters.sqlite.writer import Writer

MOST_WAITING = 200_000


class SqliteDatabase:
    """An open `foretaste.db`, created if absent; hand it to `SqliteIdMap`, `SqliteEventLog`, `SqliteCatalog`.

    `most_waiting` bounds the events and items that wait for the disk; past it, writing raises
    `UnavailableError`. Commits survive `kill -9` and power loss.

    Raises `UnavailableError` where another process has the file or a newer version wrote it, and
    `CorruptDataError` where it is no database of ours.

    >>> database = SqliteDatabase(home / "foretaste.db")
    >>> ids = SqliteIdMap(database)
    >>> log = SqliteEventLog(database, ids, on_commit=fold)
    """

    def __init__(self, path: Path, *, most_waiting: int = MOST_WAITING) -> None:
        self.path = path
        self._lock = FileLock(path)
        try:
            connection = opened(path, STORE_TABLES, STORE_VERSION, synchronous="FULL")
        except BaseException:
            self._lock.release()
            raise
        self.writer = Writer(connection, most_waiting=most_waiting)
        self._readers = Readers(path)
        self._closed = False

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection that sees what is committed; raises as `readable` does."""
        with readable(self.path), self._readers.lend() as connection:
            yield connection

    def close(self) -> None:
        """Finish what waits, then release the file. Closing twice is fine."""
        if self._closed:
            return
        self._closed = True
        self.writer.close()
        self._readers.close()
        self._lock.release()

"""Connections: how a file is opened for writing, and a pool of readers."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Lock
from typing import Literal

from foretaste.adapters.sqlite.schema import ensure_schema
from foretaste.domain.errors import CorruptDataError, UnavailableError

Synchronous = Literal["FULL", "NORMAL"]

BUSY_SECONDS = 5.0


def opened(path: Path, tables: str, version: int, *, synchronous: Synchronous) -> sqlite3.Connection:
    """Open `path` for writing, with a write-ahead log, and create it with `tables` if absent.

    `synchronous` is `FULL` where a commit must survive power loss, else `NORMAL`. Raises
    `CorruptDataError` for a file that is no database of ours, `UnavailableError` for a newer one and where
    the disk refuses.
    """
    with ExitStack() as undo:
        try:
            connection = sqlite3.connect(
                path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            undo.callback(connection.close)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(f"PRAGMA synchronous = {synchronous}")
            connection.execute("PRAGMA fullfsync = ON")  # macOS: fsync alone does not reach the disk there
            ensure_schema(connection, tables, version, str(path))
            _sync_what_is_found(connection)
        except sqlite3.OperationalError as error:
            raise UnavailableError(f"{path} cannot be opened for writing: {error}") from error
        except sqlite3.DatabaseError as error:
            raise CorruptDataError(f"{path} cannot be used as a database: {error}") from error
        _sync_directory(path.parent)
        undo.pop_all()
    return connection


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Read from the file at `path`: what SQLite cannot read is told in words.

    Raises `CorruptDataError` where the file is damaged, `UnavailableError` where the disk refuses.
    """
    try:
        yield
    except sqlite3.OperationalError as error:
        raise UnavailableError(f"{path} cannot be read: {error}") from error
    except sqlite3.DatabaseError as error:
        if type(error) is not sqlite3.DatabaseError:
            raise
        raise CorruptDataError(
            f"{path} is damaged: {error}; restore it from a backup, or a new home from an export"
        ) from error


def _sync_what_is_found(connection: sqlite3.Connection) -> None:
    """Make durable what a process wrote that was killed before it was synced: it counts as committed now."""
    connection.execute("PRAGMA wal_checkpoint").fetchall()


def _sync_directory(directory: Path) -> None:
    """Make a file's entry in its directory durable."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Readers:
    """Connections that only read, lent to one thread at a time; as many as read at once."""

    def __init__(self, path: Path) -> None:
        self._address = f"{path.resolve().as_uri()}?mode=ro"
        self._lock = Lock()
        self._free: list[sqlite3.Connection] = []
        self._closed = False

    @contextmanager
    def lend(self) -> Iterator[sqlite3.Connection]:
        """Give a connection for the time of the block. Raises `UnavailableError` once closed."""
        connection = self._take()
        try:
            yield connection
        finally:
            self._give_back(connection)

    def close(self) -> None:
        """Close all connections, those in use when they come back."""
        with self._lock:
            self._closed = True
            free, self._free = self._free, []
        for connection in free:
            connection.close()

    def _take(self) -> sqlite3.Connection:
        with self._lock:
            if self._closed:
                raise UnavailableError("the database is closed")
            if self._free:
                return self._free.pop()
        return sqlite3.connect(
            self._address, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )

    def _give_back(self, connection: sqlite3.Connection) -> None:
        with self._lock:
            if not self._closed:
                self._free.append(connection)
                return
        connection.close()

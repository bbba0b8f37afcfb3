"""A database that another process may be writing, as it is at this moment."""

import sqlite3
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import RLock
from typing import NoReturn

from foretaste.adapters.memory.exposure_log import MemoryExposureLog
from foretaste.adapters.sqlite.connections import BUSY_SECONDS
from foretaste.adapters.sqlite.database import SqliteDatabase
from foretaste.adapters.sqlite.exposure_log import GET, decoded, exposures_between, read_exposures
from foretaste.adapters.sqlite.schema import APPLICATION, EXPOSURE_VERSION, STORE_VERSION
from foretaste.adapters.sqlite.writer import Operation, Participant, T, Writer
from foretaste.domain.errors import CorruptDataError, NotFoundError, UnavailableError
from foretaste.domain.slate import Exposure


class RefusingWriter(Writer):
    """Writes nothing: whoever tries gets `UnavailableError`."""

    def __init__(self) -> None:
        self.participants: list[Participant] = []

    def submit(self, operation: Operation[T], units: int = 1) -> "Future[T]":
        """Refuse."""
        del operation, units
        refuse()

    def call(self, operation: Operation[T], units: int = 1) -> T:
        """Refuse."""
        del operation, units
        refuse()

    def close(self) -> None:
        """Nothing to finish."""


class ReadOnlyDatabase(SqliteDatabase):
    """`foretaste.db` as it is when opened: later writes of its owner are not seen, and it is not locked.

    So id map, log and catalog agree with each other. Writing raises `UnavailableError`.

    Raises `NotFoundError` where there is no file, `CorruptDataError` where it is none of ours, and
    `UnavailableError` where a newer version wrote it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.writer = RefusingWriter()
        self._one_at_a_time = RLock()
        self._connection = _pinned(path, STORE_VERSION)

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Lend the one connection, to one thread at a time."""
        with self._one_at_a_time:
            yield self._connection

    def close(self) -> None:
        """Release the file. Closing twice is fine."""
        with self._one_at_a_time:
            self._connection.close()


class ReadOnlyExposures(MemoryExposureLog):
    """The exposures in a file as they are when opened; what is recorded here ends with the process.

    `read` yields what the file holds. A file that is not there yet, or is still empty, holds nothing.

    Raises `CorruptDataError` where the file is none of ours, and `UnavailableError` where a newer version
    wrote it.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._one_at_a_time = RLock()
        self._connection: sqlite3.Connection | None = None
        with suppress(NotFoundError):
            self._connection = _pinned(path, EXPOSURE_VERSION)

    def get(self, recommendation_id: str) -> Exposure | None:
        """Return a record, of this process or of the file, or None."""
        own = super().get(recommendation_id)
        if own is not None or self._connection is None:
            return own
        with self._one_at_a_time:
            row = self._connection.execute(GET, (recommendation_id,)).fetchone()
        return decoded(row[0]) if row else None

    def read(self, newest: int | None = None) -> Iterator[Exposure]:
        """Yield all records of the file, or so many of the latest, those of earlier times first."""
        if self._connection is None:
            return
        with self._one_at_a_time:
            yield from read_exposures(self._connection, newest)

    def between(self, since: int, before: int) -> Iterator[Exposure]:
        """Yield the file's records from `since` on to before `before`, those of earlier times first."""
        if self._connection is None:
            return
        with self._one_at_a_time:
            yield from exposures_between(self._connection, since, before)

    def close(self) -> None:
        """Release the file. Closing twice is fine."""
        with self._one_at_a_time:
            if self._connection is not None:
                self._connection.close()
            self._connection = None


def _pinned(path: Path, version: int) -> sqlite3.Connection:
    """Return a connection that holds this moment of a file of ours, known up to schema `version`."""
    if not path.is_file():
        raise NotFoundError(f"{path}: there is no data yet; take some in with foretaste ingest", field="home")
    connection = sqlite3.connect(
        f"{path.resolve().as_uri()}?mode=ro",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        connection.execute("BEGIN")
        require_ours(connection, path, version)
    except sqlite3.DatabaseError as error:
        connection.close()
        raise CorruptDataError(f"{path} cannot be used as a database: {error}") from error
    except BaseException:
        connection.close()
        raise
    return connection


def require_ours(connection: sqlite3.Connection, path: Path, version: int) -> None:
    """Raise unless a file is one of ours that is not empty, known up to schema `version`."""
    application = int(connection.execute("PRAGMA application_id").fetchone()[0])
    found = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if int(connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]) == 0:
        raise NotFoundError(f"{path}: it is still empty; take data in with foretaste ingest")
    if application != APPLICATION:
        raise CorruptDataError(f"{path} is a database of another program; choose another directory")
    if found > version:
        raise UnavailableError(f"{path} was written by a newer Foretaste; upgrade")


def refuse() -> NoReturn:
    """Raise `UnavailableError`: whoever asked is only a reader."""
    raise UnavailableError("this home was opened for reading only", field="home")

"""A database that another process may be writing, as it is at this moment."""

import sqlite3
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import NoReturn

from foretaste.adapters.sqlite.connections import BUSY_SECONDS
from foretaste.adapters.sqlite.database import SqliteDatabase
from foretaste.adapters.sqlite.schema import APPLICATION, STORE_VERSION
from foretaste.adapters.sqlite.writer import Operation, Participant, T, Writer
from foretaste.domain.errors import CorruptDataError, NotFoundError, UnavailableError


class RefusingWriter(Writer):
    """Writes nothing: whoever tries gets `UnavailableError`."""

    def __init__(self) -> None:
        self.participants: list[Participant] = []

    def submit(self, operation: Operation[T], units: int = 1) -> "Future[T]":
        """Refuse."""
        del operation, units
        _refuse()

    def call(self, operation: Operation[T], units: int = 1) -> T:
        """Refuse."""
        del operation, units
        _refuse()

    def close(self) -> None:
        """Nothing to finish."""


class ReadOnlyDatabase(SqliteDatabase):
    """`foretaste.db` as it is when opened: later writes of its owner are not seen, and it is not locked.

    So id map, log and catalog agree with each other. Writing raises `UnavailableError`.

    Raises `NotFoundError` where there is no file, `CorruptDataError` where it is none of ours, and
    `UnavailableError` where a newer version wrote it.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise NotFoundError(
                f"{path}: there is no data yet; take some in with foretaste ingest", field="home"
            )
        self.path = path
        self.writer = RefusingWriter()
        self._one_at_a_time = RLock()
        self._connection = sqlite3.connect(
            f"{path.resolve().as_uri()}?mode=ro",
            uri=True,
            timeout=BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            self._pin()
        except sqlite3.DatabaseError as error:
            self._connection.close()
            raise CorruptDataError(f"{path} cannot be used as a database: {error}") from error
        except BaseException:
            self._connection.close()
            raise

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Lend the one connection, to one thread at a time."""
        with self._one_at_a_time:
            yield self._connection

    def close(self) -> None:
        """Release the file. Closing twice is fine."""
        with self._one_at_a_time:
            self._connection.close()

    def _pin(self) -> None:
        """Begin the transaction that holds this moment, and check what the file is."""
        self._connection.execute("BEGIN")
        application = int(self._connection.execute("PRAGMA application_id").fetchone()[0])
        version = int(self._connection.execute("PRAGMA user_version").fetchone()[0])
        tables = int(self._connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0])
        if tables == 0:
            raise NotFoundError(f"{self.path}: it is still empty; take data in with foretaste ingest")
        if application != APPLICATION:
            raise CorruptDataError(f"{self.path} is a database of another program; choose another directory")
        if version > STORE_VERSION:
            raise UnavailableError(f"{self.path} was written by a newer Foretaste; upgrade")


def _refuse() -> NoReturn:
    raise UnavailableError("this home was opened for reading only", field="home")

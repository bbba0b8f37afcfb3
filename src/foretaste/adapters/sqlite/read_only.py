"""A database that another process may be writing, as it is at this moment."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from threading import RLock
from typing import NoReturn

from foretaste.adapters.memory.exposure_log import MemoryExposureLog
from foretaste.adapters.sqlite.connections import BUSY_SECONDS, readable
from foretaste.adapters.sqlite.database import SqliteDatabase
from foretaste.adapters.sqlite.exposure_log import GET, decoded, exposures_between, read_exposures
from foretaste.adapters.sqlite.profiles import TABLES, ProfilesToRead
from foretaste.adapters.sqlite.profiles import VERSION as PROFILES_VERSION
from foretaste.adapters.sqlite.schema import APPLICATION, EXPOSURE_VERSION, STORE_VERSION
from foretaste.adapters.sqlite.writer import Operation, Participant, T, Writer
from foretaste.domain.errors import CorruptDataError, NotFoundError, UnavailableError
from foretaste.domain.slate import Exposure
from foretaste.ports.profiles import Attributes


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
    `UnavailableError` where a newer version wrote it, or rights or room to read it are missing.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.writer = RefusingWriter()
        self._one_at_a_time = RLock()
        self._connection = _pinned(path, STORE_VERSION)

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Lend the one connection, to one thread at a time."""
        with readable(self.path), self._one_at_a_time:
            yield self._connection

    def close(self) -> None:
        """Release the file. Closing twice is fine."""
        with self._one_at_a_time:
            self._connection.close()


class ReadOnlyExposures(MemoryExposureLog):
    """The exposures in a file as they are when opened; what is recorded here ends with the process.

    `read` yields what the file holds. A file that is not there yet, or is still empty, holds nothing.

    Raises `CorruptDataError` where the file is none of ours, and `UnavailableError` where a newer version
    wrote it, or rights or room to read it are missing.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._one_at_a_time = RLock()
        self._connection: sqlite3.Connection | None = None
        with suppress(NotFoundError):
            self._connection = _pinned(path, EXPOSURE_VERSION)

    def get(self, recommendation_id: str) -> Exposure | None:
        """Return a record, of this process or of the file, or None."""
        own = super().get(recommendation_id)
        if own is not None or self._connection is None:
            return own
        with readable(self._path), self._one_at_a_time:
            row = self._connection.execute(GET, (recommendation_id,)).fetchone()
        return decoded(row[0]) if row else None

    def read(self, newest: int | None = None) -> Iterator[Exposure]:
        """Yield all records of the file, or so many of the latest, those of earlier times first."""
        if self._connection is None:
            return
        with readable(self._path), self._one_at_a_time:
            yield from read_exposures(self._connection, newest)

    def between(self, since: int, before: int) -> Iterator[Exposure]:
        """Yield the file's records from `since` on to before `before`, those of earlier times first."""
        if self._connection is None:
            return
        with readable(self._path), self._one_at_a_time:
            yield from exposures_between(self._connection, since, before)

    def close(self) -> None:
        """Release the file. Closing twice is fine."""
        with self._one_at_a_time:
            if self._connection is not None:
                self._connection.close()
            self._connection = None


class RefusingProfiles(ProfilesToRead):
    """Profiles that are only read. Writing raises `UnavailableError`."""

    def put(self, people: Mapping[str, Attributes]) -> None:
        """Refuse."""
        del people
        refuse()

    def delete(self, user_ids: Sequence[str]) -> int:
        """Refuse."""
        del user_ids
        refuse()


class ReadOnlyProfiles(RefusingProfiles):
    """`Profiles` in a file as they are when opened.

    A file that is not there yet, or is still empty, tells of nobody. Raises as `ReadOnlyExposures` does.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._one_at_a_time = RLock()
        try:
            self._connection = _pinned(path, PROFILES_VERSION)
        except NotFoundError:
            self._connection = sqlite3.connect(":memory:", check_same_thread=False)
            self._connection.executescript(TABLES)

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Lend the one connection, to one thread at a time; raises as `readable` does."""
        with readable(self._path), self._one_at_a_time:
            yield self._connection

    def close(self) -> None:
        """Release the file. Closing twice is fine."""
        with self._one_at_a_time:
            self._connection.close()


def _pinned(path: Path, version: int) -> sqlite3.Connection:
    """Return a connection that holds this moment of a file of ours, known up to schema `version`."""
    if not path.is_file():
        raise NotFoundError(f"{path}: there is no data yet; take some in with foretaste ingest", field="home")
    connection = _connected(path, "mode=ro")
    try:
        connection.execute("BEGIN")
        require_ours(connection, path, version)
    except sqlite3.OperationalError as error:
        connection.close()
        connection = _copied(path, error)
        require_ours(connection, path, version)
    except sqlite3.DatabaseError as error:
        connection.close()
        raise CorruptDataError(f"{path} cannot be used as a database: {error}") from error
    except BaseException:
        connection.close()
        raise
    return connection


def _copied(path: Path, refused: sqlite3.OperationalError) -> sqlite3.Connection:
    """Return a copy in memory of a file beside which nothing can be written, as SQLite does to read it.

    That is a backup on a read-only disk, the home of another user, a full disk. Raises `UnavailableError`
    where the file alone does not hold all that was committed, or changes meanwhile.
    """
    before = _at_rest(path)
    copy = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    try:
        with closing(_connected(path, "mode=ro&immutable=1")) as connection:
            connection.backup(copy)
    except sqlite3.DatabaseError:
        before = None
    if before is None or _at_rest(path) != before:
        copy.close()
        raise UnavailableError(
            f"{path} cannot be read now: {refused}; give rights to its folder, free disk space, or copy the "
            "home to where there is both",
            field="home",
        ) from refused
    return copy


def _at_rest(path: Path) -> tuple[int, int] | None:
    """Return size and time of a file that holds all that was committed, None where its log holds more."""
    log = path.with_name(f"{path.name}-wal")
    if log.is_file() and log.stat().st_size:
        return None
    found = path.stat()
    return found.st_size, found.st_mtime_ns


def _connected(path: Path, options: str) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{path.resolve().as_uri()}?{options}",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )


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

"""Exposures in an SQLite file of their own, written by a thread in batches."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from foretaste.adapters.batched_exposures import IDLE_SECONDS, MOST_WAITING, BatchedExposures, Row
from foretaste.adapters.sqlite.connections import Readers, opened, readable
from foretaste.adapters.sqlite.file_lock import FileLock
from foretaste.adapters.sqlite.many_rows import ManyRows
from foretaste.adapters.sqlite.schema import EXPOSURE_TABLES, EXPOSURE_VERSION
from foretaste.domain.arrays import MICROS_PER_SECOND
from foretaste.domain.clock import MICROS_PER_DAY, Clock, system_clock
from foretaste.domain.errors import NotDurableError
from foretaste.domain.slate import Exposure

RETENTION_DAYS = 90.0

PUT = ManyRows("INSERT OR REPLACE INTO exposure", "recommendation_id, time, record")
GET = "SELECT record FROM exposure WHERE recommendation_id = ?"
READ = "SELECT record FROM exposure ORDER BY time, recommendation_id"
BETWEEN = "SELECT record FROM exposure WHERE time >= ? AND time < ? ORDER BY time, recommendation_id"
NEWEST = "SELECT record FROM exposure ORDER BY time DESC, recommendation_id DESC LIMIT ?"
PURGE = "DELETE FROM exposure WHERE time < ?"

decoded = msgspec.json.Decoder(Exposure).decode


class SqliteExposureLog(BatchedExposures):
    """`ExposureLog` in a file of its own, created if absent.

    Records older than `retention_days` are removed with the first write and every `purge_seconds`, whoever
    wrote them and whether anything is written or not. With `beside` another process of the same service has
    the file: this one writes into it too, and removes nothing.

    Raises `UnavailableError` where another process writes the file or a newer version wrote it.
    """

    refusal = sqlite3.Error

    def __init__(
        self,
        path: Path,
        *,
        retention_days: float = RETENTION_DAYS,
        most_waiting: int = MOST_WAITING,
        clock: Clock = system_clock,
        beside: bool = False,
        purge_seconds: float = IDLE_SECONDS,
    ) -> None:
        self._file_lock = None if beside else FileLock(path)
        try:
            # NORMAL: a crash of the process loses nothing written, one of the machine the latest batches
            self._connection = opened(path, EXPOSURE_TABLES, EXPOSURE_VERSION, synchronous="NORMAL")
        except BaseException:
            self._unlock()
            raise
        self._path = path
        self._readers = Readers(path)
        self._retention = round(retention_days * MICROS_PER_DAY)
        self._clock = clock
        self._between_purges = round(purge_seconds * MICROS_PER_SECOND)
        self._purge_due = 0
        super().__init__(most_waiting, idle_seconds=purge_seconds)

    def read(self, newest: int | None = None) -> Iterator[Exposure]:
        """Yield all stored records, or so many of the latest, those of earlier times first."""
        with readable(self._path), self._readers.lend() as connection:
            yield from read_exposures(connection, newest)

    def between(self, since: int, before: int) -> Iterator[Exposure]:
        """Yield the stored records from `since` on to before `before`, those of earlier times first."""
        with readable(self._path), self._readers.lend() as connection:
            yield from exposures_between(connection, since, before)

    def flush(self) -> None:
        """Write what waits; return when it is stored. Raises `NotDurableError` if it cannot be."""
        try:
            super().flush()
        except sqlite3.Error as error:
            raise NotDurableError(f"exposures could not be written ({error}); free disk space") from error

    def _put(self, rows: Sequence[Row]) -> None:
        now = self._clock()
        for statement in PUT.statements(rows):  # each is a transaction: rows may be put a second time
            self._connection.execute(*statement)
        if now >= self._purge_due and self._file_lock is not None:
            self._connection.execute(PURGE, (now - self._retention,))
            self._purge_due = now + self._between_purges

    def _found(self, recommendation_id: str) -> Exposure | None:
        with readable(self._path), self._readers.lend() as connection:
            row = connection.execute(GET, (recommendation_id,)).fetchone()
        return decoded(row[0]) if row else None

    def _release(self) -> None:
        self._readers.close()
        self._connection.close()
        self._unlock()

    def _unlock(self) -> None:
        if self._file_lock is not None:
            self._file_lock.release()


def read_exposures(connection: sqlite3.Connection, newest: int | None = None) -> Iterator[Exposure]:
    """Yield all stored records, or so many of the latest, those of earlier times first."""
    rows: Iterable[tuple[bytes]] = (
        connection.execute(READ)
        if newest is None
        else reversed(connection.execute(NEWEST, (newest,)).fetchall())
    )
    for (record,) in rows:
        yield decoded(record)


def exposures_between(connection: sqlite3.Connection, since: int, before: int) -> Iterator[Exposure]:
    """Yield the stored records from `since` on to before `before`, those of earlier times first."""
    for (record,) in connection.execute(BETWEEN, (since, before)):
        yield decoded(record)

"""Exposures in an SQLite file of their own, written by a thread in batches."""

import logging
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from threading import Condition, Lock, Thread

import msgspec

from foretaste.adapters.sqlite.connections import Readers, opened
from foretaste.adapters.sqlite.file_lock import FileLock
from foretaste.adapters.sqlite.schema import EXPOSURE_TABLES, EXPOSURE_VERSION
from foretaste.domain.clock import MICROS_PER_DAY, Clock, system_clock
from foretaste.domain.errors import NotDurableError
from foretaste.domain.slate import Exposure

RETENTION_DAYS = 90.0
MOST_WAITING = 20_000
BATCH = 1_000
PAUSE_SECONDS = 0.5
MICROS_BETWEEN_PURGES = 3_600_000_000

PUT = "INSERT OR REPLACE INTO exposure (recommendation_id, time, record) VALUES (?, ?, ?)"
GET = "SELECT record FROM exposure WHERE recommendation_id = ?"
READ = "SELECT record FROM exposure ORDER BY time, recommendation_id"
PURGE = "DELETE FROM exposure WHERE time < ?"

_encode = msgspec.json.Encoder().encode
decoded = msgspec.json.Decoder(Exposure).decode
_log = logging.getLogger(__name__)


class SqliteExposureLog:
    """`ExposureLog` in a file of its own, created if absent.

    Records wait in memory, at most `most_waiting`, and are written every half second or by the
    thousand: `kill -9` loses what waited, which no answer depends on. While the disk is full they go
    on waiting. Records older than `retention_days` are removed with the first write and every hour.

    Raises `UnavailableError` where another process writes the file or a newer version wrote it.
    """

    def __init__(
        self,
        path: Path,
        *,
        retention_days: float = RETENTION_DAYS,
        most_waiting: int = MOST_WAITING,
        clock: Clock = system_clock,
    ) -> None:
        self._file_lock = FileLock(path)
        try:
            # NORMAL: a crash of the process loses nothing written, one of the machine the latest batches
            self._connection = opened(path, EXPOSURE_TABLES, EXPOSURE_VERSION, synchronous="NORMAL")
        except BaseException:
            self._file_lock.release()
            raise
        self._readers = Readers(path)
        self._retention = round(retention_days * MICROS_PER_DAY)
        self._most_waiting = most_waiting
        self._clock = clock
        self._purge_due = 0
        self._waiting: dict[str, Exposure] = {}
        self._dropped = 0
        self._closing = self._failing = False
        self._changed = Condition()
        self._storing = Lock()
        self._thread = Thread(target=self._run, name="foretaste-exposures", daemon=True)
        self._thread.start()

    def record(self, exposure: Exposure) -> None:
        """Take one record."""
        with self._changed:
            if self._closing:
                self._dropped += 1
                return
            self._waiting.pop(exposure.recommendation_id, None)
            if len(self._waiting) >= self._most_waiting:
                del self._waiting[next(iter(self._waiting))]
                self._dropped += 1
            self._waiting[exposure.recommendation_id] = exposure
            if len(self._waiting) in {1, BATCH}:
                self._changed.notify_all()

    def get(self, recommendation_id: str) -> Exposure | None:
        """Return a record, waiting ones included, or None."""
        with self._changed:
            waiting = self._waiting.get(recommendation_id)
        if waiting is not None:
            return waiting
        with self._readers.lend() as connection:
            row = connection.execute(GET, (recommendation_id,)).fetchone()
        return decoded(row[0]) if row else None

    def read(self) -> Iterator[Exposure]:
        """Yield all stored records, those of earlier times first."""
        with self._readers.lend() as connection:
            for (record,) in connection.execute(READ):
                yield decoded(record)

    def flush(self) -> None:
        """Write what waits; return when it is stored. Raises `NotDurableError` if it cannot be."""
        try:
            self._store()
        except sqlite3.Error as error:
            raise NotDurableError(f"exposures could not be written ({error}); free disk space") from error

    def dropped(self) -> int:
        """Return how many records were dropped so far."""
        return self._dropped

    def close(self) -> None:
        """Flush, then release everything. Closing twice is fine; what cannot be written is dropped."""
        with self._changed:
            if self._closing:
                return
            self._closing = True
            self._changed.notify_all()
        self._thread.join()
        self._readers.close()
        self._connection.close()
        self._file_lock.release()

    def _run(self) -> None:
        while not self._closing:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._waiting) or self._closing)
                self._changed.wait_for(self._urgent, PAUSE_SECONDS)
            self._failing = not self._stored()
        if not self._stored():
            self._dropped += len(self._waiting)

    def _urgent(self) -> bool:
        """Whether to write before the pause is over; not while the disk refuses."""
        return self._closing or (len(self._waiting) >= BATCH and not self._failing)

    def _stored(self) -> bool:
        try:
            self._store()
        except sqlite3.Error as error:
            _log.warning("%d exposures wait, they could not be written: %s", len(self._waiting), error)
            return False
        return True

    def _store(self) -> None:
        """Write what waits now in one transaction; afterwards it waits no more."""
        with self._storing:
            with self._changed:
                batch = dict(self._waiting)
            rows = [row for exposure in batch.values() if (row := _row(exposure))]
            self._dropped += len(batch) - len(rows)
            now = self._clock()
            with self._connection:  # commits, or rolls back
                self._connection.execute("BEGIN IMMEDIATE")
                self._connection.executemany(PUT, rows)
                if now >= self._purge_due:
                    self._connection.execute(PURGE, (now - self._retention,))
                    self._purge_due = now + MICROS_BETWEEN_PURGES
            with self._changed:
                for key, exposure in batch.items():
                    if self._waiting.get(key) is exposure:
                        del self._waiting[key]


def _row(exposure: Exposure) -> tuple[str, int, bytes] | None:
    """Return a record as it is stored, None where it holds text that is no Unicode."""
    try:
        exposure.recommendation_id.encode()
        return exposure.recommendation_id, exposure.time, _encode(exposure)
    except UnicodeEncodeError:
        return None

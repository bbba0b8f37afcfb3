"""Exposures in PostgreSQL, in partitions by day, written by a thread in batches."""

import logging
from collections.abc import Iterator
from threading import Condition, Lock, Thread

import msgspec

from foretaste.adapters.memory.exposure_log import MemoryExposureLog
from foretaste.adapters.postgres.database import READ_SECONDS, PostgresDatabase
from foretaste.adapters.postgres.text import escaped
from foretaste.domain.clock import MICROS_PER_DAY, Clock, system_clock
from foretaste.domain.errors import ForetasteError
from foretaste.domain.slate import Exposure

RETENTION_DAYS = 90.0
MOST_WAITING = 20_000
BATCH = 1_000
PAUSE_SECONDS = 0.5
STORE_SECONDS = 5.0
"""How long storing one batch may take before it waits for the next time."""
CHUNK = 5_000

PUT = "SELECT keep_exposures(%s::text[], %s::bigint[], %s::bytea[], %s)"
GET = "SELECT record FROM exposure WHERE recommendation_id = %s ORDER BY time DESC LIMIT 1"
READ = """SELECT time, recommendation_id, record FROM exposure
WHERE (time, recommendation_id) > (%s, %s) ORDER BY time, recommendation_id LIMIT %s"""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Exposure).decode
_log = logging.getLogger(__name__)


class PostgresExposureLog:
    """`ExposureLog` in `database`, which whoever opened it closes.

    Records wait in memory, at most `most_waiting`, and are written every half second or by the thousand:
    `kill -9` loses what waited, which no answer depends on. While the database is away they go on waiting.
    Records older than `retention_days` are not stored, and removed with the next write, a day at a time.
    """

    def __init__(
        self,
        database: PostgresDatabase,
        *,
        retention_days: float = RETENTION_DAYS,
        most_waiting: int = MOST_WAITING,
        clock: Clock = system_clock,
    ) -> None:
        self._database = database
        self._retention = round(retention_days * MICROS_PER_DAY)
        self._most_waiting = most_waiting
        self._clock = clock
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
        return found_exposure(self._database, recommendation_id)

    def read(self) -> Iterator[Exposure]:
        """Yield all stored records, those of earlier times first."""
        return stored_exposures(self._database)

    def flush(self) -> None:
        """Write what waits; return when it is stored. Raises `UnavailableError` if it cannot be."""
        self._store()

    def dropped(self) -> int:
        """Return how many records were dropped so far."""
        return self._dropped

    def close(self) -> None:
        """Flush, then stop. Closing twice is fine; what cannot be written is dropped."""
        with self._changed:
            if self._closing:
                return
            self._closing = True
            self._changed.notify_all()
        self._thread.join()

    def _run(self) -> None:
        while not self._closing:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._waiting) or self._closing)
                self._changed.wait_for(self._urgent, PAUSE_SECONDS)
            self._failing = not self._stored()
        if not self._stored():
            self._dropped += len(self._waiting)

    def _urgent(self) -> bool:
        """Whether to write before the pause is over; not while the database refuses."""
        return self._closing or (len(self._waiting) >= BATCH and not self._failing)

    def _stored(self) -> bool:
        try:
            self._store()
        except ForetasteError as error:
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
            ids, times, records = (
                [list(column) for column in zip(*rows, strict=True)] if rows else [[], [], []]
            )
            arguments = (ids, times, records, self._clock() - self._retention)
            self._database.run(lambda lent: lent.execute(PUT, arguments), seconds=STORE_SECONDS)
            with self._changed:
                for key, exposure in batch.items():
                    if self._waiting.get(key) is exposure:
                        del self._waiting[key]


class ReadExposures(MemoryExposureLog):
    """The exposures of `database` for reading: what is recorded here ends with the process."""

    def __init__(self, database: PostgresDatabase) -> None:
        super().__init__()
        self._database = database

    def get(self, recommendation_id: str) -> Exposure | None:
        """Return a record, of this process or of the database, or None."""
        return super().get(recommendation_id) or found_exposure(self._database, recommendation_id)

    def read(self) -> Iterator[Exposure]:
        """Yield all records of the database, those of earlier times first."""
        return stored_exposures(self._database)


def found_exposure(database: PostgresDatabase, recommendation_id: str) -> Exposure | None:
    """Return a stored record, or None."""
    asked = (escaped(recommendation_id),)
    row = database.run(lambda connection: connection.execute(GET, asked, binary=True).fetchone())
    return _decode(row[0]) if row else None


def stored_exposures(database: PostgresDatabase) -> Iterator[Exposure]:
    """Yield all stored records, those of earlier times first."""
    after = (-(2**63), "")
    while True:
        rows = _chunk(database, after)
        for _, _, record in rows:
            yield _decode(record)
        if len(rows) < CHUNK:
            return
        after = rows[-1][:2]


def _chunk(database: PostgresDatabase, after: tuple[int, str]) -> list[tuple[int, str, bytes]]:
    asked = (*after, CHUNK)
    return database.run(lambda lent: lent.execute(READ, asked, binary=True).fetchall(), seconds=READ_SECONDS)


def _row(exposure: Exposure) -> tuple[str, int, bytes] | None:
    """Return a record as it is stored, None where it holds text that is no Unicode."""
    try:
        exposure.recommendation_id.encode()
        return escaped(exposure.recommendation_id), exposure.time, _encode(exposure)
    except UnicodeEncodeError:
        return None

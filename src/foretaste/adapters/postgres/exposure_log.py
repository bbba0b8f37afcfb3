"""Exposures in PostgreSQL, in partitions by day, written by a thread in batches."""

from collections.abc import Iterator, Sequence

import msgspec

from foretaste.adapters.batched_exposures import MOST_WAITING, BatchedExposures, Row
from foretaste.adapters.memory.exposure_log import MemoryExposureLog
from foretaste.adapters.postgres.database import READ_SECONDS, PostgresDatabase
from foretaste.adapters.postgres.text import escaped
from foretaste.domain.clock import MICROS_PER_DAY, Clock, system_clock
from foretaste.domain.errors import ForetasteError
from foretaste.domain.slate import Exposure

RETENTION_DAYS = 90.0
STORE_SECONDS = 5.0
"""How long storing one batch may take before it waits for the next time."""
CHUNK = 5_000

PUT = "SELECT keep_exposures(%s::text[], %s::bigint[], %s::bytea[], %s)"
GET = "SELECT record FROM exposure WHERE recommendation_id = %s ORDER BY time DESC LIMIT 1"
READ = """SELECT time, recommendation_id, record FROM exposure
WHERE (time, recommendation_id) > (%s, %s) AND time < %s ORDER BY time, recommendation_id LIMIT %s"""
NEWEST = "SELECT record FROM exposure ORDER BY time DESC, recommendation_id DESC LIMIT %s"

_decode = msgspec.json.Decoder(Exposure).decode


class PostgresExposureLog(BatchedExposures):
    """`ExposureLog` in `database`, which whoever opened it closes.

    Records older than `retention_days` are not stored, and removed with the next write, or without one
    within the hour, a day at a time.
    """

    refusal = ForetasteError

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
        self._clock = clock
        super().__init__(most_waiting)

    def read(self, newest: int | None = None) -> Iterator[Exposure]:
        """Yield all stored records, or so many of the latest, those of earlier times first."""
        return stored_exposures(self._database, newest)

    def between(self, since: int, before: int) -> Iterator[Exposure]:
        """Yield the stored records from `since` on to before `before`, those of earlier times first."""
        return exposures_between(self._database, since, before)

    def _put(self, rows: Sequence[Row]) -> None:
        ids = [escaped(recommendation_id) for recommendation_id, _, _ in rows]
        arguments = (
            ids,
            [time for _, time, _ in rows],
            [record for _, _, record in rows],
            self._clock() - self._retention,
        )
        self._database.run(lambda lent: lent.execute(PUT, arguments), seconds=STORE_SECONDS)

    def _found(self, recommendation_id: str) -> Exposure | None:
        return found_exposure(self._database, recommendation_id)

    def _release(self) -> None:
        """Keep the database: whoever opened it closes it."""


class ReadExposures(MemoryExposureLog):
    """The exposures of `database` for reading: what is recorded here ends with the process."""

    def __init__(self, database: PostgresDatabase) -> None:
        super().__init__()
        self._database = database

    def get(self, recommendation_id: str) -> Exposure | None:
        """Return a record, of this process or of the database, or None."""
        return super().get(recommendation_id) or found_exposure(self._database, recommendation_id)

    def read(self, newest: int | None = None) -> Iterator[Exposure]:
        """Yield all records of the database, or so many of the latest, those of earlier times first."""
        return stored_exposures(self._database, newest)

    def between(self, since: int, before: int) -> Iterator[Exposure]:
        """Yield the database's records from `since` on to before `before`, those of earlier times first."""
        return exposures_between(self._database, since, before)


def found_exposure(database: PostgresDatabase, recommendation_id: str) -> Exposure | None:
    """Return a stored record, or None."""
    asked = (escaped(recommendation_id),)
    row = database.run(lambda connection: connection.execute(GET, asked, binary=True).fetchone())
    return _decode(row[0]) if row else None


def stored_exposures(database: PostgresDatabase, newest: int | None = None) -> Iterator[Exposure]:
    """Yield all stored records, or so many of the latest, those of earlier times first."""
    if newest is not None:
        rows = database.run(
            lambda lent: lent.execute(NEWEST, (newest,), binary=True).fetchall(), seconds=READ_SECONDS
        )
        yield from (_decode(record) for (record,) in reversed(rows))
        return
    yield from exposures_between(database, -(2**63), 2**63 - 1)


def exposures_between(database: PostgresDatabase, since: int, before: int) -> Iterator[Exposure]:
    """Yield the stored records from `since` on to before `before`, those of earlier times first."""
    after = (since, "")
    while True:
        rows = _chunk(database, after, before)
        for _, _, record in rows:
            yield _decode(record)
        if len(rows) < CHUNK:
            return
        after = rows[-1][:2]


def _chunk(database: PostgresDatabase, after: tuple[int, str], before: int) -> list[tuple[int, str, bytes]]:
    asked = (*after, before, CHUNK)
    return database.run(lambda lent: lent.execute(READ, asked, binary=True).fetchall(), seconds=READ_SECONDS)

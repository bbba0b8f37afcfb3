"""Exposures in memory."""

from collections.abc import Iterator
from threading import Lock

from foretaste.domain.clock import MICROS_PER_DAY, Clock
from foretaste.domain.slate import Exposure


class MemoryExposureLog:
    """`ExposureLog` that ends with the process and keeps the latest `most` records.

    Records older than `retention_days`, measured at `flush` by `clock` (microseconds UTC), are removed;
    without a clock, against the latest record.
    """

    def __init__(
        self,
        *,
        most: int = 100_000,
        retention_days: float = 90.0,
        clock: Clock | None = None,
    ) -> None:
        self._most = most
        self._retention = round(retention_days * MICROS_PER_DAY)
        self._clock = clock
        self._lock = Lock()
        self._records: dict[str, Exposure] = {}
        self._dropped = 0

    def record(self, exposure: Exposure) -> None:
        """Take one record."""
        with self._lock:
            self._records.pop(exposure.recommendation_id, None)
            if len(self._records) >= self._most:
                del self._records[next(iter(self._records))]
                self._dropped += 1
            self._records[exposure.recommendation_id] = exposure

    def get(self, recommendation_id: str) -> Exposure | None:
        """Return a record or None."""
        with self._lock:
            return self._records.get(recommendation_id)

    def read(self, newest: int | None = None) -> Iterator[Exposure]:
        """Yield all records, or so many of the latest, those of earlier times first."""
        records = self._in_order()
        yield from records if newest is None else records[len(records) - min(newest, len(records)) :]

    def between(self, since: int, before: int) -> Iterator[Exposure]:
        """Yield the records from `since` on to before `before`, those of earlier times first."""
        yield from (record for record in self._in_order() if since <= record.time < before)

    def _in_order(self) -> list[Exposure]:
        with self._lock:
            records = list(self._records.values())
        return sorted(records, key=lambda record: (record.time, record.recommendation_id))

    def flush(self) -> None:
        """Remove what is too old."""
        with self._lock:
            latest = max((record.time for record in self._records.values()), default=0)
            oldest = (self._clock() if self._clock else latest) - self._retention
            self._records = {key: record for key, record in self._records.items() if record.time >= oldest}

    def dropped(self) -> int:
        """Return how many records were dropped so far."""
        return self._dropped

    def close(self) -> None:
        """Nothing is held but memory."""

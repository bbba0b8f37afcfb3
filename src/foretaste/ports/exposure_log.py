"""Exposures: what was shown, to whom, with which odds."""

from collections.abc import Iterator
from typing import Protocol

from foretaste.domain.slate import Exposure


class ExposureLog(Protocol):
    """One record per slate, in a stream of its own, written in batches.

    Promises (`foretaste.testing.contracts.exposure_log`):

    - `record` never waits for storage and never raises: past its bound the oldest waiting records are
      dropped and counted.
    - After `flush`, what was recorded and not dropped is found by `get`, also by another process.
    - Records older than the retention are removed.
    """

    def record(self, exposure: Exposure) -> None:
        """Take one record."""
        ...

    def get(self, recommendation_id: str) -> Exposure | None:
        """Return a record, waiting ones included, or None."""
        ...

    def read(self, newest: int | None = None) -> Iterator[Exposure]:
        """Yield all stored records, or so many of the latest, those of earlier times first.

        `flush` stores the waiting ones.
        """
        ...

    def between(self, since: int, before: int) -> Iterator[Exposure]:
        """Yield the stored records from `since` on to before `before` (microseconds UTC), as `read`."""
        ...

    def flush(self) -> None:
        """Write what waits; return when it is stored."""
        ...

    def dropped(self) -> int:
        """Return how many records were dropped so far."""
        ...

    def close(self) -> None:
        """Flush, then release everything."""
        ...

"""The event archive in memory."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from threading import Lock

from foretaste.domain.arrays import MICROS_PER_SECOND
from foretaste.domain.clock import Clock, system_clock
from foretaste.domain.errors import NotFoundError
from foretaste.ports.event_archive import ArchiveVersion, AsOf, Numbered


class MemoryEventArchive:
    """`EventArchive` that ends with the process. A version is how many events there were."""

    def __init__(self, clock: Clock = system_clock) -> None:
        self._clock = clock
        self._appending = Lock()
        self._events: list[Numbered] = []
        self._sizes = [0]
        self._versions = [ArchiveVersion(number=0, time=clock(), change="create table")]
        self._kept = 0

    def last_seq(self) -> int:
        """Return the number of the last event archived, 0 for none."""
        return self._events[-1][0] if self._events else 0

    def append(self, after: int, events: Sequence[Numbered]) -> bool:
        """Take the events that follow number `after`; return False, nothing taken, if it is not the last."""
        with self._appending:
            if self.last_seq() != after:
                return False
            self._events.extend(events)
            self._sizes.append(len(self._events))
            number = len(self._versions)
            self._versions.append(ArchiveVersion(number=number, time=self._clock(), change="write"))
            return True

    def read(self, after: int, limit: int, *, as_of: AsOf | None = None) -> list[Numbered]:
        """Return up to `limit` events above `after` in the order of the log, now or as of then."""
        present = self._events[: self._sizes[self._version(as_of)]]
        return [(seq, event) for seq, event in present if seq > after][:limit]

    def versions(self) -> list[ArchiveVersion]:
        """Return the versions, oldest first."""
        return list(self._versions)

    def compact(self, least: int = 2) -> int:
        """Do nothing: there is one piece."""
        del least
        return 0

    def prune(self, keep: timedelta) -> int:
        """Let go of the versions that were replaced before the last `keep`; return how many."""
        oldest = self._clock() - keep / timedelta(microseconds=1)
        replaced = [version.number for version in self._versions[1:] if version.time <= oldest]
        before, self._kept = self._kept, max(replaced, default=self._kept)
        return self._kept - before

    def _version(self, as_of: AsOf | None) -> int:
        """Return the number of a version. Raises `NotFoundError`."""
        if as_of is None:
            return len(self._sizes) - 1
        if isinstance(as_of, datetime):
            moment = as_of.timestamp() * MICROS_PER_SECOND
            as_of = max((version.number for version in self._versions if version.time <= moment), default=-1)
        if not self._kept <= as_of < len(self._sizes):
            raise NotFoundError(
                f"there is no version {as_of}; there are {self._kept} to {len(self._sizes) - 1}",
                field="as_of",
            )
        return as_of

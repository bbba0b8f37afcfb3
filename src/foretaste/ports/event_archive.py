"""The event archive: every event of a log for training and analysis, by day, long after the log moved on."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

import msgspec

from foretaste.domain.event import Event

AsOf = int | datetime
"""A moment of an archive: the number of a version, or the time (aware) at which it was the newest."""

Numbered = tuple[int, Event]
"""An event with its sequence number in the log."""


class ArchiveVersion(msgspec.Struct, frozen=True, kw_only=True):
    """One version of an archive: its `number`, when it was written (microseconds UTC), and by what."""

    number: int
    time: int
    change: str


class EventTail(Protocol):
    """What an archive is fed from: the part of `EventLog` that reads on from a number."""

    def events(self, after: int, limit: int) -> list[Numbered]:
        """Return up to `limit` events above `after`, whole, with their numbers."""
        ...

    def last_seq(self) -> int:
        """Return the sequence number of the last event, 0 for an empty log."""
        ...


class EventArchive(Protocol):
    """Every event of one log, each once.

    Promises (`foretaste.testing.contracts.event_archive`):

    - **Once.** `append` writes all of its events or none, and only where they follow the last event of the
      archive. So retries, crashes and several archivers at a time neither lose nor double an event.
    - **Whole.** An event comes back as it was, with its number.
    - **Kept.** What `append` wrote survives `kill -9`.
    - **History.** A past version is read as it was, until `prune` lets go of it.
    """

    def last_seq(self) -> int:
        """Return the number of the last event archived, 0 for none."""
        ...

    def append(self, after: int, events: Sequence[Numbered]) -> bool:
        """Write the events that follow number `after`; return False, nothing written, if it is not the last.

        `events` rise in number and are not empty. Raises `UnavailableError` where it cannot be written now.
        """
        ...

    def read(self, after: int, limit: int, *, as_of: AsOf | None = None) -> list[Numbered]:
        """Return up to `limit` events above `after` in the order of the log, now or as of then.

        Raises `NotFoundError` for a version that there never was or that is pruned.
        """
        ...

    def versions(self) -> list[ArchiveVersion]:
        """Return the versions there are records of, oldest first."""
        ...

    def compact(self, least: int = 2) -> int:
        """Join the pieces of days that are in `least` small ones or more; return how many were replaced.

        No event changes. Any number of processes may do it, while others append.
        """
        ...

    def prune(self, keep: timedelta) -> int:
        """Remove pieces that no version of the last `keep` needs; return how many.

        Pieces that an archiver is writing count too: `keep` is to be longer than one `append` takes.
        """
        ...

"""From the log to the archive: every event, once, in pieces worth a file."""

import time
from collections.abc import Callable
from datetime import timedelta

from foretaste.app.stopping import Stopped, never
from foretaste.domain.errors import CorruptDataError
from foretaste.ports.event_archive import EventArchive, EventTail

BATCH = 100_000
PATIENCE = 60.0
COMPACT_AFTER = 50
COMPACT_LEAST = 10
"""How many small pieces a day has at least that is joined in passing."""


class ArchiveTask:
    """Brings what is new in a log into its archive, again and again: a task for a worker.

    Small files make a table slow. So `run_once` waits until `batch` events wait, or some wait for `patience`
    seconds, and after `compact_after` pieces it joins the small ones; meanwhile it does not ask the archive.
    Any number of tasks in any number of processes may serve one archive: one of them writes an event.
    """

    def __init__(
        self,
        log: EventTail,
        archive: EventArchive,
        *,
        batch: int = BATCH,
        patience: float = PATIENCE,
        compact_after: int = COMPACT_AFTER,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._log = log
        self._archive = archive
        self._batch = batch
        self._patience = patience
        self._compact_after = compact_after
        self._clock = clock
        self._pieces = 0
        self._waiting_since: float | None = None
        self._checked = False
        self._reached: int | None = None

    def run_once(self, stopped: Stopped = never) -> int:
        """Archive what waits, if it is time; return how many events this call archived.

        Raises `CorruptDataError` where the archive is of another log, `UnavailableError` where the archive or
        the log cannot be reached: nothing is lost then, the next call goes on from the same place.
        """
        waiting = self.waiting()
        if waiting <= 0:
            self._waiting_since = None
            return 0
        if self._waiting_since is None:
            self._waiting_since = self._clock()
        if waiting < self._batch and self._clock() - self._waiting_since < self._patience:
            return 0
        return self.flush(stopped)

    def flush(self, stopped: Stopped = never) -> int:
        """Archive all that waits at this moment, or until `stopped`; return how many events."""
        self._check()
        done, end = 0, self._log.last_seq()
        while not stopped() and (after := self._look()) < end:
            events = self._log.events(after, self._batch)
            if not events:
                break
            if self._archive.append(after, events):
                done += len(events)
                self._pieces += 1
            if self._pieces >= self._compact_after:
                self.compact(least=COMPACT_LEAST)
        self._waiting_since = None
        return done

    def compact(self, least: int = 2) -> int:
        """Join the pieces of days in `least` small ones or more; return how many were replaced."""
        self._pieces = 0
        return self._archive.compact(least)

    def prune(self, keep: timedelta) -> int:
        """Remove what no version of the last `keep` needs; return how many pieces."""
        return self._archive.prune(keep)

    def waiting(self) -> int:
        """Return how many sequence numbers the archive was behind when this task looked last, or more."""
        reached = self._look() if self._reached is None else self._reached
        return self._log.last_seq() - reached

    def lag(self) -> tuple[int, float]:
        """Return how many events this task knows to wait, and for how many seconds some do; asks nobody."""
        waiting = self._log.last_seq() - (self._reached or 0)
        since = self._waiting_since
        if waiting <= 0 or since is None:
            return max(waiting, 0), 0.0
        return waiting, self._clock() - since

    def _look(self) -> int:
        """Ask the archive for its last number."""
        self._reached = self._archive.last_seq()
        return self._reached

    def _check(self) -> None:
        """Raise `CorruptDataError` unless the archive's last event is the log's event of that number."""
        last = self._archive.last_seq()
        if self._checked or last == 0:
            return
        known, archived = self._log.events(last - 1, 1), self._archive.read(last - 1, 1)
        if self._log.last_seq() < last or (known and archived and known[0] != archived[0]):
            raise CorruptDataError(
                f"the archive's event {last} is not the log's: it is the archive of another log, or the log "
                "was replaced. Archive to a new place",
                field="archive",
            )
        self._checked = True

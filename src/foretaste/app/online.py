"""An online store beside the log: how far people are, without asking the log's database for every answer.

The store tells a person's head while it is trusted (`serving.trust`). The versions of catalog and people
are held under a lease of their own: a process that has seen them within `LEASE_SECONDS` answers by what it
saw, and whoever changes them waits, before it says so, until every process has seen it or holds no lease.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from threading import Event, Thread

from foretaste.domain.errors import UnavailableError
from foretaste.ports.freshness import Freshness, Head, PeopleChange
from foretaste.ports.online_store import OnlineStore
from foretaste.serving.people_online import LivePeople
from foretaste.serving.trust import LEASE_SECONDS, PATIENCE_SECONDS, POLL_SECONDS, TrustWatch


class VersionLease:
    """What the versions of catalog and people were, as long as that may be answered by."""

    def __init__(self, freshness: Freshness, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._freshness = freshness
        self._clock = clock
        self._seen: tuple[float, Head] | None = None
        self._stop = Event()
        self._thread = Thread(target=self._run, name="foretaste-versions", daemon=True)

    def look(self) -> None:
        """Ask for the versions, which renews the lease; raise `UnavailableError` where that cannot be."""
        asked = self._clock()
        self._seen = (asked, self._freshness.head_of(None))

    def held(self) -> Head | None:
        """Return the versions (for nobody), None where they were not seen lately enough."""
        seen = self._seen
        return seen[1] if seen is not None and self._clock() < seen[0] + LEASE_SECONDS else None

    def start(self) -> None:
        """Begin to look every `POLL_SECONDS`, in the background."""
        self._thread.start()

    def close(self) -> None:
        """Look no more."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            started = self._clock()
            with suppress(UnavailableError):  # the lease runs out by itself
                self.look()
            self._stop.wait(max(0.0, started + POLL_SECONDS - self._clock()))


class OnlineFreshness:
    """`Freshness` that asks the online store for heads, the log's database where that is not believed."""

    def __init__(
        self,
        truth: Freshness,
        people: LivePeople,
        versions: VersionLease,
        watch: TrustWatch,
        store: OnlineStore,
        *,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._truth = truth
        self._people = people
        self._versions = versions
        self._watch = watch
        self._store = store
        self._wait = wait

    def head_of(self, user_id: str | None) -> Head:
        """Return how far the truth is; the number is 0 for nobody and for one who has no event."""
        versions = self._versions.held()
        if versions is None:
            return self._truth.head_of(user_id)
        if user_id is None:
            return versions
        return Head(
            user_seq=self._people.standing(user_id).head,
            catalog_version=versions.catalog_version,
            people_version=versions.people_version,
        )

    def catch_up(self, seq: int) -> None:
        """Follow the log up to number `seq` at least."""
        self._truth.catch_up(seq)

    def people_after(self, version: int) -> PeopleChange:
        """Return what was told of people after `version`."""
        return self._truth.people_after(version)

    def settle(self) -> None:
        """Return when every process has seen the last change of catalog and people, or will ask for it."""
        self._wait(PATIENCE_SECONDS)

    def lag_seconds(self) -> float:
        """Return for how long the end of the log has not been seen."""
        return self._truth.lag_seconds()

    def close(self) -> None:
        """Follow no more."""
        self._watch.close()
        self._versions.close()
        self._store.close()
        self._truth.close()

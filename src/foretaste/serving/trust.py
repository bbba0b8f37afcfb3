"""Whether the online store may be believed: leases for readers, the rule of acknowledgement for writers."""

import logging
import math
import time
from collections.abc import Callable
from threading import Event, Lock, Thread

import msgspec

from foretaste.domain.errors import UnavailableError
from foretaste.ports.online_store import OnlineStore
from foretaste.ports.telemetry import Telemetry
from foretaste.ports.trust import Trust, TrustRecord

POLL_SECONDS = 0.2
LEASE_SECONDS = 0.5
"""How long a replica believes what it read of the trust record, counted from before it asked."""
PATIENCE_SECONDS = 0.55
"""How long after trust was withdrawn nobody believes: the lease, and a tenth for clocks that run apart."""
NO_PRIMARY = "it is no primary, or slots of its cluster have none; name the primary"
_SOON_SECONDS, _LONGEST_CALM = 60.0, 32.0
_log = logging.getLogger(__name__)


class Belief(msgspec.Struct, frozen=True, kw_only=True):
    """What a replica believes: records of this epoch, read from this incarnation of the server."""

    epoch: int
    incarnation: str


class TrustKeeper:
    """One process's view of the trust record.

    Why no believed record lacks an acknowledged event. A writer acknowledges (returns from `settle`) in one
    of three ways after the event is in the log. (1) The event is in the store of incarnation I, and the
    writer holds a lease that says I is trusted: whoever believes the same epoch reads from I and finds it.
    A later trusted epoch begins only `PATIENCE_SECONDS` after this one ended, so after the lease ran out,
    so after the event was in the log; its records are confirmed by heads read later still. (2) The record,
    read after the event was in the log, says that I is trusted: the same holds. (3) The record is
    untrusted, by the writer's doing or another's, and `PATIENCE_SECONDS` have passed since the writer knew:
    all leases of earlier epochs have run out, and records of later ones are confirmed by heads read after.

    `clock` and `wait` count seconds. Any number of threads may ask.
    """

    def __init__(
        self,
        record: TrustRecord,
        telemetry: Telemetry,
        *,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._record = record
        self._telemetry = telemetry
        self._clock = clock
        self._wait = wait
        self._lock = Lock()
        self._trust: Trust | None = None
        self._started = 0.0  # when that was asked for, the last time
        self._since = 0.0  # since when it is known to be untrusted
        self._restored = -math.inf
        self._calm = 0.0

    def poll(self) -> Trust:
        """Read the record, which renews the lease; raise `UnavailableError` where it cannot be read."""
        started = self._clock()
        return self._noted(self._record.read(), started)

    def belief(self) -> Belief | None:
        """Return what may be believed now, None for nothing."""
        with self._lock:
            trust, started = self._trust, self._started
        if trust is None or not trust.trusted or self._clock() >= started + LEASE_SECONDS:
            return None
        return Belief(epoch=trust.epoch, incarnation=trust.incarnation)

    def settle(self, incarnation: str | None) -> None:
        """Return when events that are in the log may be acknowledged, by the rule above.

        `incarnation` is that of the server which has them all, None where that is not known. Raises
        `UnavailableError` where the record cannot be read: then they may not be.
        """
        if incarnation:
            belief = self.belief()
            if belief is not None and belief.incarnation == incarnation:
                return
        trust = self.poll()
        if trust.trusted and trust.incarnation == incarnation:
            return
        while trust.trusted:
            started = self._clock()
            trust = self._noted(self._record.distrust(trust.epoch), started)
            self._telemetry.count("online_store_distrusted_total")
        with self._lock:
            left = self._since + PATIENCE_SECONDS - self._clock()
        if left > 0.0:
            self._wait(left)

    def mend(self, incarnation: str) -> None:
        """Bring trust in line with a store that answers as `incarnation`, after `poll`.

        A server other than the trusted one is distrusted at once. An untrusted one is trusted after
        `PATIENCE_SECONDS`, and after a calm that doubles each time trust had to be restored within a minute.
        """
        started = self._clock()
        with self._lock:
            trust, since, calm = self._trust, self._since, self._calm
        if trust is None or not incarnation:
            return
        if trust.trusted:
            if trust.incarnation != incarnation:
                self._noted(self._record.distrust(trust.epoch), started)
                self._telemetry.count("online_store_distrusted_total")
        elif started >= since + PATIENCE_SECONDS + calm:
            restored = self._noted(self._record.restore(trust.epoch, incarnation), started)
            _log.info("the online store is trusted from epoch %s on", restored.epoch)

    def _noted(self, trust: Trust, started: float) -> Trust:
        """Take what the record said when asked at `started`; what is older than what is known is left."""
        now = self._clock()
        with self._lock:
            if self._trust is None or trust.epoch > self._trust.epoch:
                self._enter(trust, now)
                self._started = started
            elif trust.epoch == self._trust.epoch:
                self._started = max(started, self._started)
            trusted = self._trust is not None and self._trust.trusted
        self._telemetry.gauge("online_store_trusted", float(trusted))
        return trust

    def _enter(self, trust: Trust, now: float) -> None:
        if trust.trusted:
            lasting = now - self._restored >= _SOON_SECONDS
            self._calm = 0.0 if lasting else min(max(1.0, 2.0 * self._calm), _LONGEST_CALM)
            self._restored = now
        else:
            self._since = now
        self._trust = trust


class TrustWatch:
    """A thread that polls the trust record and asks the store who it is, every `POLL_SECONDS`."""

    def __init__(self, keeper: TrustKeeper, store: OnlineStore) -> None:
        self.trouble = ""
        """What kept the store from being believed when it was asked last, empty where nothing did."""
        self._keeper = keeper
        self._store = store
        self._stop = Event()
        self._thread = Thread(target=self._run, name="foretaste-trust", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """End, and wait for it."""
        self._stop.set()
        self._thread.join()

    def look(self) -> None:
        """Poll once and mend what can be mended; what does not answer is asked again the next time."""
        try:
            self._keeper.poll()
            self._keeper.mend(self._known())
        except UnavailableError as error:
            _log.debug("trust in the online store stays as it is: %s", error.message)

    def _known(self) -> str:
        """Return who the store says that it is; keep what is wrong where it does not."""
        try:
            incarnation = self._store.get(()).incarnation
        except UnavailableError as error:
            self.trouble = error.message
            raise
        self.trouble = "" if incarnation else NO_PRIMARY
        return incarnation

    def _run(self) -> None:
        while not self._stop.is_set():
            started = time.monotonic()
            self.look()
            self._stop.wait(max(0.0, started + POLL_SECONDS - time.monotonic()))

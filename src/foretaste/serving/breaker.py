"""A circuit breaker: what keeps failing is left alone for a while, then tried by one caller."""

from collections.abc import Callable
from threading import Lock
from typing import Literal, TypeVar

from foretaste.domain.errors import UnavailableError

BreakerState = Literal["closed", "open", "half-open"]
Ticket = int
"""A permission to call, valid for one stretch of one state."""

T = TypeVar("T")


class Breaker:
    """Says whether to call something that may be away; times are seconds of any clock that does not go back.

    Closed, all may call; after `failures` failures in a row it opens. Open, nobody may, for a pause that
    begins at `first_seconds` and doubles up to `longest_seconds` each time a probe fails; each pause is
    drawn between half and all of that by `random` (0 to 1), so that many callers elsewhere do not come back
    at one moment. After the pause it is half-open: one caller alone may probe, and what comes of it closes
    or opens it again. A probe that never ends is given up after `probe_seconds`. What callers of an earlier
    stretch report does not count.
    """

    def __init__(
        self,
        *,
        random: Callable[[], float],
        failures: int = 5,
        first_seconds: float = 0.5,
        longest_seconds: float = 30.0,
        probe_seconds: float = 10.0,
    ) -> None:
        self._random = random
        self._most_failures = failures
        self._first = first_seconds
        self._longest = longest_seconds
        self._probe_seconds = probe_seconds
        self._lock = Lock()
        self._state: BreakerState = "closed"
        self._stretch: Ticket = 0
        self._failed = 0
        self._pause = first_seconds
        self._until = 0.0

    @property
    def state(self) -> BreakerState:
        """The state as it was left; after the pause of an open one the next `begin` makes it half-open."""
        return self._state

    def begin(self, now: float) -> Ticket | None:
        """Return a ticket for a call, None where it must not be made; hand the ticket to `end`."""
        with self._lock:
            if self._state != "closed":
                if now < self._until:
                    return None
                self._enter("half-open", until=now + self._probe_seconds)
            return self._stretch

    def end(self, ticket: Ticket, now: float, *, ok: bool) -> None:
        """Report how a call ended."""
        with self._lock:
            if ticket != self._stretch or self._state == "open":
                return
            if ok:
                self._succeed()
            elif self._state == "half-open":
                self._pause = min(2.0 * self._pause, self._longest)
                self._open(now)
            else:
                self._failed += 1
                if self._failed >= self._most_failures:
                    self._open(now)

    def _succeed(self) -> None:
        self._failed = 0
        if self._state == "half-open":
            self._pause = self._first
            self._enter("closed", until=0.0)

    def _open(self, now: float) -> None:
        self._failed = 0
        self._enter("open", until=now + self._pause * (0.5 + 0.5 * self._random()))

    def _enter(self, state: BreakerState, *, until: float) -> None:
        self._state, self._until = state, until
        self._stretch += 1


def asked(
    breaker: Breaker,
    call: Callable[[], T],
    *,
    clock: Callable[[], float],
    failed: Callable[[UnavailableError], None],
) -> T | None:
    """Return what `call` gives; None where it is left alone, or fails: `failed` is told the error."""
    ticket = breaker.begin(clock())
    if ticket is None:
        return None
    ok = False
    try:
        found = call()
        ok = True
    except UnavailableError as error:
        failed(error)
        return None
    finally:
        breaker.end(ticket, clock(), ok=ok)
    return found

"""Admission: how many requests may be under way, so that those let in are answered in time.

Beyond what a machine can do, each request let in only makes all others late. The limit on answers under way
follows how long requests wait before work on them begins: it grows by one for each round of requests that
waited little, and shrinks by a tenth, at most once per wait allowed, when one waited too long (additive
increase, multiplicative decrease: Chiu and Jain 1989, Analysis of the increase and decrease algorithms for
congestion avoidance in computer networks). Who is turned away learns it at once and can come back. Until the
limit has come down, nobody is let in behind those who wait half as long again as they should, and who waited
twice as long is turned away when it is their turn, unless only a few are under way.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from foretaste.ports.telemetry import Telemetry


class Priority(Enum):
    """What a request is for, the most important first."""

    HEALTH = "health"
    EVENTS = "events"
    ANSWERS = "answers"
    ADMIN = "admin"


@dataclass(frozen=True)
class AdmissionLimits:
    """`most` and `least` requests under way; `wait_seconds`: how long one may wait until it is begun.

    A `few` answers under way are no overload, however long they wait: it is the machine that is slow.
    """

    most: int = 256
    least: int = 64
    wait_seconds: float = 0.1
    few: int = 16


SHRINK = 0.9
LATE, TOO_LATE = 1.5, 2.0
"""How many times `wait_seconds` waited who lets nobody in behind them, and whoever never begins."""
AT_FIRST = 2
"""How many times the least may be under way before anything is known."""
_SHARING = frozenset({Priority.ANSWERS, Priority.ADMIN})
ADMIN_SHARE = 0.5
"""What is not for visitors gets in only while so much of the limit is free."""


class Admission:
    """Lets requests in, or not. Health always gets in; events are bounded by `most` of their own.

    Answers, and what administrators ask, share the limit that adapts. `clock` gives seconds. One thread
    enters and leaves; any may begin.
    """

    def __init__(
        self, limits: AdmissionLimits, telemetry: Telemetry, *, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self._limits = limits
        self._telemetry = telemetry
        self._clock = clock
        self._limit = float(min(AT_FIRST * limits.least, limits.most))
        self._events = self._answers = 0
        self._is_late = False
        """Whether the answer that began last had waited too long for others to be let in behind it."""
        self._shrunk_at = -limits.wait_seconds
        telemetry.gauge("requests_limit", self.limit)

    @property
    def limit(self) -> int:
        """How many answers may be under way now."""
        return int(self._limit)

    @property
    def under_way(self) -> int:
        """How many requests are."""
        return self._events + self._answers

    def enter(self, priority: Priority) -> bool:
        """Let a request in, which must `leave` again; return whether it may."""
        if priority is Priority.HEALTH:
            return True
        free = not self.is_full(priority)
        if priority is Priority.EVENTS:
            self._events += free
        else:
            self._answers += free
        if not free:
            self.refuse(priority)
        return free

    def is_full(self, priority: Priority) -> bool:
        """Whether a request would be turned away now."""
        if priority in _SHARING:
            share = ADMIN_SHARE if priority is Priority.ADMIN else 1.0
            return self._answers >= self._limit * share or (
                self._is_late and self._answers >= max(1, self._limits.few)
            )
        return priority is Priority.EVENTS and self._events >= self._limits.most

    def refuse(self, priority: Priority) -> None:
        """Count a request that was turned away."""
        self._telemetry.count("requests_refused_total", priority=priority.value)

    def leave(self, priority: Priority) -> None:
        """Take note that a request that was let in has its answer, or nobody waits for one any more."""
        if priority is Priority.EVENTS:
            self._events -= 1
        elif priority is not Priority.HEALTH:
            self._answers -= 1

    def begin(self, priority: Priority, waited: float) -> bool:
        """Take note of how many seconds a request waited until its turn; return whether it may begin.

        It was let in, and must `leave` either way.
        """
        if priority not in _SHARING:
            return True
        self._adapt(waited)
        self._is_late = waited > LATE * self._limits.wait_seconds
        in_time = waited <= TOO_LATE * self._limits.wait_seconds or self._answers <= self._limits.few
        if not in_time:
            self.refuse(priority)
        return in_time

    def _adapt(self, seconds: float) -> None:
        limits = self._limits
        if seconds <= limits.wait_seconds:
            if 2 * self._answers >= self._limit:
                self._grow()
            return
        now = self._clock()
        if now - self._shrunk_at >= limits.wait_seconds:
            self._shrunk_at = now
            self._limit = max(self._limit * SHRINK, float(min(limits.least, limits.most)))
            self._telemetry.gauge("requests_limit", self.limit)

    def _grow(self) -> None:
        before = self.limit
        self._limit = min(self._limit + 1.0 / self._limit, float(self._limits.most))
        if self.limit != before:
            self._telemetry.gauge("requests_limit", self.limit)

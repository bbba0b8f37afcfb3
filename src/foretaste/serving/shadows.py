"""Shadows: answers of another scenario, computed behind those that are shown, and compared with them."""

import logging
import time
from collections import deque
from collections.abc import Callable
from threading import Condition, Thread

import msgspec

from foretaste.domain.query import Query
from foretaste.domain.slate import Slate
from foretaste.evaluation.slate_change import Change, change_of
from foretaste.ports.telemetry import Telemetry

MOST_WAITING = 64
"""So many answers wait to be compared; more are passed over."""
REST = 4.0
"""The work rests so many times as long as it took: it takes a fifth of one core at most."""
KEPT = 50
"""So many of the latest differences of each shadow are kept."""
_log = logging.getLogger(__name__)


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """What was shown and what the shadow would have shown, by item id, where they differ."""

    recommendation_id: str
    user_id: str | None
    shown: tuple[str, ...]
    shadow: tuple[str, ...]


class ShadowReport(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a shadow since it began: `overlap` and `rank_shift` are means over all compared.

    `dropped` answers were not compared, since too many waited; `failed` ones the shadow could not give.
    """

    shadow: str
    compared: int
    changed: int
    dropped: int
    failed: int
    overlap: float
    rank_shift: float
    latest: tuple[Difference, ...]


class _Tally:
    def __init__(self) -> None:
        self.compared = self.changed = self.dropped = self.failed = 0
        self.overlap = self.rank_shift = 0.0
        self.latest: deque[Difference] = deque(maxlen=KEPT)

    def add(self, change: Change, difference: Difference) -> None:
        self.compared += 1
        self.overlap += change.overlap
        self.rank_shift += change.rank_shift
        if change.is_changed:
            self.changed += 1
            self.latest.append(difference)


class Shadows:
    """Compares answers with those of their shadows in a thread of its own, which begins with the first one.

    `offer` never waits: past its bound answers are passed over and counted. `tried` answers a query by the
    scenario of a name without recording anything.
    """

    def __init__(
        self,
        tried: Callable[[Query, str], Slate],
        telemetry: Telemetry,
        *,
        rest: float = REST,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        self._tried = tried
        self._telemetry = telemetry
        self._rest = rest
        self._most = most_waiting
        self._waiting: deque[tuple[Query, str, Slate]] = deque()
        self._tallies: dict[tuple[str, str], _Tally] = {}
        self._changed = Condition()
        self._closing = False
        self._busy = False
        self._thread: Thread | None = None

    def offer(self, query: Query, shadow: str, shown: Slate) -> None:
        """Take an answer to `query` to be compared with what the scenario `shadow` answers."""
        with self._changed:
            if self._closing:
                return
            if len(self._waiting) >= self._most:
                self._tally(query.scenario, shadow).dropped += 1
                self._count(query.scenario, shadow, "dropped")
                return
            self._waiting.append((query, shadow, shown))
            self._changed.notify_all()
            if self._thread is None:
                self._thread = Thread(target=self._run, name="foretaste-shadow", daemon=True)
                self._thread.start()

    def report(self, scenario: str, shadow: str) -> ShadowReport:
        """Return what came of the shadow of a scenario so far."""
        with self._changed:
            tally = self._tally(scenario, shadow)
            n = max(1, tally.compared)
            return ShadowReport(
                shadow=shadow,
                compared=tally.compared,
                changed=tally.changed,
                dropped=tally.dropped,
                failed=tally.failed,
                overlap=tally.overlap / n,
                rank_shift=tally.rank_shift / n,
                latest=tuple(reversed(tally.latest)),
            )

    def forget(self) -> None:
        """Begin anew to count: the scenarios are others now."""
        with self._changed:
            self._tallies = {}

    def settle(self, seconds: float) -> bool:
        """Wait until nothing waits any more, at most so long; return whether that is so."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._waiting and not self._busy, seconds)

    def close(self) -> None:
        """Stop; what waits is not compared. Closing twice is fine."""
        with self._changed:
            self._closing = True
            self._waiting.clear()
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._busy = False
                self._changed.notify_all()
                self._changed.wait_for(lambda: bool(self._waiting) or self._closing)
                if self._closing:
                    return
                query, shadow, shown = self._waiting.popleft()
                self._busy = True
            began = time.perf_counter()
            self._compare(query, shadow, shown)
            self._pause(self._rest * (time.perf_counter() - began))

    def _pause(self, seconds: float) -> None:
        if seconds > 0.0:
            with self._changed:
                self._changed.wait_for(lambda: self._closing, seconds)

    def _compare(self, query: Query, shadow: str, shown: Slate) -> None:
        scenario = query.scenario
        try:
            other = self._tried(query, shadow)
        except Exception as error:  # noqa: BLE001 - however a shadow fails, the next answer is compared
            _log.warning("the shadow %s of %s cannot answer: %s", shadow, scenario, error)
            with self._changed:
                self._tally(scenario, shadow).failed += 1
            self._count(scenario, shadow, "failed")
            return
        ids = tuple(item.item_id for item in shown.items), tuple(item.item_id for item in other.items)
        change = change_of(*ids)
        difference = Difference(
            recommendation_id=shown.recommendation_id, user_id=query.user_id, shown=ids[0], shadow=ids[1]
        )
        with self._changed:
            self._tally(scenario, shadow).add(change, difference)
        self._count(scenario, shadow, "changed" if change.is_changed else "same")
        self._telemetry.observe("scenario_shadow_overlap", change.overlap, scenario=scenario, shadow=shadow)

    def _tally(self, scenario: str, shadow: str) -> _Tally:
        return self._tallies.setdefault((scenario, shadow), _Tally())

    def _count(self, scenario: str, shadow: str, outcome: str) -> None:
        self._telemetry.count("scenario_shadow_total", scenario=scenario, shadow=shadow, outcome=outcome)

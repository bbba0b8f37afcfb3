"""Taking in a stream: its messages into the log, with the positions, once."""

import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

from foretaste.app.worker_lag import StreamLag
from foretaste.domain.arrays import MICROS_PER_SECOND
from foretaste.domain.clock import Clock, system_clock
from foretaste.domain.errors import UnavailableError
from foretaste.events.validation import USUAL_LIMITS, EventLimits
from foretaste.ports.event_log import EventLog
from foretaste.ports.event_stream import EventSink, EventSource, StreamBatch
from foretaste.ports.telemetry import Telemetry
from foretaste.serving.ingest import LARGEST_MESSAGE, Ingested, ingested
from foretaste.serving.measures import count_events

MOST_MESSAGES = 5_000
"""Messages that are folded in one write."""

ANSWER_SECONDS = 60.0
"""How long the log or the topic of dead letters may take to acknowledge a batch."""

T = TypeVar("T")


class StreamIngest:
    """Appends what `source` brings to `log`, in whose transaction the positions are stored.

    What is not an event goes to `dead_letters` first; the position moves on only when it is there. While
    the log stores a batch, the next one is read and checked; it is submitted after that one is stored. A
    batch of many events is stored in portions, each with its positions. What could not be stored is kept
    and tried again by the next `run_once`.
    """

    def __init__(
        self,
        source: EventSource,
        log: EventLog,
        dead_letters: EventSink,
        telemetry: Telemetry,
        *,
        limits: EventLimits = USUAL_LIMITS,
        largest: int = LARGEST_MESSAGE,
        most: int = MOST_MESSAGES,
        clock: Clock = system_clock,
    ) -> None:
        self.source = source
        self._log = log
        self._dead_letters = dead_letters
        self._telemetry = telemetry
        self._limits = limits
        self._largest = largest
        self._most = most
        self._clock = clock
        self._portions: Iterator[tuple[StreamBatch, Ingested]] = iter(())
        self._batch: _Taken | None = None
        self._ahead: _Taken | None = None
        self._lag = StreamLag(source, telemetry)
        self._count(0, 0, 0)

    def run_once(self, seconds: float) -> int:
        """Take in a batch, or a portion of it, waiting up to `seconds`; return how many messages it had.

        When this returns, the batch is durable, folded, and never read again. Raises `UnavailableError`
        where the stream, the log or the dead letters are away: then nothing has moved on.
        """
        if self._batch is None:
            self._batch, self._ahead = self._ahead or self._take(seconds), None
        taken = self._batch
        self._lag.show(idle=taken is None)
        if taken is None:
            return 0
        self._store(taken)
        self._lag.stored(taken.batch.messages)
        self.source.acknowledge(taken.batch.reached)
        self._batch = None
        return len(taken.batch.messages)

    def is_empty(self) -> bool:
        """Whether this member has partitions and nothing in them waits.

        Raises `UnavailableError` where the stream does not say.
        """
        waits = self._batch is not None or self._ahead is not None
        return not waits and bool(self.source.assigned()) and not any(self.source.lag().values())

    @property
    def away(self) -> str:
        """What the stream said when it was asked last how much waits; empty where it told."""
        return self._lag.away

    def leads(self) -> bool:
        """Whether this member is the one of its group that does what one alone should do."""
        return 0 in self.source.assigned()

    def _take(self, seconds: float) -> "_Taken | None":
        """Return what is next of what was read, or of what comes within `seconds`; None where nothing is."""
        portion = next(self._portions, None) or next(self._polled(seconds), None)
        return portion and _Taken(*portion)

    def _polled(self, seconds: float) -> Iterator[tuple[StreamBatch, Ingested]]:
        """Return what comes within `seconds`, in portions."""
        batch = self.source.poll(self._most, seconds)
        self._lag.read(batch.messages)
        if batch.messages or batch.lost:
            self._portions = ingested(batch, now=self._clock(), limits=self._limits, largest=self._largest)
        return self._portions

    def _store(self, taken: "_Taken") -> None:
        started = time.perf_counter()
        batch, found = taken.batch, taken.found
        if found.dead:
            answered(self._dead_letters.submit(found.dead), "the topic of dead letters")
        stored = self._log.submit(found.events, reached=batch.reached)
        if self._ahead is None:
            with suppress(UnavailableError):  # what is away is told by the next call
                self._ahead = self._take(0.0)
        outcomes = answered(stored, "the log")
        accepted = sum(outcome.status == "accepted" for outcome in outcomes)
        count_events(
            self._telemetry,
            found.checked,
            accepted=accepted,
            duplicates=len(outcomes) - accepted,
            rejected=len(found.dead),
            seconds=time.perf_counter() - started,
        )
        self._count(found.debounced, len(found.dead), batch.lost)
        oldest = min((message.time for message in batch.messages if message.time), default=0)
        if oldest:
            delay = max(self._clock() - oldest, 0) / MICROS_PER_SECOND
            self._telemetry.observe("event_stream_delay_seconds", delay)

    def _count(self, debounced: int, dead: int, lost: int) -> None:
        self._telemetry.count("events_debounced_total", debounced)
        self._telemetry.count("events_dead_letter_total", dead)
        self._telemetry.count("event_stream_lost_total", lost)


@dataclass(frozen=True, slots=True)
class _Taken:
    """A batch, or a portion of one, and what it comes to."""

    batch: StreamBatch
    found: Ingested


def answered(future: "Future[T]", who: str) -> T:
    """Return what a future resolves to; raise `UnavailableError` where it does not in time."""
    try:
        return future.result(ANSWER_SECONDS)
    except TimeoutError as error:
        raise UnavailableError(f"{who} did not answer within {ANSWER_SECONDS:g} s") from error

"""The event path: what clients send is checked, stored, folded, and only then acknowledged."""

import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from foretaste.domain.errors import InvalidEventError
from foretaste.domain.event import Event
from foretaste.events.identity import derived_event_id
from foretaste.events.validation import USUAL_LIMITS, CheckedEvent, EventLimits, parse_event
from foretaste.ports.event_log import AppendOutcome
from foretaste.ports.event_stream import EventSink
from foretaste.ports.telemetry import Telemetry
from foretaste.serving.ingest import event_message
from foretaste.serving.live import Live
from foretaste.serving.measures import count_events

RawEvent = Mapping[str, Any] | bytes | str | msgspec.Raw | InvalidEventError
"""An event as it was sent, or why it is none, where that was found before."""


class EventStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one event: `accepted`, a `duplicate` of an earlier one, or `rejected` and why."""

    status: Literal["accepted", "duplicate", "rejected"]
    event_id: str | None = None
    seq: int | None = None
    reason: str | None = None
    field: str | None = None


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a batch, in its order.

    Every answer given to these people after this one, by whatever process, is of `state_seq` or later, so it
    knows the accepted events.
    """

    accepted: int
    duplicates: int
    rejected: int
    state_seq: int
    events: tuple[EventStatus, ...]


@dataclass(frozen=True, slots=True)
class Pending:
    """A batch on its way into the log: when `stored` resolves, the events are durable and folded.

    `checked` holds an event that may be stored or the reason why it may not, per event sent.
    `started` is a reading of `time.perf_counter`.
    """

    checked: tuple[CheckedEvent | InvalidEventError, ...]
    stored: "Future[list[AppendOutcome]]"
    started: float


class Recorder:
    """Takes events for `live` and acknowledges them once they are in the log and in the state.

    With a `sink` they go there instead, and are acknowledged once it has them: a worker brings them into
    the log, later, so they have no `seq` yet and the next answer need not know them.
    """

    def __init__(
        self,
        live: Live,
        telemetry: Telemetry,
        *,
        limits: EventLimits = USUAL_LIMITS,
        sink: EventSink | None = None,
    ) -> None:
        self._live = live
        self._sink = sink
        self._telemetry = telemetry
        self._limits = limits

    def submit(self, raws: Sequence[RawEvent], *, now: int, idempotency_key: str | None = None) -> Pending:
        """Check a batch and hand it to the log; `now` is the server's time in microseconds.

        Events that break a rule are set aside, the others go on. With an `idempotency_key`, events that
        have neither id nor timestamp get an id derived from the key, their place and their content, so
        that sending the same batch again changes nothing.

        Raises `UnavailableError` where too much is waiting already.
        """
        started = time.perf_counter()
        checked = tuple([self._checked(raw, now, idempotency_key, place) for place, raw in enumerate(raws)])
        events = [each.event for each in checked if isinstance(each, CheckedEvent)]
        stored: Future[list[AppendOutcome]] = Future()
        if events:
            stored = self._live.log.submit(events) if self._sink is None else _sent(self._sink, events)
        else:
            stored.set_result([])
        return Pending(checked, stored, started)

    def receipt(self, pending: Pending) -> Receipt:
        """Return what became of a batch, waiting for it if it must.

        Raises `NotDurableError` if the events could not be written: then none of them is in the log.
        """
        stored = pending.stored.result()
        outcomes = iter(stored)
        statuses = tuple([_status(each, outcomes) for each in pending.checked])
        receipt = Receipt(
            accepted=sum(status.status == "accepted" for status in statuses),
            duplicates=sum(status.status == "duplicate" for status in statuses),
            rejected=sum(status.status == "rejected" for status in statuses),
            state_seq=max((outcome.seq for outcome in stored), default=self._live.state.seq),
            events=statuses,
        )
        count_events(
            self._telemetry,
            _accepted(pending.checked, statuses),
            accepted=receipt.accepted,
            duplicates=receipt.duplicates,
            rejected=receipt.rejected,
            seconds=time.perf_counter() - pending.started,
        )
        return receipt

    def record(self, raws: Sequence[RawEvent], *, now: int, idempotency_key: str | None = None) -> Receipt:
        """`submit`, wait, and return the receipt."""
        return self.receipt(self.submit(raws, now=now, idempotency_key=idempotency_key))

    def _checked(
        self, raw: RawEvent, now: int, key: str | None, place: int
    ) -> CheckedEvent | InvalidEventError:
        if isinstance(raw, InvalidEventError):
            return raw
        try:
            checked = parse_event(raw, now=now, limits=self._limits)
        except InvalidEventError as error:
            return error.with_traceback(None)  # which would hold the whole batch, and the batch holds it
        if key is None or not checked.minted:
            return checked
        named = msgspec.structs.replace(checked.event, event_id=_keyed_id(checked.event, key, place))
        return CheckedEvent(named, checked.ahead, checked.known, minted=False)


def _accepted(
    checked: Sequence[CheckedEvent | InvalidEventError], statuses: Sequence[EventStatus]
) -> Iterator[CheckedEvent]:
    """Yield the events that are new in the log."""
    for each, status in zip(checked, statuses, strict=True):
        if isinstance(each, CheckedEvent) and status.status == "accepted":
            yield each


def _keyed_id(event: Event, key: str, place: int) -> str:
    """Return the id of an event that only its request's `Idempotency-Key` names.

    The time of arrival is left out, the content is not: another content is another event.
    """
    content = {**event.context, "\0idempotency_key": key}
    return derived_event_id(msgspec.structs.replace(event, timestamp=0, context=content), place)


def _status(checked: CheckedEvent | InvalidEventError, outcomes: Iterator[AppendOutcome]) -> EventStatus:
    if isinstance(checked, InvalidEventError):
        return EventStatus(status="rejected", reason=checked.message, field=checked.field)
    outcome = next(outcomes)
    return EventStatus(status=outcome.status, event_id=outcome.event_id, seq=outcome.seq or None)


def _sent(sink: EventSink, events: Sequence[Event]) -> "Future[list[AppendOutcome]]":
    """Send events to a stream; the future gives an outcome without a number for each."""
    stored: Future[list[AppendOutcome]] = Future()

    def settle(sent: "Future[None]") -> None:
        error = sent.exception()
        if error is None:
            stored.set_result(
                [AppendOutcome(event_id=event.event_id, status="accepted", seq=0) for event in events]
            )
        else:
            stored.set_exception(error)

    sink.submit([event_message(event) for event in events]).add_done_callback(settle)
    return stored

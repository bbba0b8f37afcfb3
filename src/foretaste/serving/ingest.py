"""Events as messages of a stream: what is read of them, what cannot be one, and how one is written."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import msgspec

from foretaste.domain.errors import InvalidEventError
from foretaste.domain.event import Event
from foretaste.events.identity import placed_event_id
from foretaste.events.moments import format_moment
from foretaste.events.parts import parts_of
from foretaste.events.validation import USUAL_LIMITS, CheckedEvent, EventLimits, parse_event
from foretaste.ports.event_stream import (
    Headers,
    ReceivedMessage,
    StreamBatch,
    StreamMessage,
    position_name,
)

LARGEST_MESSAGE = 1 << 20
"""Bytes that a message may have."""

MOST_AT_ONCE = 5_000
"""Events and dead letters that are written together, so that each write ends in time."""

LARGEST_KEPT, KEPT_OF_LARGE = 900_000, 1 << 16
"""Bytes up to which a dead letter is whole, and those that are left of a larger one."""

MOST_DEAD_PARTS = 100
"""Of how many parts of one message a dead letter each is written; of more, one of the whole message."""

LONGEST_REASON = 1_000


@dataclass(frozen=True, slots=True)
class Ingested:
    """What messages come to: events in the order of the stream, and what cannot be one."""

    checked: tuple[CheckedEvent, ...]
    dead: tuple[StreamMessage, ...]

    @property
    def events(self) -> list[Event]:
        """The events for the log."""
        return [each.event for each in self.checked]

    @property
    def debounced(self) -> int:
        """How many events share the write of an earlier one of the same user."""
        return len(self.checked) - len({each.event.user_id for each in self.checked})


def ingested(
    batch: StreamBatch,
    *,
    now: int,
    limits: EventLimits = USUAL_LIMITS,
    largest: int = LARGEST_MESSAGE,
    most: int = MOST_AT_ONCE,
) -> Iterator[tuple[StreamBatch, Ingested]]:
    """Yield a batch in portions, each with its events and dead letters, read when it is asked for.

    A portion comes to `most` events and dead letters, unless a single message comes to more; there is one
    at least, and the positions of each are those after its messages. `now` is the server's time in
    microseconds.

    A message holds what `POST /events` takes. An event without a timestamp happened when the stream took
    its message; one without an id and a timestamp is named by where it stands, so that reading it again
    changes nothing. Each part that is not an event becomes a dead letter of its own, with the reason.
    """
    messages: list[ReceivedMessage] = []
    checked: list[CheckedEvent] = []
    dead: list[StreamMessage] = []
    for message in batch.messages:
        good, bad = _read(batch.stream, message, now=now, limits=limits, largest=largest)
        if messages and len(checked) + len(good) + len(dead) + len(bad) > most:
            yield _portion(batch.stream, messages), Ingested(tuple(checked), tuple(dead))
            messages, checked, dead = [], [], []
        messages.append(message)
        checked += good
        dead += bad
    yield replace(batch, messages=tuple(messages)), Ingested(tuple(checked), tuple(dead))


def _portion(stream: str, messages: Sequence[ReceivedMessage]) -> StreamBatch:
    """Return messages that others of their batch follow, with the positions after them."""
    reached = {position_name(stream, message.partition): message.offset + 1 for message in messages}
    return StreamBatch(stream=stream, messages=tuple(messages), reached=reached)


def _read(
    stream: str, message: ReceivedMessage, *, now: int, limits: EventLimits, largest: int
) -> tuple[list[CheckedEvent], list[StreamMessage]]:
    """Return the events of one message, and its dead letters."""
    good: list[CheckedEvent] = []
    bad: list[tuple[bytes, InvalidEventError]] = []
    try:
        parts = _parts(message, largest)
    except InvalidEventError as error:
        return [], [dead_letter(stream, message, message.value, error)]
    for place, part in enumerate(parts):
        try:
            good.append(_event(stream, message, part, place, now, limits))
        except InvalidEventError as error:
            bad.append((bytes(part), error.with_traceback(None)))  # which would hold what holds it
    if len(bad) > MOST_DEAD_PARTS:
        summary = InvalidEventError(f"{len(bad)} of {len(parts)} events; the first: {bad[0][1].message}")
        return good, [dead_letter(stream, message, message.value, summary)]
    return good, [dead_letter(stream, message, part, error) for part, error in bad]


def _parts(message: ReceivedMessage, largest: int) -> list[msgspec.Raw]:
    if len(message.value) > largest:
        raise InvalidEventError(
            f"the message has {len(message.value)} bytes; at most {largest} are taken. Send smaller batches"
        )
    return parts_of(message.value, "events", InvalidEventError)


def _event(
    stream: str, message: ReceivedMessage, part: msgspec.Raw, place: int, now: int, limits: EventLimits
) -> CheckedEvent:
    checked = parse_event(part, now=now, limits=limits, arrived=message.time or None)
    if not checked.minted:
        return checked
    event_id = placed_event_id(stream, message.partition, message.offset, place)
    named = msgspec.structs.replace(checked.event, event_id=event_id)
    return CheckedEvent(named, checked.ahead, checked.known, minted=False)


def event_message(event: Event, *headers: tuple[str, bytes]) -> StreamMessage:
    """Return an event as a stream carries it: as `POST /events` takes it, with ISO times, keyed by user."""
    fields = {**msgspec.structs.asdict(event), "timestamp": format_moment(event.timestamp)}
    told = {name: value for name, value in fields.items() if value is not None and value != {}}
    return StreamMessage(
        value=msgspec.json.encode(told),
        key=event.user_id.encode(),
        headers=(("event_id", event.event_id.encode()), *headers),
    )


def dead_letter(
    stream: str, message: ReceivedMessage, value: bytes, error: InvalidEventError
) -> StreamMessage:
    """Return what is told of something that is not an event: what it is, why, and where it stood.

    Reason, field, stream, partition, offset and size are headers `foretaste-…`, beside the message's
    own. What is too large for a topic of usual limits is cut, and then has no other headers.
    """
    told = {
        "reason": error.message[:LONGEST_REASON],
        "field": error.field or "",
        "stream": stream,
        "partition": str(message.partition),
        "offset": str(message.offset),
        "bytes": str(len(value)),
    }
    ours: Headers = tuple(
        (f"foretaste-{name}", text.encode("utf-8", "replace")) for name, text in told.items()
    )
    key = message.key or b""
    if len(value) + len(key) + sum(len(name) + len(said) for name, said in message.headers) > LARGEST_KEPT:
        return StreamMessage(value=value[:KEPT_OF_LARGE], key=key[:KEPT_OF_LARGE] or None, headers=ours)
    return StreamMessage(value=value, key=message.key, headers=(*message.headers, *ours))

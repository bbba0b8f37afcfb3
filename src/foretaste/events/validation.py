"""From what a client sent to an `Event`, or to an error that names the field and the remedy."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import msgspec
import numpy as np

from foretaste.domain.arrays import MICROS_PER_SECOND
from foretaste.domain.errors import InvalidEventError
from foretaste.domain.event import Event
from foretaste.events.context import text_of
from foretaste.events.identity import derived_event_id, minted_event_id
from foretaste.events.moments import format_moment, parse_moment
from foretaste.events.plain import plain
from foretaste.events.text import LONGEST_ID, checked_id, checked_text
from foretaste.events.vocabulary import KNOWN_TYPES, LONGEST_TYPE, RATING, RESERVED_TYPES, canonical_type

LARGEST_VALUE = float(np.finfo(np.float32).max)
_KNOWN = frozenset(KNOWN_TYPES)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventLimits:
    """What is allowed.

    An event may carry a time up to `clock_skew_seconds` ahead of the server's clock: it then gets the
    server's time. Further ahead it is refused, since it would stay the latest one for as long.
    """

    clock_skew_seconds: float = 600.0
    context_entries: int = 32
    context_bytes: int = 256


USUAL_LIMITS = EventLimits()


@dataclass(frozen=True, slots=True)
class CheckedEvent:
    """An event that may be stored, and what a server counts about it.

    `ahead` is by how many microseconds the client's clock was ahead of the server's, 0 if it was not; the
    event then carries the server's time. `known` is False for a type without a meaning here.
    `minted` is True where the id is new, so that a retry cannot be recognized by it.
    """

    event: Event
    ahead: int
    known: bool
    minted: bool


class _RawEvent(msgspec.Struct, frozen=True, kw_only=True):
    """The fields that are read; others are ignored."""

    event_id: str | int | None = None
    user_id: str | int | None = None
    item_id: str | int | None = None
    type: str | None = None
    event_type: str | None = None
    interaction_type: str | None = None
    timestamp: str | int | float | None = None
    value: int | float | None = None
    rating: int | float | None = None
    session_id: str | int | None = None
    recommendation_id: str | None = None
    context: dict[str, str | int | float | bool | None] | None = None


_decoder = msgspec.json.Decoder(_RawEvent)


def parse_event(
    raw: Mapping[str, Any] | bytes | str | msgspec.Raw,
    *,
    now: int,
    limits: EventLimits = USUAL_LIMITS,
    occurrence: int = 0,
    arrived: int | None = None,
) -> CheckedEvent:
    """Check one event, given as a mapping or as JSON text; `now` is the server's time in microseconds.

    Ids are non-empty text up to 256 bytes of UTF-8, kept byte for byte; integers are taken as text. The
    type is found under `type`, `event_type` or `interaction_type`, under our name or another system's;
    an unknown one is accepted. `rating` is another name of `value`. `timestamp` is what `parse_moment`
    reads, else `arrived`, when a stream took it, else `now`. Of equal keys in a JSON object the last one
    counts. `occurrence` numbers equal events of one import (see `derived_event_id`).

    Raises `InvalidEventError`.
    """
    fields = _decoded(raw)
    written = _written_time(fields, limits, now)
    named = fields.event_id is not None
    event = Event(
        event_id=checked_id(fields.event_id, "event_id", InvalidEventError) if named else "",
        user_id=checked_id(fields.user_id, "user_id", InvalidEventError),
        item_id=checked_id(fields.item_id, "item_id", InvalidEventError),
        type=_type(
            fields.type, fields.event_type, fields.interaction_type, None if fields.rating is None else RATING
        ),
        timestamp=min(now if arrived is None else arrived, now) if written is None else min(written, now),
        value=_value(fields),
        session_id=_optional_id(fields.session_id, "session_id"),
        recommendation_id=_optional_id(fields.recommendation_id, "recommendation_id"),
        context=checked_context(fields.context, limits) if fields.context else {},
    )
    if not named:
        event = msgspec.structs.replace(event, event_id=_event_id(event, written, occurrence))
    ahead = 0 if written is None else max(written - now, 0)
    return CheckedEvent(event, ahead, event.type in _KNOWN, not named and written is None)


def _event_id(event: Event, written: int | None, occurrence: int) -> str:
    if written is None:
        return minted_event_id()
    return derived_event_id(msgspec.structs.replace(event, timestamp=written), occurrence)


def _decoded(raw: Mapping[str, Any] | bytes | str | msgspec.Raw) -> _RawEvent:
    try:
        if isinstance(raw, bytes | str | msgspec.Raw):
            return _decoder.decode(raw)
        if not isinstance(raw, Mapping):
            raise InvalidEventError(
                f"an event must be an object with user_id, item_id and type, not {type(raw).__name__}"
            )
        return msgspec.convert({name: plain(value) for name, value in raw.items()}, _RawEvent)
    except msgspec.ValidationError as error:
        raise _explained(error) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidEventError(f"the event is not valid JSON: {error}") from error
    except RecursionError as error:
        raise InvalidEventError("the event is nested too deeply; its fields are plain values") from error


def _explained(error: msgspec.ValidationError) -> InvalidEventError:
    """Return the decoder's complaint (`Expected … - at `$.user_id``) with the field in front."""
    reason, _, path = str(error).partition(" - at `$")
    field = path.rstrip("`").lstrip(".").partition("[")[0] or None
    return InvalidEventError(f"{field or 'the event'}: {reason[:1].lower()}{reason[1:]}", field=field)


@lru_cache(4096)
def _type(
    kind: str | None, event_type: str | None, interaction_type: str | None, otherwise: str | None
) -> str:
    """Return the type under our name; `otherwise` is what it is where none is given."""
    given = [name for name in (kind, event_type, interaction_type) if name is not None]
    if not given and otherwise:
        return otherwise
    if not given:
        raise InvalidEventError(f"type is missing; send one of {', '.join(KNOWN_TYPES)}", field="type")
    checked_text(given[0], "type", LONGEST_ID, InvalidEventError)
    names = {canonical_type(name) for name in given}
    if len(names) > 1:
        raise InvalidEventError(
            "type, event_type and interaction_type are the same field but differ; send one of them",
            field="type",
        )
    found = names.pop()
    if not found:
        raise InvalidEventError(f"type is empty; send one of {', '.join(KNOWN_TYPES)}", field="type")
    if found in RESERVED_TYPES:
        raise InvalidEventError(
            f"type {found} is reserved; people are merged by POST /users/merge", field="type"
        )
    return checked_text(found, "type", LONGEST_TYPE, InvalidEventError)


def _value(fields: _RawEvent) -> float | None:
    if fields.value is not None and fields.rating is not None and fields.value != fields.rating:
        raise InvalidEventError("value and rating are the same field but differ; send one", field="value")
    given = fields.rating if fields.value is None else fields.value
    if given is None:
        return None
    if not -LARGEST_VALUE <= given <= LARGEST_VALUE:  # also False for NaN
        raise InvalidEventError(
            f"value must be a finite number within ±{LARGEST_VALUE:.1e}; leave it out if there is none",
            field="value",
        )
    return float(given)


def _written_time(fields: _RawEvent, limits: EventLimits, now: int) -> int | None:
    if fields.timestamp is None:
        return None
    try:
        written = parse_moment(fields.timestamp)
    except ValueError as error:
        raise InvalidEventError(f"timestamp {error}", field="timestamp") from error
    if written - now > limits.clock_skew_seconds * MICROS_PER_SECOND:
        raise InvalidEventError(
            f"timestamp {format_moment(written)} lies in the future; the server's time is "
            f"{format_moment(now)} and {limits.clock_skew_seconds:g} s ahead are allowed. "
            "Set the sender's clock, or check the unit",
            field="timestamp",
        )
    return written


def _optional_id(value: str | int | None, field: str) -> str | None:
    return None if value is None or value == "" else checked_id(value, field, InvalidEventError)


def checked_context(
    raw: Mapping[str, str | float | bool | None], limits: EventLimits = USUAL_LIMITS
) -> dict[str, str]:
    """Return a context as texts, without what is None. Raises `InvalidEventError`."""
    if len(raw) > limits.context_entries:
        raise InvalidEventError(
            f"context has {len(raw)} entries; at most {limits.context_entries} are allowed", field="context"
        )
    context: dict[str, str] = {}
    for name, value in raw.items():
        checked_text(name, "a name in context", limits.context_bytes, InvalidEventError)
        if value is None:
            continue
        if isinstance(value, int) and value.bit_length() > 64:
            raise InvalidEventError(f"context.{name} is a number with far too many digits", field="context")
        text = text_of(value)
        context[name] = checked_text(text, f"context.{name}", limits.context_bytes, InvalidEventError)
    return context

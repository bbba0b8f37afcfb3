"""Events as rows and columns of the log."""

import math
import sqlite3
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np

from foretaste.adapters.sqlite.many_rows import ManyRows, Row
from foretaste.domain.errors import InvalidEventError
from foretaste.domain.event import Event, EventColumns
from foretaste.events.identity import event_key

COLUMNS = (
    "seq, user, item, type, time, key, value, previous, event_id, session_id, recommendation_id, context"
)
INSERT = ManyRows("INSERT INTO event", COLUMNS)

READ_CONTEXTS = "SELECT seq, context FROM event WHERE seq > ? AND context IS NOT NULL ORDER BY seq"
READ_EVENTS = """
SELECT seq, user_id.id, event_id, item_id.id, type_id.id, time, value, session_id, recommendation_id, context
FROM event
CROSS JOIN user_id ON user_id.ordinal = event.user
CROSS JOIN item_id ON item_id.ordinal = event.item
CROSS JOIN type_id ON type_id.ordinal = event.type
WHERE seq > ? ORDER BY seq LIMIT ?
"""
READ_USER = """
WITH RECURSIVE chain (seq, previous) AS (
    SELECT seq, previous FROM event WHERE seq = ?
    UNION ALL
    SELECT event.seq, event.previous FROM event JOIN chain ON event.seq = chain.previous
)
SELECT event_id, item_id.id, type_id.id, time, value, session_id, recommendation_id, context
FROM chain
JOIN event ON event.seq = chain.seq
JOIN item_id ON item_id.ordinal = event.item
JOIN type_id ON type_id.ordinal = event.type
ORDER BY time DESC, event_id DESC LIMIT ?
"""

_BOUND = 2**63
MOST_ROWS = 2**62
"""A limit that SQLite takes and no log reaches."""
_context = msgspec.json.Decoder(dict[str, str]).decode


class Prepared(NamedTuple):
    """An event made ready by its submitter, so that the writer's thread cannot fail on it."""

    key: int
    event: Event
    context: str | None


def prepare(event: Event) -> Prepared:
    """Check that an event can be stored. Raises `InvalidEventError` naming the field."""
    try:
        key = event_key(event.event_id)
        text = f"{event.user_id}{event.item_id}{event.type}{event.session_id}{event.recommendation_id}"
        if not text.isascii():
            text.encode()
        context = msgspec.json.encode(event.context).decode() if event.context else None
    except UnicodeEncodeError as error:
        raise InvalidEventError("an id of the event holds a lone surrogate", field="event_id") from error
    if not -_BOUND <= event.timestamp < _BOUND:
        raise InvalidEventError("timestamp does not fit 64 bits of microseconds", field="timestamp")
    if event.value is not None and not math.isfinite(event.value):
        raise InvalidEventError("value is not finite; leave it out if there is none", field="value")
    return Prepared(key, event, context)


def columns_of(rows: Sequence[Row], previous_seq: int) -> EventColumns:
    """Return rows of `COLUMNS` as columns."""
    seq, user, item, kind, time, key, value = list(zip(*rows, strict=True))[:7]
    return EventColumns(
        previous_seq=previous_seq,
        seq=np.array(seq, np.int64),
        user=np.array(user, np.int32),
        item=np.array(item, np.int32),
        type=np.array(kind, np.int16),
        time=np.array(time, np.int64),
        key=np.array(key, np.int64),
        value=np.array([math.nan if number is None else number for number in value], np.float32),
    )


def context_of(text: str | None) -> dict[str, str]:
    """Return a stored context."""
    return _context(text) if text else {}


def read_events(connection: sqlite3.Connection, after: int, limit: int) -> list[tuple[int, Event]]:
    """Return up to `limit` events above `after`, with their numbers."""
    rows = connection.execute(READ_EVENTS, (after, min(limit, MOST_ROWS)))
    return [(seq, event_of(user_id, row)) for seq, user_id, *row in rows]


def event_of(user_id: str, row: Sequence[Any]) -> Event:
    """Return a row of `READ_USER` as the event that was submitted."""
    event_id, item_id, kind, time, value, session_id, recommendation_id, context = row
    return Event(
        event_id=event_id,
        user_id=user_id,
        item_id=item_id,
        type=kind,
        timestamp=time,
        value=value,
        session_id=session_id,
        recommendation_id=recommendation_id,
        context=context_of(context),
    )

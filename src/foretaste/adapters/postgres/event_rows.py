"""Events as PostgreSQL takes them and gives them."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np
from psycopg import Connection, Cursor, sql

from foretaste.adapters.postgres.arrays import (
    Float8s,
    Int4s,
    Int8s,
    Texts,
    packed,
    packed_texts,
    unpacked,
)
from foretaste.adapters.postgres.id_map import LONGEST_ID
from foretaste.adapters.postgres.text import escaped, unescaped
from foretaste.domain.arrays import Int64s, Mask, Ordinals
from foretaste.domain.errors import InvalidEventError
from foretaste.domain.event import Event, EventColumns, no_events
from foretaste.events.identity import event_key
from foretaste.ports.event_log import AppendOutcome

APPEND = """SELECT * FROM append_batch(%s, %s, %s, %s, %s, %s::text[], %s::text[], %s::text[], %s, %s,
    %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"""
TAIL = "SELECT * FROM tail(%s, %s, %s, %s, %s)"

_READ = """SELECT array_agg(seq), array_agg(user_ordinal), array_agg(item_ordinal), array_agg(type_ordinal),
    array_agg(time), array_agg(key), array_agg(coalesce(value, 'NaN'))
FROM (SELECT * FROM event WHERE seq > %s AND seq <= %s{} ORDER BY seq LIMIT %s) AS following"""
READ_AFTER = sql.SQL(_READ).format(sql.SQL(""))
READ_WINDOW = sql.SQL(_READ).format(sql.SQL(" AND time >= %s AND time < %s"))
PIECE = 50_000
"""Events that are read by one statement."""
BEFORE = "SELECT coalesce(max(seq), 0) FROM event WHERE seq < %s"
CONTEXTS = """SELECT seq, context FROM event WHERE seq > %s AND seq <= %s AND context IS NOT NULL
ORDER BY seq LIMIT %s"""
OF_USER = """SELECT person.id, event.event_id, item.id, type.id, event.time, event.value, event.session_id,
    event.recommendation_id, event.context
FROM name AS person
JOIN event ON event.user_ordinal = person.ordinal
JOIN name AS item ON item.kind = 1 AND item.ordinal = event.item_ordinal
JOIN name AS type ON type.kind = 2 AND type.ordinal = event.type_ordinal
WHERE person.kind = 0 AND person.id = %s
ORDER BY event.time DESC, event.event_id DESC LIMIT %s"""
EVENTS = """SELECT event.seq, person.id, event.event_id, item.id, type.id, event.time, event.value,
    event.session_id, event.recommendation_id, event.context
FROM (SELECT * FROM event WHERE seq > %s AND seq <= %s ORDER BY seq LIMIT %s) AS event
JOIN name AS person ON person.kind = 0 AND person.ordinal = event.user_ordinal
JOIN name AS item ON item.kind = 1 AND item.ordinal = event.item_ordinal
JOIN name AS type ON type.kind = 2 AND type.ordinal = event.type_ordinal
ORDER BY event.seq"""
"""The limit comes before the names: behind them the planner takes events for few and sorts what follows."""

_STORED = (">i8", ">i4", ">i4", ">i2", ">i8", ">i8", ">f8")
_COLUMNS = (np.int64, np.int32, np.int32, np.int16, np.int64, np.int64, np.float32)
_APPENDED = ((">i8", np.int64), (">i4", np.int32), (">i4", np.int32), (">i4", np.int32), (">i8", np.int64))
_BOUND = 2**63
LARGEST_VALUE = float(np.finfo(np.float32).max)


class Prepared(NamedTuple):
    """An event made ready by its submitter: fields as they are stored."""

    key: int
    event_id: str
    user_id: str
    item_id: str
    type: str
    time: int
    value: float | None
    session_id: str | None
    recommendation_id: str | None
    context: str | None


class Appended(NamedTuple):
    """What `append_batch` gives, by event of the batch; ordinals and `previous` only count where one is new.

    They are empty where none is new.
    """

    seqs: Int64s
    fresh: Mask
    users: Ordinals
    items: Ordinals
    types: Ordinals
    previous: Int64s


class Tail(NamedTuple):
    """What `tail` gives; None stands for nothing."""

    seqs: list[int] | None
    users: list[int]
    items: list[int]
    types: list[int]
    times: list[int]
    keys: list[int]
    values: list[float | None]
    user_ids: list[str] | None
    item_ids: list[str] | None
    type_ids: list[str] | None


def prepare(event: Event) -> Prepared:
    """Return an event as it is stored. Raises `InvalidEventError` naming the field."""
    if not -_BOUND <= event.timestamp < _BOUND:
        raise InvalidEventError("timestamp does not fit 64 bits of microseconds", field="timestamp")
    if event.value is not None and not abs(event.value) <= LARGEST_VALUE:
        raise InvalidEventError("value is no finite float32; leave it out if there is none", field="value")
    try:
        prepared = Prepared(
            key=event_key(event.event_id),
            event_id=escaped(event.event_id),
            user_id=escaped(event.user_id),
            item_id=escaped(event.item_id),
            type=escaped(event.type),
            time=event.timestamp,
            value=event.value,
            session_id=None if event.session_id is None else escaped(event.session_id),
            recommendation_id=None if event.recommendation_id is None else escaped(event.recommendation_id),
            context=_stored(event.context) if event.context else None,
        )
        _require_storable(prepared)
    except UnicodeEncodeError as error:
        raise InvalidEventError("an id of the event holds a lone surrogate", field="event_id") from error
    return prepared


def _require_storable(prepared: Prepared) -> None:
    """Raise `UnicodeEncodeError` for lone surrogates, `InvalidEventError` for ids too long for an index."""
    ids = {"event_id": prepared.event_id, "user_id": prepared.user_id, "item_id": prepared.item_id}
    for field, text in {**ids, "type": prepared.type}.items():
        if len(text.encode()) > LONGEST_ID:
            raise InvalidEventError(f"{field} is longer than {LONGEST_ID} bytes", field=field)
    for other in (prepared.session_id, prepared.recommendation_id):
        if other is not None:
            other.encode()


def _stored(context: Mapping[str, str]) -> str:
    plain = {escaped(name): escaped(value) for name, value in context.items()}
    return msgspec.json.encode(plain).decode()


def context_of(stored: Mapping[str, str] | None) -> dict[str, str]:
    """Return a stored context."""
    return {unescaped(name): unescaped(value) for name, value in (stored or {}).items()}


def append_arguments(batch: Sequence[Prepared], known: Sequence[Ordinals]) -> list[Any]:
    """Return a batch as `APPEND` takes it: one array per field.

    `known` are the ordinals of users, items and types as far as they are known, int32 [len(batch)], else -1.
    """
    columns = list(zip(*batch, strict=True)) if batch else [()] * len(Prepared._fields)
    keys, event_ids, users, items, types, times, values, sessions, recommendations, contexts = columns
    return [
        packed(Int8s, keys),
        packed_texts(event_ids),
        *(packed(Int4s, ordinals) for ordinals in known),
        *(_unknown(*pair) for pair in zip((users, items, types), known, strict=True)),
        packed(Int8s, times),
        packed(Float8s, [math.nan if value is None else value for value in values]),
        packed_texts(sessions),
        packed_texts(recommendations),
        packed_texts(contexts),
    ]


def _unknown(names: Sequence[str], ordinals: Ordinals) -> Texts | None:
    """Return the names without an ordinal in their places, None where all have one."""
    if (ordinals >= 0).all():
        return None
    pairs = zip(names, ordinals.tolist(), strict=True)
    return packed_texts([name if ordinal < 0 else None for name, ordinal in pairs])


def run_append(connection: Connection[Any], arguments: Sequence[Any]) -> Appended:
    """Run `APPEND`."""
    seqs, fresh, *others = _arrays(connection.execute(APPEND, arguments, binary=True))
    (seq_stored, seq_kind), *stored = _APPENDED
    return Appended(
        unpacked(seqs, seq_stored, seq_kind),
        unpacked(fresh, "?", np.bool_),
        *(unpacked(array, *pair) for array, pair in zip(others, stored, strict=True)),
    )


def outcomes_of(batch: Sequence[Event], seqs: Int64s, fresh: Mask) -> list[AppendOutcome]:
    """Return what became of each event."""
    return [
        AppendOutcome(event_id=event.event_id, status="accepted" if is_new else "duplicate", seq=seq)
        for event, seq, is_new in zip(batch, seqs.tolist(), fresh.tolist(), strict=True)
    ]


def appended_columns(batch: Sequence[Prepared], appended: Appended, previous_seq: int) -> EventColumns:
    """Return the new events of a batch as columns; there is at least one."""
    new = appended.fresh
    values = [math.nan if event.value is None else event.value for event in batch]
    return EventColumns(
        previous_seq=previous_seq,
        seq=appended.seqs[new],
        user=appended.users[new],
        item=appended.items[new],
        type=appended.types[new].astype(np.int16),
        time=np.array([event.time for event in batch], np.int64)[new],
        key=np.array([event.key for event in batch], np.int64)[new],
        value=np.array(values, np.float32)[new],
    )


def own_events(batch: Sequence[Prepared], appended: Appended) -> tuple[EventColumns, Int64s, dict[str, int]]:
    """Return the new events of a batch, for each the number of its user's event before it, and who repeated.

    Those are people whose events were there before, with the number of the latest such event.
    """
    repeated: dict[str, int] = {}
    for place in np.flatnonzero(~appended.fresh).tolist():
        user_id = unescaped(batch[place].user_id)
        repeated[user_id] = max(repeated.get(user_id, 0), int(appended.seqs[place]))
    if not appended.fresh.any():
        return no_events(int(appended.seqs.max())), np.empty(0, np.int64), repeated
    first = int(appended.seqs[appended.fresh][0]) - 1
    return appended_columns(batch, appended, first), appended.previous[appended.fresh], repeated


def tail_columns(tail: Tail, previous_seq: int) -> EventColumns:
    """Return the events of a tail as columns."""
    if not tail.seqs:
        return no_events(previous_seq)
    return EventColumns(
        previous_seq=previous_seq,
        seq=np.array(tail.seqs, np.int64),
        user=np.array(tail.users, np.int32),
        item=np.array(tail.items, np.int32),
        type=np.array(tail.types, np.int16),
        time=np.array(tail.times, np.int64),
        key=np.array(tail.keys, np.int64),
        value=np.array([math.nan if value is None else value for value in tail.values], np.float32),
    )


def read_columns(
    connection: Connection[Any], statement: sql.Composed, bounds: Sequence[int], after: int, limit: int
) -> EventColumns:
    """Run `READ_AFTER` or `READ_WINDOW` for up to `limit` events above `after`, piece by piece.

    `bounds` are the arguments between these two.
    """
    pieces = []
    begin, left = after, limit
    while left > 0:
        asked = (begin, *bounds, min(left, PIECE))
        arrays = _arrays(connection.execute(statement, asked, binary=True))
        piece = [unpacked(*part) for part in zip(arrays, _STORED, _COLUMNS, strict=True)]
        if not len(piece[0]):
            break
        pieces.append(piece)
        begin, left = int(piece[0][-1]), left - len(piece[0])
        if len(piece[0]) < asked[-1]:
            break
    if not pieces:
        return no_events(after)
    return EventColumns(after, *(np.concatenate(parts) for parts in zip(*pieces, strict=True)))


def _arrays(cursor: Cursor[Any]) -> list[bytes | None]:
    """Return the arrays of the one row of a result in the binary format they came in."""
    result = cursor.pgresult
    return [result.get_value(0, place) for place in range(result.nfields)] if result else []


def event_of(row: Sequence[Any]) -> Event:
    """Return a row of `OF_USER`, or one of `EVENTS` without its number, as the event that was submitted."""
    user_id, event_id, item_id, kind, time, value, session_id, recommendation_id, context = row
    return Event(
        event_id=unescaped(event_id),
        user_id=unescaped(user_id),
        item_id=unescaped(item_id),
        type=unescaped(kind),
        timestamp=time,
        value=value,
        session_id=None if session_id is None else unescaped(session_id),
        recommendation_id=None if recommendation_id is None else unescaped(recommendation_id),
        context=context_of(context),
    )

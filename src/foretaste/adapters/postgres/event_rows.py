"""Events as PostgreSQL takes them and gives them."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np
from psycopg import Cursor, sql

from foretaste.adapters.postgres.id_map import LONGEST_ID
from foretaste.adapters.postgres.text import escaped, unescaped
from foretaste.domain.arrays import Int64s
from foretaste.domain.errors import InvalidEventError
from foretaste.domain.event import Event, EventColumns, no_events
from foretaste.events.identity import event_key
from foretaste.ports.event_log import AppendOutcome

APPEND = """SELECT * FROM append_events(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[],
    %s::bigint[], %s::double precision[], %s::text[], %s::text[], %s::text[],
    %s, %s, %s::text[], %s::bigint[])"""
STAGED = """CREATE TEMP TABLE IF NOT EXISTS staged (
    place integer, key bigint, event_id text, user_id text, item_id text, type text, time bigint,
    value double precision, session_id text, recommendation_id text, context text)"""
STAGE = "COPY pg_temp.staged FROM STDIN"
APPEND_STAGED = "SELECT * FROM append_staged(%s, %s, %s::text[], %s::bigint[])"
TAIL = "SELECT * FROM tail(%s, %s, %s, %s, %s)"

_COPY = """COPY (SELECT seq, user_ordinal, item_ordinal, type_ordinal, time, key, coalesce(value, 'NaN')
FROM event WHERE {} ORDER BY seq{}) TO STDOUT (FORMAT binary)"""
READ_AFTER = sql.SQL(_COPY).format(sql.SQL("seq > %s AND seq <= %s"), sql.SQL(" LIMIT %s"))
READ_WINDOW = sql.SQL(_COPY).format(sql.SQL("time >= %s AND time < %s AND seq <= %s"), sql.SQL(""))
BEFORE = "SELECT coalesce(max(seq), 0) FROM event WHERE seq < %s"
CONTEXTS = """SELECT seq, context FROM event WHERE seq > %s AND seq <= %s AND context IS NOT NULL
ORDER BY seq LIMIT %s"""
_WHOLE = """SELECT {}, event.event_id, item.id, type.id, event.time, event.value, event.session_id,
    event.recommendation_id, event.context
FROM name AS person
JOIN event ON event.user_ordinal = person.ordinal
JOIN name AS item ON item.kind = 1 AND item.ordinal = event.item_ordinal
JOIN name AS type ON type.kind = 2 AND type.ordinal = event.type_ordinal
WHERE person.kind = 0 AND {} LIMIT %s"""
OF_USER = sql.SQL(_WHOLE).format(
    sql.SQL("person.id"), sql.SQL("person.id = %s ORDER BY event.time DESC, event.event_id DESC")
)
EVENTS = sql.SQL(_WHOLE).format(
    sql.SQL("event.seq, person.id"), sql.SQL("event.seq > %s AND event.seq <= %s ORDER BY event.seq")
)

_FIELDS = [("seq", ">i8"), ("user", ">i4"), ("item", ">i4"), ("type", ">i2"), ("time", ">i8"), ("key", ">i8")]
_PLACED = [
    pair for name, kind in [*_FIELDS, ("value", ">f8")] for pair in ((f"{name}_size", ">i4"), (name, kind))
]
COPIED = np.dtype([("fields", ">i2"), *_PLACED])
"""A row of `_COPY`: PostgreSQL's binary format, of fixed width because no field is null."""

_HEADER, _TRAILER = 19, 2
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
    """What `append_events` gives, by event of the batch."""

    seqs: list[int]
    fresh: list[bool]
    users: list[int | None] | None
    items: list[int | None] | None
    types: list[int | None] | None
    previous: list[int] | None


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


def arrays_of(batch: Sequence[Prepared]) -> list[list[Any]]:
    """Return a batch as one list per field, in the order of `APPEND`."""
    return [list(column) for column in zip(*batch, strict=True)] if batch else [[] for _ in Prepared._fields]


def outcomes_of(batch: Sequence[Event], seqs: Sequence[int], fresh: Sequence[bool]) -> list[AppendOutcome]:
    """Return what became of each event."""
    return [
        AppendOutcome(event_id=event.event_id, status="accepted" if is_new else "duplicate", seq=seq)
        for event, seq, is_new in zip(batch, seqs, fresh, strict=True)
    ]


def appended_columns(batch: Sequence[Prepared], appended: Appended, previous_seq: int) -> EventColumns:
    """Return the new events of a batch as columns; there is at least one."""
    new = [place for place, is_new in enumerate(appended.fresh) if is_new]
    values = [batch[place].value for place in new]
    return EventColumns(
        previous_seq=previous_seq,
        seq=_taken(appended.seqs, new, np.int64),
        user=_taken(appended.users, new, np.int32),
        item=_taken(appended.items, new, np.int32),
        type=_taken(appended.types, new, np.int16),
        time=np.array([batch[place].time for place in new], np.int64),
        key=np.array([batch[place].key for place in new], np.int64),
        value=np.array([math.nan if value is None else value for value in values], np.float32),
    )


def own_events(batch: Sequence[Prepared], appended: Appended) -> tuple[EventColumns, Int64s, dict[str, int]]:
    """Return the new events of a batch, for each the number of its user's event before it, and who repeated.

    Those are people whose events were there before, with the number of the latest such event.
    """
    repeated: dict[str, int] = {}
    for event, seq, is_new in zip(batch, appended.seqs, appended.fresh, strict=True):
        if not is_new:
            user_id = unescaped(event.user_id)
            repeated[user_id] = max(repeated.get(user_id, 0), seq)
    new = [place for place, is_new in enumerate(appended.fresh) if is_new]
    if not new:
        return no_events(max(appended.seqs)), np.empty(0, np.int64), repeated
    first = appended.seqs[new[0]] - 1
    return appended_columns(batch, appended, first), _taken(appended.previous, new, np.int64), repeated


def _taken(column: Sequence[int | None] | None, places: Sequence[int], kind: Any) -> Any:
    return np.array([(column or ())[place] for place in places], kind)


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


def copied_columns(
    cursor: Cursor[Any], statement: sql.Composed, arguments: Sequence[int], previous_seq: int
) -> EventColumns:
    """Run `READ_AFTER` or `READ_WINDOW` and return the rows as columns."""
    with cursor.copy(statement, arguments) as copy:
        written = b"".join(bytes(block) for block in copy)
    rows = np.frombuffer(written[_HEADER:-_TRAILER], COPIED)
    if not len(rows):
        return no_events(previous_seq)
    return EventColumns(
        previous_seq=previous_seq,
        seq=rows["seq"].astype(np.int64),
        user=rows["user"].astype(np.int32),
        item=rows["item"].astype(np.int32),
        type=rows["type"].astype(np.int16),
        time=rows["time"].astype(np.int64),
        key=rows["key"].astype(np.int64),
        value=rows["value"].astype(np.float32),
    )


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

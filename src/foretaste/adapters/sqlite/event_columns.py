"""Reading the log in columns: SQLite writes each column of a piece out as one text, which NumPy parses.

So SQLite goes through a whole piece in one step, for which Python's lock is let go of, and no number but the
values, where there are any, becomes a Python object.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foretaste.domain.arrays import Floats, Int64s
from foretaste.domain.errors import CorruptDataError
from foretaste.domain.event import EventColumns, no_events

PIECE = 32_768
"""Events that are read by one statement."""

_PIECE = """
SELECT count(*), count(value), CAST(group_concat(seq) AS BLOB), CAST(group_concat(user) AS BLOB),
    CAST(group_concat(item) AS BLOB), CAST(group_concat(type) AS BLOB), CAST(group_concat(time) AS BLOB),
    CAST(group_concat(key) AS BLOB)
FROM (SELECT seq, user, item, type, time, key, value FROM event WHERE {} ORDER BY seq LIMIT ?)
"""
_VALUES = "SELECT seq, value FROM event WHERE seq >= ? AND seq <= ? AND value IS NOT NULL ORDER BY seq"
_VALUE_TYPE = np.dtype([("seq", np.int64), ("value", np.float32)])
_CHAINS = """
SELECT count(*), CAST(group_concat(seq) AS BLOB), CAST(group_concat(user) AS BLOB),
    CAST(group_concat(key) AS BLOB)
FROM (SELECT seq, user, key FROM event WHERE seq > ? ORDER BY seq LIMIT ?)
"""
_AFTER = _PIECE.format("seq > ?")
_WINDOW = _PIECE.format("seq > ? AND time >= ? AND time < ?")
_ROWS = "SELECT seq, user, item, type, time, key, value FROM event WHERE seq > ? ORDER BY seq LIMIT ?"
_KINDS = (np.int64, np.int32, np.int32, np.int16, np.int64, np.int64)


def read_after(connection: sqlite3.Connection, after: int, limit: int) -> EventColumns:
    """Return up to `limit` events with numbers above `after`."""
    return _read(connection, _AFTER, (), after, limit)


def read_few(connection: sqlite3.Connection, after: int, limit: int) -> EventColumns:
    """`read_after` by rows: for a handful of events a fifth of its time."""
    rows = connection.execute(_ROWS, (after, limit)).fetchall()
    if not rows:
        return no_events(after)
    *numbers, values = zip(*rows, strict=True)
    columns: list[NDArray[Any]] = [
        np.array(column, kind) for column, kind in zip(numbers, _KINDS, strict=True)
    ]
    return EventColumns(after, *columns, *[np.array(values, np.float32)])


def read_window(connection: sqlite3.Connection, start: int, end: int, most: int) -> EventColumns:
    """Return up to `most` events with `start <= time < end`, in log order. Scans the log."""
    return _read(connection, _WINDOW, (start, end), 0, most)


def read_chains(connection: sqlite3.Connection) -> Iterator[tuple[Int64s, Int64s, Int64s]]:
    """Yield number, user and key of all events, in log order, piece by piece."""
    begin, count = 0, PIECE
    while count == PIECE:
        count, *texts = connection.execute(_CHAINS, (begin, PIECE)).fetchone()
        if count:
            seq, user, key = (_parsed(text, count) for text in texts)
            begin = int(seq[-1])
            yield seq, user, key


def _read(
    connection: sqlite3.Connection, statement: str, bounds: Sequence[int], after: int, limit: int
) -> EventColumns:
    pieces = []
    begin, left = after, limit
    while left > 0:
        asked = min(left, PIECE)
        count, values, *texts = connection.execute(statement, (begin, *bounds, asked)).fetchone()
        if not count:
            break
        columns = [_parsed(text, count).astype(kind) for text, kind in zip(texts, _KINDS, strict=True)]
        pieces.append([*columns, _values(connection, columns[0], values)])
        begin, left = int(columns[0][-1]), left - count
        if count < asked:
            break
    if not pieces:
        return no_events(after)
    return EventColumns(after, *(np.concatenate(parts) for parts in zip(*pieces, strict=True)))


def _parsed(text: bytes | None, count: int) -> Int64s:
    """Return the integers of a text with commas between."""
    numbers = np.fromstring(text or b"", np.int64, sep=",")
    if len(numbers) != count:
        raise CorruptDataError("a row of the log lacks a number: the file was damaged or changed by hand")
    return numbers


def _values(connection: sqlite3.Connection, seq: Int64s, count: int) -> Floats:
    """Return the values of the events `seq`, NaN where there is none; `count` of them have one."""
    value = np.full(len(seq), np.nan, np.float32)
    if count:
        rows = np.fromiter(connection.execute(_VALUES, (int(seq[0]), int(seq[-1]))), _VALUE_TYPE)
        place = seq.searchsorted(rows["seq"])
        within = seq[place] == rows["seq"]
        value[place[within]] = rows["value"][within]
    return value

"""Rows in few statements: each gives up the interpreter's lock once, which is dear while others are busy."""

from collections.abc import Iterator, Sequence
from typing import Any

CHUNKS = (1000, 256, 64, *range(32, 0, -1))
"""So many rows go into one statement."""

Row = tuple[Any, ...]
Statement = tuple[str, Sequence[Any]]
"""A statement and its parameters."""


class ManyRows:
    """What puts rows into the `columns` (separated by commas) of a table; `into` as "INSERT INTO event"."""

    def __init__(self, into: str, columns: str) -> None:
        row = f"({', '.join('?' * len(columns.split(',')))})"
        self._texts = {rows: f"{into} ({columns}) VALUES {', '.join([row] * rows)}" for rows in CHUNKS}

    def statements(self, rows: Sequence[Row]) -> Iterator[Statement]:
        """Yield as few statements as it takes to put `rows` in; one for up to 32."""
        start = 0
        for size in CHUNKS:
            while len(rows) - start >= size:
                chunk = rows[start : start + size]
                yield self._texts[size], [value for row in chunk for value in row]
                start += size

"""Any Delta table as rows of a file."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from foretaste.adapters.delta.table import location, open_table, query
from foretaste.adapters.files.rows import Rows
from foretaste.ports.event_archive import AsOf

SEQ = "seq"
SPAN = 1_000_000


class DeltaRows:
    """A Delta table, now or as of a version or moment.

    Where it has a column `seq`, as an event archive does, the rows come in its order, else in that of the
    table's files.

    Raises `NotFoundError` where there is no such table or version, `UnavailableError` where it cannot be
    reached.
    """

    def __init__(self, url: str | Path, as_of: AsOf | None = None) -> None:
        self._table = open_table(location(url), as_of)

    def names(self) -> list[str]:
        """Return the column names but `seq`, which says the order of rows and nothing of them."""
        return [name for name in self._columns() if name != SEQ]

    def chunks(self, size: int) -> Iterator[Rows]:
        """Return the rows in pieces of at most `size`, numbered from 1."""
        done = 0
        for frame in (
            self._in_order() if SEQ in self._columns() else query(self._table, "SELECT * FROM events")
        ):
            for piece in frame.iter_slices(size):
                lines = list(range(done + 1, done + 1 + piece.height))
                done += piece.height
                yield Rows({column.name: column for column in piece}, lines)

    def _columns(self) -> list[str]:
        return [field.name for field in self._table.schema().fields]

    def _in_order(self) -> Iterator[pl.DataFrame]:
        """Yield the rows by `seq`, a span of numbers at a time: files and parts without any are not read."""
        (bounds,) = query(self._table, f"SELECT min({SEQ}) AS first, max({SEQ}) AS last FROM events")  # noqa: S608 # a constant
        first, last = bounds.row(0)
        for start in range(first or 0, (last or 0) + 1, SPAN) if first is not None else ():
            yield from query(
                self._table,
                f"SELECT * FROM events WHERE {SEQ} >= {start} AND {SEQ} < {start + SPAN} ORDER BY {SEQ}",  # noqa: S608 # numbers
            )

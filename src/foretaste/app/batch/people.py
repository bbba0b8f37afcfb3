"""Who a batch is for, read from a file."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from foretaste.adapters.files.sources import open_rows
from foretaste.domain.errors import InvalidInputError

COLUMN = "user_id"
ROWS_AT_ONCE = 50_000


def people_of(path: Path) -> list[str]:
    """Return the people of a file, each once, in its order.

    A `.txt` file has an id in each line; tables (`.csv`, `.parquet`, `.jsonl`, whatever events are read from)
    have a column `user_id`. Raises `InvalidInputError` where it cannot be read so.
    """
    try:
        found = _lines(path) if path.suffix == ".txt" else _column(path)
        return list(dict.fromkeys(found))
    except (OSError, UnicodeDecodeError, pl.exceptions.PolarsError) as error:
        raise InvalidInputError(f"{path} cannot be read: {error}", field="users") from error


def _lines(path: Path) -> Iterator[str]:
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    return (line.strip() for line in lines if line.strip())


def _column(path: Path) -> Iterator[str]:
    rows = open_rows(path)
    names = rows.names()
    if COLUMN not in names:
        raise InvalidInputError(
            f"{path} has no column {COLUMN!r}; there are {', '.join(names)}", field="users"
        )
    for chunk in rows.chunks(ROWS_AT_ONCE):
        for reject in chunk.rejects:
            raise InvalidInputError(f"{path}, line {reject.line}: {reject.reason}", field="users")
        yield from (str(value) for value in chunk.columns.get(COLUMN, ()) if value not in (None, ""))

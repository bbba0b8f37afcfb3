"""Who a batch is for, read from a file."""

from pathlib import Path

import polars as pl

from foretaste.adapters.files.rows import file_format
from foretaste.domain.errors import InvalidInputError

COLUMN = "user_id"


def people_of(path: Path) -> list[str]:
    """Return the people of a file, each once, in its order.

    A `.txt` file has an id in each line; tables (`.csv`, `.parquet`, `.jsonl`) have a column `user_id`.
    Raises `InvalidInputError` where it cannot be read so.
    """
    try:
        if path.suffix == ".txt":
            lines = path.read_text(encoding="utf-8").splitlines()
            return list(dict.fromkeys(line.strip() for line in lines if line.strip()))
        table = _read(path)
    except (OSError, UnicodeDecodeError, pl.exceptions.PolarsError) as error:
        raise InvalidInputError(f"{path} cannot be read: {error}", field="users") from error
    if COLUMN not in table.columns:
        found = ", ".join(table.columns)
        raise InvalidInputError(f"{path} has no column {COLUMN!r}; there are {found}", field="users")
    ids = table[COLUMN].drop_nulls().cast(pl.String)
    return list(dict.fromkeys(ids.to_list()))


def _read(path: Path) -> pl.DataFrame:
    match file_format(path):
        case "parquet":
            return pl.read_parquet(path)
        case "jsonl":
            return pl.read_ndjson(path)
        case "csv":
            return pl.read_csv(path, infer_schema=False)

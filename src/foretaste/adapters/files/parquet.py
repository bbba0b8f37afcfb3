"""Parquet, and polars frames: typed columns."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from foretaste.adapters.files.rows import Rows
from foretaste.domain.errors import InvalidInputError


@dataclass(frozen=True)
class ParquetRows:
    """A Parquet file, read piece by piece."""

    path: Path

    def names(self) -> list[str]:
        """Return the column names."""
        try:
            return list(pl.read_parquet_schema(self.path))
        except (pl.exceptions.PolarsError, OSError) as error:
            raise InvalidInputError(f"{self.path.name}: not a readable Parquet file: {error}") from error

    def chunks(self, size: int) -> Iterator[Rows]:
        """Return the rows in pieces, numbered from 1."""
        frame = pl.scan_parquet(self.path)
        total = int(frame.select(pl.len()).collect().item())
        for start in range(0, total, size):
            yield _rows(frame.slice(start, size).collect(), start)


@dataclass(frozen=True)
class FrameRows:
    """A frame that is in memory already."""

    frame: pl.DataFrame

    def names(self) -> list[str]:
        """Return the column names."""
        return self.frame.columns

    def chunks(self, size: int) -> Iterator[Rows]:
        """Return the rows in pieces, numbered from 1."""
        for start in range(0, self.frame.height, size):
            yield _rows(self.frame.slice(start, size), start)


def _rows(frame: pl.DataFrame, start: int) -> Rows:
    return Rows({column.name: column for column in frame}, list(range(start + 1, start + 1 + frame.height)))

"""Rows of a file in pieces: what every format is read into before its columns mean anything."""

import gzip
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Generic, Literal, Protocol, TypeVar, cast

import msgspec
import polars as pl

from foretaste.domain.errors import InvalidInputError

FileFormat = Literal["csv", "parquet", "jsonl"]
Piece = TypeVar("Piece")

SUFFIXES: dict[str, FileFormat] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
}


COMPRESSED, GZIP_MARK = ".gz", b"\x1f\x8b"
"""How names of files end that gzip compressed, and how their bytes begin."""


class Reject(msgspec.Struct, frozen=True, kw_only=True):
    """A row that could not be used: where it stands (the first line is 1), why, and what it says."""

    line: int
    reason: str
    row: Any = None


@dataclass(frozen=True, slots=True)
class Rows:
    """Some rows of a file as equally long columns, with the line (or row number) of each.

    A column is a polars series where the format is typed, else a list of the values as written.
    `rejects` are the rows that could not even be split into columns.
    """

    columns: Mapping[str, pl.Series | list[Any]]
    lines: list[int]
    rejects: list[Reject] = field(default_factory=list)

    def __len__(self) -> int:
        """How many usable rows there are."""
        return len(self.lines)

    def row(self, position: int) -> dict[str, Any]:
        """Return one row as it was written, for the report of rejected rows."""
        return {name: _value(values, position) for name, values in self.columns.items()}


def _value(values: pl.Series | list[Any], position: int) -> Any:
    value = values[position]
    return value.to_list() if isinstance(value, pl.Series) else value


@dataclass(frozen=True, slots=True)
class Pieces(Generic[Piece]):
    """A file in pieces that are read as they are asked for, once, and how its columns are understood.

    `columns` is field → column of the file, `others` are the columns that are no field.
    """

    columns: Mapping[str, str]
    others: Sequence[str]
    pieces: Iterator[Piece]

    def __iter__(self) -> Iterator[Piece]:
        return self.pieces


class RowSource(Protocol):
    """A file of one format."""

    def names(self) -> list[str]:
        """Return the column names, in order, those a reader may ask for."""
        ...

    def chunks(self, size: int) -> Iterator[Rows]:
        """Return the rows in pieces of at most `size`, in order."""
        ...


def file_format(path: Path) -> FileFormat:
    """Return the format that the name of `path` announces."""
    found = SUFFIXES.get(path.suffix.lower())
    if found is None:
        known = ", ".join(sorted(SUFFIXES))
        raise InvalidInputError(f"{path.name}: cannot tell the format from the name; use one of {known}")
    return found


def format_to_read(path: Path) -> FileFormat:
    """Return the format that the name of `path` announces, which for text may be compressed: `log.csv.gz`."""
    inner = path.with_suffix("") if path.suffix.lower() == COMPRESSED else path
    found = file_format(inner)
    if inner != path and found == "parquet":
        raise InvalidInputError(f"{path.name}: unpack it first (gunzip); Parquet is compressed within")
    return found


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """Give the bytes of a file of text, unpacked if they are compressed by gzip, whatever its name says.

    Raises `InvalidInputError` where compressed bytes are damaged or end too early.
    """
    with path.open("rb") as file:
        packed = file.peek(len(GZIP_MARK)).startswith(GZIP_MARK)
        if not packed:
            yield file
            return
        try:
            with gzip.GzipFile(fileobj=file) as unpacked:
                yield cast("BinaryIO", unpacked)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise InvalidInputError(
                f"{path.name}: what gzip compressed is damaged or cut off ({error}); fetch the file again: "
                "rows that were taken before are recognized"
            ) from error


def existing_file(path: Path) -> Path:
    """Return `path` if a file is there that can be opened."""
    if path.is_dir():
        raise InvalidInputError(f"{path} is a folder; name a file in it", field="path")
    if not path.is_file():
        raise InvalidInputError(f"{path}: no such file", field="path")
    return path

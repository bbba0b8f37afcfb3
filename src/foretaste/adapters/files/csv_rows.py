"""CSV: any usual delimiter, quotes, a byte-order mark, either line ending."""

import codecs
import csv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import Protocol, TextIO

from foretaste.adapters.files.rows import Reject, Rows, opened
from foretaste.domain.errors import InvalidInputError

DELIMITERS = ",\t;|"
LONGEST_FIELD = 1 << 20
EXCERPT = 200
MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""Byte-order marks and what they say: the longer ones first, since they begin with the shorter."""

csv.field_size_limit(LONGEST_FIELD)


class CsvReader(Protocol):
    """What `csv.reader` returns."""

    @property
    def line_num(self) -> int:
        """How many lines were read so far."""
        ...

    def __next__(self) -> list[str]: ...


@dataclass(frozen=True)
class CsvRows:
    """A CSV file. Without `delimiter`, the one that splits the header into most names is taken.

    Bytes that `encoding` does not allow become the replacement character, which no id may contain. A file
    that begins with a byte-order mark of UTF-16 or UTF-32 is read as that, where `encoding` is UTF-8.

    Raises `InvalidInputError` for a delimiter that is not one character, and for an unknown encoding.
    """

    path: Path
    delimiter: str | None = None
    encoding: str = "utf-8-sig"

    def __post_init__(self) -> None:
        if self.delimiter is not None and (len(self.delimiter) != 1 or self.delimiter in '\r\n"'):
            raise InvalidInputError(
                f"delimiter {self.delimiter!r} is not one character that can part fields; leave it out for "
                "commas, tabs, semicolons and bars, which are recognized",
                field="delimiter",
            )
        if not _is_encoding(self.encoding):
            raise InvalidInputError(
                f"there is no encoding {self.encoding!r} of text; try utf-8, utf-16, latin-1 or cp1252",
                field="encoding",
            )

    def names(self) -> list[str]:
        """Return the header's names, surrounding blanks removed."""
        with self._open() as file:
            return self._header(file)[0]

    def chunks(self, size: int) -> Iterator[Rows]:
        """Return the rows in pieces; a row with too few or too many fields is a reject."""
        with self._open() as file:
            names, delimiter, first_line = self._header(file)
            lines = csv.reader(_without_nul(file), delimiter=delimiter)
            numbered = _numbered(lines, first_line)
            while taken := list(islice(numbered, size)):
                yield _columns(names, taken)

    @contextmanager
    def _open(self) -> Iterator[TextIO]:
        encoding = _marked(self.path) or self.encoding if _is_utf_8(self.encoding) else self.encoding
        with opened(self.path) as file:
            yield TextIOWrapper(file, encoding=encoding, errors="replace", newline="")

    def _header(self, file: TextIO) -> tuple[list[str], str, int]:
        """Return the names, the delimiter and the number of lines read so far."""
        line = file.readline().removeprefix("\ufeff")
        if not line.strip():
            raise InvalidInputError(f"{self.path.name}: the first line must name the columns, but is empty")
        if "\0" in line:
            raise InvalidInputError(
                f"{self.path.name}: the first line is no text in {self.encoding}; say which encoding it "
                "is, as --encoding utf-16-le or utf-16-be (in Python: encoding=...)",
                field="encoding",
            )
        delimiter = self.delimiter or max(DELIMITERS, key=line.count)
        names = [name.strip() for name in next(csv.reader([line], delimiter=delimiter))]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise InvalidInputError(f"{self.path.name}: column {twice[0]!r} is there more than once")
        return names, delimiter, 1


def _is_utf_8(encoding: str) -> bool:
    return codecs.lookup(encoding).name.startswith("utf-8")


def _marked(path: Path) -> str | None:
    """Return the encoding that a file's byte-order mark says, None without one of two or four bytes."""
    with opened(path) as file:
        begin = file.read(4)
    return next((encoding for mark, encoding in MARKS if begin.startswith(mark)), None)


def _is_encoding(name: str) -> bool:
    """Return whether text can be read in the encoding `name`."""
    try:
        b" ".decode(name, "replace")
    except (LookupError, ValueError):
        return False
    return True


def _without_nul(lines: TextIO) -> Iterator[str]:
    """Yield the lines; a NUL byte, which the parser refuses, becomes the replacement character."""
    for line in lines:
        yield line.replace("\0", "\ufffd") if "\0" in line else line


def _numbered(reader: "CsvReader", first_line: int) -> Iterator[tuple[int, list[str] | Reject]]:
    """Yield each non-empty row with the line it starts on, or why it could not be parsed."""
    while True:
        line = reader.line_num + first_line + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield line, Reject(line=line, reason=f"not valid CSV: {error}")
            continue
        if row:
            yield line, row


def _columns(names: list[str], taken: list[tuple[int, list[str] | Reject]]) -> Rows:
    rows: list[list[str]] = []
    lines: list[int] = []
    rejects: list[Reject] = []
    for line, row in taken:
        if isinstance(row, Reject):
            rejects.append(row)
        elif len(row) != len(names):
            reason = f"{len(row)} fields where the header has {len(names)}"
            rejects.append(Reject(line=line, reason=reason, row=[value[:EXCERPT] for value in row]))
        else:
            rows.append(row)
            lines.append(line)
    columns = zip(*rows, strict=True) if rows else ([] for _ in names)
    return Rows(dict(zip(names, map(list, columns), strict=True)), lines, rejects)

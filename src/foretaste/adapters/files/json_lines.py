"""JSON Lines: one object per line; or one JSON array of objects."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from foretaste.adapters.files.rows import Reject, Rows, opened
from foretaste.domain.errors import InvalidInputError

EXCERPT = 200
BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class JsonLines:
    """A file of JSON objects; a field that an object lacks is None."""

    path: Path

    def names(self) -> list[str]:
        """Return the fields that any of the objects has: one that only late ones have counts as much."""
        found: dict[str, None] = {}
        for _, row in self._objects():
            if isinstance(row, dict) and not found.keys() >= row.keys():
                found |= dict.fromkeys(row)
        return list(found)

    def chunks(self, size: int) -> Iterator[Rows]:
        """Return the objects in pieces; a line that is not an object is a reject."""
        numbered = self._objects()
        while taken := list(islice(numbered, size)):
            rejects = [row for _, row in taken if isinstance(row, Reject)]
            rows = [(line, row) for line, row in taken if isinstance(row, dict)]
            names = dict.fromkeys(name for _, row in rows for name in row)
            columns: dict[str, list[Any]] = {name: [row.get(name) for _, row in rows] for name in names}
            yield Rows(columns, [line for line, _ in rows], rejects)

    def _objects(self) -> Iterator[tuple[int, dict[str, Any] | Reject]]:
        with opened(self.path) as file:
            if _starts_with_bracket(file):
                yield from self._array(file)
                return
            for line, text in enumerate(file, start=1):
                content = text.removeprefix(BOM).strip()
                if content:
                    yield line, _object(line, content)

    def _array(self, file: BinaryIO) -> Iterator[tuple[int, dict[str, Any] | Reject]]:
        try:
            values = msgspec.json.decode(file.read().removeprefix(BOM), type=list[Any])
        except (msgspec.DecodeError, RecursionError) as error:
            raise InvalidInputError(f"{self.path.name}: not valid JSON: {error}") from error
        for number, value in enumerate(values, start=1):
            yield number, _checked(number, value)


def _starts_with_bracket(file: BinaryIO) -> bool:
    start = file.read(1024).removeprefix(BOM).lstrip()
    file.seek(0)
    return start.startswith(b"[")


def _object(line: int, content: bytes) -> dict[str, Any] | Reject:
    try:
        value = msgspec.json.decode(content)
    except (msgspec.DecodeError, RecursionError) as error:
        excerpt = content[:EXCERPT].decode("utf-8", "replace")
        return Reject(line=line, reason=f"not valid JSON: {error}", row=excerpt)
    return _checked(line, value)


def _checked(line: int, value: Any) -> dict[str, Any] | Reject:
    if isinstance(value, dict):
        return value
    return Reject(line=line, reason="not a JSON object", row=value)

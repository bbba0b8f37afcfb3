"""Where in a TOML text each key and value stands, which `tomllib` does not say of a text that it can read."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Path = tuple[str | int, ...]
"""The way to a value: names of tables and keys, numbers of elements, from 0."""

_SPACE, _LINE_END = " \t", "\r\n"
_BARE_END = frozenset(" \t\r\n=.]#\"'")
_VALUE_END = frozenset(",]}#\r\n")


@dataclass(frozen=True, slots=True)
class Place:
    """Line and column from 1, of a key; `value` is where its value begins, as an index into the text."""

    line: int
    column: int
    value: int


def places_of(text: str) -> Mapping[Path, Place]:
    """Return where each table, key and element of a text stands, which `tomllib` must be able to read."""
    return _Scan(text.replace("\r\n", "\n")).document()


class _Scan:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._found: dict[Path, Place] = {}
        self._counted: dict[Path, int] = {}
        """How many elements an array of tables has so far."""

    def document(self) -> Mapping[Path, Place]:
        table: Path = ()
        while self._skip():
            begin = self._at
            if self._text[begin] == "[":
                table = self._header(begin)
            else:
                self._pair(table)
        return self._found

    def _header(self, begin: int) -> Path:
        """Read `[a.b]` or `[[a.b]]`; return the path of the table that follows."""
        several = self._text.startswith("[[", begin)
        self._at += 2 if several else 1
        path = self._inside(self._key())
        self._at = self._text.index("]", self._at) + (2 if several else 1)
        if several:
            number = self._counted.get(path, 0)
            self._counted[path] = number + 1
            self._note(path, begin)
            path = (*path, number)
        self._note(path, begin)
        return path

    def _inside(self, names: Path) -> Path:
        """Return the path of a table by its names: within an array of tables it belongs to the last one."""
        path: Path = ()
        for position, name in enumerate(names):
            path = (*path, name)
            if path in self._counted and position < len(names) - 1:
                path = (*path, self._counted[path] - 1)
        return path

    def _pair(self, table: Path) -> None:
        begin = self._at
        path = (*table, *self._key())
        self._spaces()
        self._at += 1  # the equals sign
        self._spaces()
        for known in range(len(table) + 1, len(path) + 1):
            self._note(path[:known], begin)
        self._value(path)

    def _value(self, path: Path) -> None:
        first = self._text[self._at]
        if first in "\"'":
            self._string()
        elif first == "[":
            self._at += 1
            for number in self._elements("]"):
                self._note((*path, number), self._at)
                self._value((*path, number))
        elif first == "{":
            self._at += 1
            for _ in self._elements("}"):
                self._pair(path)
        else:
            while self._at < len(self._text) and self._text[self._at] not in _VALUE_END:
                self._at += 1

    def _elements(self, end: str) -> Iterator[int]:
        """Yield the number of each element when it begins; leave the closing bracket behind."""
        number = 0
        while self._skip() and self._text[self._at] != end:
            if self._text[self._at] == ",":
                self._at += 1
                continue
            yield number
            number += 1
        self._at += 1

    def _key(self) -> Path:
        names: list[str | int] = []
        while True:
            self._spaces()
            begin = self._at
            if self._text[begin] in "\"'":
                self._string()
                names.append(tomllib.loads(f"key = {self._text[begin : self._at]}")["key"])
            else:
                while self._text[self._at] not in _BARE_END:
                    self._at += 1
                names.append(self._text[begin : self._at])
            self._spaces()
            if self._text[self._at] != ".":
                return tuple(names)
            self._at += 1

    def _string(self) -> None:
        """Go past a string of any of the four kinds."""
        quote = self._text[self._at]
        long = self._text.startswith(quote * 3, self._at)
        end = quote * 3 if long else quote
        self._at += len(end)
        while not self._text.startswith(end, self._at):
            self._at += 2 if quote == '"' and self._text[self._at] == "\\" else 1
        self._at += len(end)
        while long and self._text.startswith(quote, self._at):
            self._at += 1  # up to two quotes may stand before the closing ones

    def _skip(self) -> bool:
        """Go past spaces, line ends and comments; return whether anything follows."""
        while self._at < len(self._text):
            if self._text[self._at] == "#":
                found = self._text.find("\n", self._at)
                self._at = len(self._text) if found < 0 else found
            elif self._text[self._at] in _SPACE + _LINE_END:
                self._at += 1
            else:
                return True
        return False

    def _spaces(self) -> None:
        while self._at < len(self._text) and self._text[self._at] in _SPACE:
            self._at += 1

    def _note(self, path: Path, begin: int) -> None:
        line = self._text.count("\n", 0, begin) + 1
        column = begin - (self._text.rfind("\n", 0, begin) + 1) + 1
        self._found.setdefault(path, Place(line, column, self._at))


def nearest_place(places: Mapping[Path, Place], path: Path) -> Place | None:
    """Return the place of a path, or of the nearest thing around it."""
    for length in range(len(path), 0, -1):
        if path[:length] in places:
            return places[path[:length]]
    return None


def paths_of(document: Any, path: Path = ()) -> Iterator[Path]:
    """Yield the path of every value of a document that was read."""
    inner: Any = document.items() if isinstance(document, dict) else ()
    inner = enumerate(document) if isinstance(document, list) else inner
    for name, value in inner:
        yield (*path, name)
        yield from paths_of(value, (*path, name))

"""What a disk has after a power cut, from a record of what a process did to its files (`recorded_disk.c`).

Only what was synced is sure. Of the rest nothing is there, or the first writes and a torn one, or any of its
sectors in any order; a file that was made or removed is there or not, unless its folder was synced.
"""

import os
import random
import shutil
import struct
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

SECTOR = 512
FATES = ("nothing", "first", "any")
MADE, WRITTEN, CUT, SYNCED, REMOVED, DIRECTORY_SYNCED, SAID = range(1, 8)
HEADER = struct.Struct("=IIQQ")
SOURCE = Path(__file__).with_name("recorded_disk.c")


@dataclass(frozen=True)
class Record:
    kind: int
    file: int
    place: int
    data: bytes


@dataclass
class File:
    """What is synced, and what was done since: bytes at a place, or None to cut the file there."""

    inode: int
    synced: bytearray = field(default_factory=bytearray)
    waiting: list[tuple[int, bytes | None]] = field(default_factory=list)

    def sync(self) -> None:
        for place, data in self.waiting:
            change(self.synced, place, data)
        self.waiting.clear()

    def whole(self) -> bytearray:
        """Return what the process reads in it."""
        whole = bytearray(self.synced)
        for place, data in self.waiting:
            change(whole, place, data)
        return whole

    def after_cut(self, chance: random.Random, fate: str) -> bytearray:
        """Return what may be found of the file: `nothing`, the `first` or `any` of what was not synced."""
        left = bytearray(self.synced)
        if fate == "first" and self.waiting:
            reached = chance.randrange(len(self.waiting))
            for place, data in self.waiting[:reached]:
                change(left, place, data)
            place, data = self.waiting[reached]
            if data is not None:
                change(left, place, data[: chance.randrange(0, len(data) + 1, SECTOR)])
        if fate == "any":
            for place, data in self.waiting:
                for part in range(0, len(data or b"\0"), SECTOR):
                    if chance.random() < 0.5:
                        change(left, place + part, data and data[part : part + SECTOR])
        return left


def change(content: bytearray, place: int, data: bytes | None) -> None:
    """Write at a place, or cut there; what is between the end and the place is zeros."""
    content.extend(bytes(max(place - len(content), 0)))
    if data is None:
        del content[place:]
    else:
        content[place : place + len(data)] = data


class Disk:
    """The files of a folder, those of `paths` to begin with, synced."""

    def __init__(self, paths: Iterable[Path] = ()) -> None:
        self._named = {path.name: File(path.stat().st_ino, bytearray(path.read_bytes())) for path in paths}
        self._synced = dict(self._named)
        self._open = {file.inode: file for file in self._named.values()}

    def take(self, record: Record) -> None:
        """Let one thing happen."""
        name = record.data.decode() if record.kind in {MADE, REMOVED} else ""
        if record.kind == MADE and (name not in self._named or self._named[name].inode != record.file):
            self._named[name] = self._open[record.file] = File(record.file)
        elif record.kind == WRITTEN:
            self._open[record.file].waiting.append((record.place, record.data))
        elif record.kind == CUT:
            self._open[record.file].waiting.append((record.place, None))
        elif record.kind == SYNCED:
            self._open[record.file].sync()
        elif record.kind == REMOVED:
            del self._named[name]
        elif record.kind == DIRECTORY_SYNCED:
            self._synced = dict(self._named)

    def files(self) -> dict[str, bytes]:
        """Return what the files hold as long as the power is on."""
        return {name: bytes(file.whole()) for name, file in self._named.items()}

    def after_kill(self, folder: Path) -> "Disk":
        """Write the files to a new folder as the next process finds them; return that disk."""
        folder.mkdir()
        left = Disk()
        for name, file in self._named.items():
            (folder / name).write_bytes(file.whole())
            inode = (folder / name).stat().st_ino
            left._named[name] = File(inode, bytearray(file.synced), list(file.waiting))
        left._synced = {name: left._named[name] for name in self._synced if name in left._named}
        left._open = {file.inode: file for file in left._named.values()}
        return left

    def after_cut(self, folder: Path, chance: random.Random, fates: Sequence[str] = FATES) -> None:
        """Write what may be found to a new folder; what becomes of each file is drawn from `fates`."""
        folder.mkdir()
        for name in {**self._synced, **self._named}:
            file = chance.choice([self._synced.get(name), self._named.get(name)])
            if file is not None:
                (folder / name).write_bytes(file.after_cut(chance, chance.choice(fates)))


def records(path: Path) -> Iterator[Record]:
    """Return what was recorded; what was not recorded whole never happened."""
    content, start = path.read_bytes(), 0
    while start + HEADER.size <= len(content):
        kind, length, file, place = HEADER.unpack_from(content, start)
        start += HEADER.size + length
        if start <= len(content):
            yield Record(kind, file, place, content[start - length : start])


def recorder(folder: Path) -> Path:
    """Compile the recorder; skip the test where there is no C compiler, which no package of Python brings."""
    compiler = shutil.which("cc")
    built = folder / "recorded_disk.so"
    if compiler is None or os.uname().sysname != "Linux":
        pytest.skip("recording what is written takes Linux and a C compiler (Debian: gcc libc6-dev)")
    command = [compiler, "-O1", "-shared", "-fPIC", "-pthread", "-o", str(built), str(SOURCE)]
    subprocess.run(command, check=True)
    return built

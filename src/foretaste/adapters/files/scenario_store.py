"""Recipes as lines of JSON in a file beside the log."""

import fcntl
import logging
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from foretaste.adapters.memory.scenario_store import MemoryScenarioStore
from foretaste.domain.errors import UnavailableError
from foretaste.ports.scenario_store import ScenarioRecord

_log = logging.getLogger(__name__)


class FileScenarioStore(MemoryScenarioStore):
    """`ScenarioStore` in the file at `path`, to which several processes of one machine may add."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def append(self, records: Sequence[ScenarioRecord]) -> None:
        """Add records, on disk when this returns."""
        if not records:
            return
        lines = b"".join([msgspec.json.encode(record) + b"\n" for record in records])
        try:
            with self._path.open("a+b") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                before = file.seek(0, os.SEEK_END)
                try:
                    file.write(lines if _is_whole(file.fileno(), before) else b"\n" + lines)
                    file.flush()
                    os.fsync(file.fileno())
                except OSError:
                    os.ftruncate(file.fileno(), before)
                    raise
        except OSError as error:
            raise UnavailableError(
                f"{self._path} cannot be written ({error.strerror}); free disk space, or ask the service"
            ) from error

    def mark(self) -> int:
        """Return the size of the file."""
        try:
            return self._path.stat().st_size
        except FileNotFoundError:
            return 0

    def records(self) -> Iterator[ScenarioRecord]:
        """Yield all records; a line that was cut off by a crash is passed over."""
        if not self._path.is_file():
            return
        for line in self._path.read_bytes().splitlines():
            try:
                yield msgspec.json.decode(line, type=ScenarioRecord)
            except msgspec.MsgspecError:
                if line:
                    _log.warning("a line of %s cannot be read", self._path.name)


def _is_whole(file: int, size: int) -> bool:
    """Return whether a file is empty or ends with a line."""
    return not size or os.pread(file, 1, size - 1) == b"\n"

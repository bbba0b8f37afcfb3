"""Blends as lines of JSON in a file beside the log."""

import logging
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from foretaste.adapters.memory.blend_store import MemoryBlendStore
from foretaste.ports.blend_store import BlendRecord

_log = logging.getLogger(__name__)


class FileBlendStore(MemoryBlendStore):
    """`BlendStore` in the file at `path`, which one process writes; others may read it meanwhile.

    A full disk is no error: the blend serves, but can then not be given again.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def records(self) -> Iterator[BlendRecord]:
        """Yield all records; a line that was cut off by a crash is passed over."""
        if not self._path.is_file():
            return
        numbers: dict[str, int] = {}
        for line in self._path.read_bytes().splitlines():
            try:
                record = msgspec.json.decode(line, type=BlendRecord)
            except msgspec.MsgspecError:
                _log.warning("a line of %s cannot be read", self._path.name)
                continue
            number = record.number or numbers.get(record.artifact, 0) + 1  # earlier releases wrote none
            numbers[record.artifact] = number
            yield msgspec.structs.replace(record, number=number)

    def _add(self, records: Iterable[BlendRecord]) -> None:
        lines = b"".join([msgspec.json.encode(record) + b"\n" for record in records])
        try:
            with self._path.open("a+b") as file:
                file.seek(max(file.tell() - 1, 0))
                file.write(lines if file.read() in {b"", b"\n"} else b"\n" + lines)
        except OSError as error:
            _log.warning("a blend could not be stored, answers under it cannot be given again: %s", error)

"""Blends in memory, for one process; `adapters.files.blend_store` keeps them in a file."""

from collections.abc import Iterable, Iterator

from foretaste.ports.blend_store import BlendRecord


class MemoryBlendStore:
    """`BlendStore` for one process: what is stored begins at once."""

    def __init__(self) -> None:
        self._kept: list[BlendRecord] = []
        self._numbers: dict[str, int] | None = None
        """The number of the last record of each artifact, once it was asked for."""

    def agree(self, record: BlendRecord) -> BlendRecord | None:
        """Store the next blend of an artifact."""
        if self._numbers is None:
            self._numbers = {one.artifact: one.number for one in self.records()}
        if record.number != self._numbers.get(record.artifact, 0) + 1:
            return None
        self._numbers[record.artifact] = record.number
        self._add([record])
        return record

    def standing(self, artifact: str, seq: int) -> list[BlendRecord]:
        """Return the record in force for the event numbered `seq` and all after it, by number."""
        found: list[BlendRecord] = []
        for record in self.records():
            if record.artifact == artifact:
                found = [record] if record.seq < seq else [*found, record]
        return found

    def named(self, artifact: str, blend_version: str) -> BlendRecord | None:
        """Return a record of an artifact with a blend of that version."""
        wanted = (artifact, blend_version)
        return next((one for one in self.records() if (one.artifact, one.blend_version) == wanted), None)

    def serving_at(self, time: int) -> BlendRecord | None:
        """Return the record that was the last one at a moment, None where none tells."""
        found = None
        for record in self.records():
            if 0 < record.time <= time:
                found = record
        return found

    def records(self) -> Iterator[BlendRecord]:
        """Yield all records in the order in which they were stored."""
        yield from self._kept

    def restore(self, records: Iterable[BlendRecord]) -> None:
        """Store records as they are, if the store is empty."""
        if next(iter(self.records()), None) is None:
            self._numbers = None
            self._add(records)

    def _add(self, records: Iterable[BlendRecord]) -> None:
        self._kept += records

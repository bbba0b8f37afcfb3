"""Where rejected rows go: a JSON Lines file beside the one that was read."""

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import msgspec

from foretaste.adapters.files.rows import Reject

KEPT = 100_000


class RejectedRows:
    """Writes rejected rows aside, one JSON object per line, and counts them.

    The file appears with the first rejected row; past a hundred thousand rows they are only counted.
    An older file of the same name is removed when the reading begins.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0
        self._file: BinaryIO | None = None

    def __enter__(self) -> Self:
        self.path.unlink(missing_ok=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file:
            self._file.close()

    def write(self, rejects: Sequence[Reject]) -> None:
        """Take some rejected rows."""
        room = max(0, KEPT - self.count)
        self.count += len(rejects)
        if rejects and self._file is None:
            self._file = self.path.open("wb")
        if self._file:
            for reject in rejects[:room]:
                self._file.write(msgspec.json.encode(reject) + b"\n")


def beside(source: Path) -> Path:
    """Return the name of the file for the rejected rows of `source`."""
    return source.with_name(f"{source.name}.rejected.jsonl")

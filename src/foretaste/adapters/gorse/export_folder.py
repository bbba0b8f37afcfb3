"""Files that Gorse exported: JSON Lines since version 0.5, CSV before."""

from collections.abc import Generator
from pathlib import Path

from foretaste.adapters.files.csv_rows import CsvRows
from foretaste.adapters.files.json_lines import JsonLines
from foretaste.adapters.files.rows import Reject, RowSource
from foretaste.adapters.gorse.records import GorseKind, GorseRecord, record_of
from foretaste.domain.errors import NotFoundError

ENDINGS = (".jsonl", ".json", ".csv")
ALL_KINDS: tuple[GorseKind, ...] = ("items", "users", "feedback")
CHUNK = 5_000


class GorseExport:
    """The files `users`, `items` and `feedback` of a folder, as many of them as there are.

    Raises `NotFoundError` where there is none of them.
    """

    def __init__(self, folder: Path) -> None:
        found = {kind: _file(folder, kind) for kind in ALL_KINDS}
        self._files = {kind: path for kind, path in found.items() if path is not None}
        if not self._files:
            raise NotFoundError(
                f"{folder} holds none of users, items and feedback as .jsonl or .csv; export them on Gorse's "
                "dashboard, or name its address to read them over its API",
                field="source",
            )

    def batches(self, kind: GorseKind) -> Generator[list[tuple[int, GorseRecord] | Reject]]:
        """Return records in pieces, each with its line, and the lines that could not be read."""
        path = self._files.get(kind)
        if path is None:
            return
        for rows in _rows(path).chunks(CHUNK):
            read = [(line, record_of(rows.row(place))) for place, line in enumerate(rows.lines)]
            yield [*read, *rows.rejects]


def _file(folder: Path, kind: GorseKind) -> Path | None:
    candidates = (folder / f"{kind}{ending}" for ending in ENDINGS)
    return next((path for path in candidates if path.is_file()), None)


def _rows(path: Path) -> RowSource:
    return CsvRows(path, ",") if path.suffix == ".csv" else JsonLines(path)

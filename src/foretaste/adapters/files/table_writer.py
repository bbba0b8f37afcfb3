"""Tables written piece by piece: Parquet, CSV or JSON Lines."""

from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self

import polars as pl

from foretaste.adapters.files.rows import FileFormat, file_format


class TableWriter:
    """Writes frames of one schema to a file that is there as a whole or not at all.

    The format is what the name's ending says. Leaving the `with` block by an error leaves an older
    file of that name untouched.
    """

    def __init__(self, path: Path, schema: dict[str, type[pl.DataType]]) -> None:
        self.path = path
        self._schema = schema
        self._format: FileFormat = file_format(path)

    def __enter__(self) -> Self:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._folder = TemporaryDirectory(dir=self.path.parent, prefix=".writing-")
        self._pieces: list[Path] = []
        self.write(pl.DataFrame(schema=self._schema))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._folder as folder:
            if kind is None:
                whole = Path(folder) / "whole"
                self._join(whole)
                whole.replace(self.path)

    def write(self, frame: pl.DataFrame) -> None:
        """Append the rows of `frame`."""
        piece = Path(self._folder.name) / f"{len(self._pieces):08}.parquet"
        frame.write_parquet(piece)
        self._pieces.append(piece)

    def _join(self, whole: Path) -> None:
        rows = pl.scan_parquet(self._pieces)
        match self._format:
            case "parquet":
                rows.sink_parquet(whole)
            case "csv":
                rows.sink_csv(whole)
            case "jsonl":
                rows.sink_ndjson(whole)

"""Which reader a path gets."""

from pathlib import Path

import polars as pl

from foretaste.adapters.files.csv_rows import CsvRows
from foretaste.adapters.files.json_lines import JsonLines
from foretaste.adapters.files.parquet import FrameRows, ParquetRows
from foretaste.adapters.files.rows import FileFormat, RowSource, existing_file, file_format

Source = str | Path | pl.DataFrame
"""What can be read: a path, or a frame that is in memory already."""


def open_rows(
    source: Source,
    *,
    file_type: FileFormat | None = None,
    delimiter: str | None = None,
    encoding: str = "utf-8-sig",
) -> RowSource:
    """Return the rows of `source`; the format is `file_type`, or what the name's ending says."""
    if isinstance(source, pl.DataFrame):
        return FrameRows(source)
    path = existing_file(Path(source))
    match file_type or file_format(path):
        case "csv":
            return CsvRows(path, delimiter, encoding)
        case "parquet":
            return ParquetRows(path)
        case "jsonl":
            return JsonLines(path)


def source_name(source: Source) -> str:
    """Return what to call `source` in a message."""
    return "the frame" if isinstance(source, pl.DataFrame) else Path(source).name

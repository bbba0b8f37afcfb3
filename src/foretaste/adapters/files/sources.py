"""Which reader a path gets."""

from pathlib import Path

import polars as pl

from foretaste.adapters.files.csv_rows import CsvRows
from foretaste.adapters.files.json_lines import JsonLines
from foretaste.adapters.files.parquet import FrameRows, ParquetRows
from foretaste.adapters.files.rows import FileFormat, RowSource, existing_file, format_to_read
from foretaste.domain.errors import InvalidInputError
from foretaste.domain.extras import with_extra
from foretaste.ports.event_archive import AsOf

Source = str | Path | pl.DataFrame
"""What can be read: a path, or a frame that is in memory already."""


def open_rows(
    source: Source,
    *,
    file_type: FileFormat | None = None,
    delimiter: str | None = None,
    encoding: str = "utf-8-sig",
    as_of: AsOf | None = None,
) -> RowSource:
    """Return the rows of `source`; the format is `file_type`, or what the name's ending says.

    CSV and JSON Lines may be compressed by gzip. A folder with a Delta table and any URL is a Delta table,
    read as of the version or moment `as_of`.

    Raises `MissingExtraError` for a Delta table without the extra `delta`.
    """
    if isinstance(source, pl.DataFrame):
        return FrameRows(source)
    if is_delta(source):
        return _delta_rows(source, as_of)
    if as_of is not None:
        raise InvalidInputError(f"{source} has no past versions, only Delta tables have", field="as_of")
    path = existing_file(Path(source))
    match file_type or format_to_read(path):
        case "csv":
            return CsvRows(path, delimiter, encoding)
        case "parquet":
            return ParquetRows(path)
        case "jsonl":
            return JsonLines(path)


def source_name(source: Source) -> str:
    """Return what to call `source` in a message."""
    return "the frame" if isinstance(source, pl.DataFrame) else Path(source).name


def is_delta(source: str | Path) -> bool:
    """Return whether a source is a Delta table: a URL, or a folder that holds one."""
    return "://" in str(source) or (Path(source) / "_delta_log").is_dir()


def _delta_rows(source: str | Path, as_of: AsOf | None) -> RowSource:
    module = with_extra("foretaste.adapters.delta.rows", "source")
    rows: RowSource = module.DeltaRows(source, as_of)
    return rows

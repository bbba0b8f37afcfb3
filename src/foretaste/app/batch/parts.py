"""The parts of a batch in a folder beside its file: each is there as a whole or not at all."""

import os
import shutil
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import msgspec
import polars as pl

from foretaste.adapters.files.rows import Reject, file_format
from foretaste.adapters.files.system_errors import as_system_errors
from foretaste.adapters.sqlite.file_lock import FileLock
from foretaste.app.batch.plan import BatchManifest
from foretaste.domain.errors import InvalidInputError

MANIFEST = "manifest.json"
BUSY = "another batch writes this file: let it end"


class PartsFolder:
    """Where the parts of a batch to `out` are; until `release`, no other batch is written to it."""

    def __init__(self, out: Path) -> None:
        file_format(out)
        if out.is_dir():
            raise InvalidInputError(f"{out} is a folder; name a file", field="out")
        self.out = out
        self.folder = out.with_name(f".{out.name}.parts")
        self._lock = FileLock(self.folder / "batch", remedy=BUSY)

    def manifest(self) -> BatchManifest | None:
        """Return what was begun, None where nothing was."""
        try:
            return msgspec.json.decode((self.folder / MANIFEST).read_bytes(), type=BatchManifest)
        except FileNotFoundError:
            return None

    def begin(self, manifest: BatchManifest) -> None:
        """Begin anew: whatever there was is removed."""
        for path in self.folder.iterdir():
            if not path.name.endswith(".lock"):
                path.unlink()
        _written(self.folder / MANIFEST, lambda path: path.write_bytes(msgspec.json.encode(manifest)))

    def remove(self) -> None:
        """Remove the parts once they are joined."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def release(self) -> None:
        """Let others work on it; where nothing was begun, nothing stays."""
        if not (self.folder / MANIFEST).is_file():
            self.remove()
        self._lock.release()


class Parts:
    """The parts of one batch in `folder`, whose names say which batch they are of."""

    def __init__(self, folder: Path, manifest: BatchManifest) -> None:
        self._folder = folder
        self._count = manifest.n_parts
        self._digest = manifest.digest

    def missing(self) -> list[int]:
        """Return the numbers of the parts that are not there."""
        return [number for number in range(self._count) if not self._part(number).is_file()]

    def write(self, number: int, frame: pl.DataFrame, failed: Sequence[Reject]) -> None:
        """Write a part; those who failed first, so that a part that is there is complete."""
        lines = b"".join(msgspec.json.encode(reject) + b"\n" for reject in failed)
        _written(self._errors(number), lambda path: path.write_bytes(lines))
        _written(self._part(number), frame.write_parquet)

    def failed(self, number: int) -> int:
        """Return how many people of a part failed."""
        return self._errors(number).read_bytes().count(b"\n")

    def join(self, out: Path, errors: Path) -> int:
        """Join the parts to `out`, and those who failed to `errors`; return how many failed."""
        rows = pl.scan_parquet([self._part(number) for number in range(self._count)])
        match file_format(out):
            case "parquet":
                _written(out, rows.sink_parquet)
            case "csv":
                separator = "\t" if out.suffix.lower() == ".tsv" else ","
                _written(out, partial(rows.sink_csv, separator=separator))
            case "jsonl":
                _written(out, rows.sink_ndjson)
        lines = b"".join(self._errors(number).read_bytes() for number in range(self._count))
        errors.unlink(missing_ok=True)
        if lines:
            _written(errors, lambda path: path.write_bytes(lines))
        return lines.count(b"\n")

    def _part(self, number: int) -> Path:
        return self._folder / f"{number:08}-{self._digest}.parquet"

    def _errors(self, number: int) -> Path:
        return self._folder / f"{number:08}-{self._digest}.errors.jsonl"


def _written(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file that is there as a whole and for good, or not at all."""
    unfinished = path.with_name(f".{path.name}.partial")
    with as_system_errors(unfinished):
        write(unfinished)
    with unfinished.open("rb") as file:
        os.fsync(file.fileno())
    unfinished.replace(path)

"""An export: all that a deployment holds as files that say their sizes and hashes."""

import gzip
import hashlib
import shutil
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from foretaste.domain.errors import CorruptDataError, InvalidInputError, NotFoundError

T = TypeVar("T")
FORMAT = 1
MANIFEST = "manifest.json"
PER_FILE = 500_000
"""Records per file."""
_encode = msgspec.json.Encoder().encode


class ExportedFile(msgspec.Struct, frozen=True, kw_only=True):
    """One file of an export: its path within, its size in bytes, its SHA-256 and how many records it has."""

    path: str
    size: int
    sha256: str
    records: int = 0


class ExportManifest(msgspec.Struct, frozen=True, kw_only=True):
    """What an export holds; `created_at` in microseconds UTC, `streams` how far streams were read."""

    format: int
    namespace: str
    created_at: int
    last_seq: int
    streams: dict[str, int]
    files: tuple[ExportedFile, ...]


class ExportWriter:
    """Writes an export to `folder`, a new one; it appears as a whole when `finish` returns."""

    def __init__(self, folder: Path) -> None:
        if folder.exists():
            raise InvalidInputError(f"{folder} is there already; name a new folder", field="folder")
        self._folder = folder
        self._partial = folder.with_name(f".{folder.name}.partial")
        shutil.rmtree(self._partial, ignore_errors=True)
        self._partial.mkdir(parents=True)
        self._files: list[ExportedFile] = []

    def records(self, kind: str, records: Iterable[Any]) -> int:
        """Write records of one kind, as many files as it takes; return how many there were."""
        total, number, waiting = 0, 0, iter(records)
        while True:
            path = self._partial / f"{kind}-{number:05d}.jsonl.gz"
            written = self._write(path, waiting)
            if not written:
                path.unlink()
                return total
            self._add(path, written)
            total, number = total + written, number + 1

    def copy(self, source: Path, name: str) -> None:
        """Take over a file, or all files of a directory, as `name`."""
        sources = sorted(source.rglob("*")) if source.is_dir() else [source]
        for path in sources:
            if path.is_file() and not path.name.startswith("."):
                target = (
                    self._partial / name / path.relative_to(source)
                    if source.is_dir()
                    else self._partial / name
                )
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)
                self._add(target, 0)

    def finish(
        self, *, namespace: str, created_at: int, last_seq: int, streams: dict[str, int]
    ) -> ExportManifest:
        """Write the manifest and let the folder appear."""
        manifest = ExportManifest(
            format=FORMAT,
            namespace=namespace,
            created_at=created_at,
            last_seq=last_seq,
            streams=streams,
            files=tuple(self._files),
        )
        (self._partial / MANIFEST).write_bytes(msgspec.json.format(_encode(manifest), indent=2))
        self._partial.rename(self._folder)
        return manifest

    def discard(self) -> None:
        """Remove what was written, if it was not finished."""
        shutil.rmtree(self._partial, ignore_errors=True)

    def _write(self, path: Path, records: Iterator[Any]) -> int:
        written = 0
        with gzip.open(path, "wb", compresslevel=1) as file:
            for record in records:
                file.write(_encode(record) + b"\n")
                written += 1
                if written == PER_FILE:
                    break
        return written

    def _add(self, path: Path, records: int) -> None:
        self._files.append(
            ExportedFile(
                path=path.relative_to(self._partial).as_posix(),
                size=path.stat().st_size,
                sha256=_sha256(path),
                records=records,
            )
        )


def read_export_manifest(folder: Path) -> ExportManifest:
    """Return what the export in `folder` says it holds; raise as `ExportReader` does."""
    try:
        manifest = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=ExportManifest)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NotFoundError(f"{folder} holds no export: {MANIFEST} is missing", field="folder") from error
    except msgspec.MsgspecError as error:
        raise CorruptDataError(f"{folder / MANIFEST} cannot be read: {error}") from error
    if manifest.format != FORMAT:
        raise InvalidInputError(
            f"{folder} has format {manifest.format}, known here is {FORMAT}; use the release that wrote it"
        )
    return manifest


class ExportReader:
    """Reads an export. Raises `NotFoundError` where there is none, `CorruptDataError` where files differ."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.manifest = read_export_manifest(folder)
        for file in self.manifest.files:
            self._verify(file)

    def records(self, kind: str, record_type: type[T]) -> Iterator[T]:
        """Yield the records of one kind, in the order they were written."""
        decode = msgspec.json.Decoder(record_type).decode
        for file in self.manifest.files:
            if file.path.rpartition("-")[0] == kind and file.records:
                with gzip.open(self._folder / file.path, "rb") as lines:
                    for line in lines:
                        yield decode(line)

    def copies(self, pattern: str) -> Iterator[tuple[Path, str]]:
        """Yield the files that were taken over under a name like `pattern`: where each is, and the name."""
        for file in self.manifest.files:
            if fnmatchcase(file.path, pattern):
                yield self._folder / file.path, file.path

    def _verify(self, file: ExportedFile) -> None:
        path = self._folder / file.path
        inside = path.resolve().is_relative_to(self._folder.resolve())
        if (
            not inside
            or not path.is_file()
            or path.stat().st_size != file.size
            or _sha256(path) != file.sha256
        ):
            raise CorruptDataError(
                f"{path} is not what the export's manifest says; export again", field=file.path
            )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

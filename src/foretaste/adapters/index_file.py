"""A vector index as one file: a line of JSON that says what follows, then the bytes, verified when read."""

import hashlib
from pathlib import Path
from typing import TypeVar

import msgspec

from foretaste.domain.errors import CorruptArtifactError

LONGEST_LINE = 4096

H = TypeVar("H", bound="IndexHeader")


class IndexHeader(msgspec.Struct, frozen=True, kw_only=True, tag_field="index", forbid_unknown_fields=True):
    """What every index file says of itself; adapters add their own fields and a tag."""

    size: int = 0
    sha256: str = ""


def write_index(path: Path, header: IndexHeader, content: bytes) -> None:
    """Write header and content; the file appears as a whole or not at all."""
    digest = hashlib.sha256(content).hexdigest()
    line = msgspec.json.encode(msgspec.structs.replace(header, size=len(content), sha256=digest))
    staged = path.with_name(path.name + ".part")
    with staged.open("wb") as file:
        file.write(line + b"\n")
        file.write(content)
    staged.replace(path)


def read_index(path: Path, kind: type[H]) -> tuple[H, bytes]:
    """Return header and content; raise `CorruptArtifactError` naming the file if not as written."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            line = file.readline(LONGEST_LINE)
            header = msgspec.json.decode(line, type=kind)
            if header.size != size - len(line):
                raise _corrupt(path, f"should hold {header.size} bytes after its first line")
            content = file.read(header.size)
    except FileNotFoundError as error:
        raise _corrupt(path, "is missing") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _corrupt(path, f"does not begin as one ({error})") from error
    if hashlib.sha256(content).hexdigest() != header.sha256:
        raise _corrupt(path, "is not what was written (its SHA-256 differs)")
    return header, content


def _corrupt(path: Path, reason: str) -> CorruptArtifactError:
    return CorruptArtifactError(f"the index file {path.name!r} {reason}; build it again", field=path.name)

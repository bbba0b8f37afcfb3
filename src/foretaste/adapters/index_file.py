"""A vector index as one file: a line of JSON that says what follows, then the bytes, verified when read.

What is read is mapped, not copied: processes that load the same file share its memory. A file that is mapped
must not be written over in place; `write_index` never does, it puts a new file under the name.
"""

import hashlib
import mmap
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from foretaste.domain.errors import CorruptArtifactError

LINE = 4096
"""The length of the first line, padded with blanks: what follows starts on a page of memory."""

Bytes = NDArray[np.uint8]
H = TypeVar("H", bound="IndexHeader")


class IndexHeader(msgspec.Struct, frozen=True, kw_only=True, tag_field="index", forbid_unknown_fields=True):
    """What every index file says of itself; adapters add their own fields and a tag.

    The content has two parts: what the index is made of, then `label_bytes` about labels.
    """

    size: int = 0
    sha256: str = ""
    label_bytes: int = 0


class ServerIndexHeader(IndexHeader, frozen=True, kw_only=True):
    """Which build at a server is meant, and how it is to be searched."""

    name: str
    build: str
    rows: int
    dim: int
    effort: int
    recall: float


def write_index(path: Path, header: IndexHeader, content: Any, labels: bytes = b"") -> None:
    """Write header, content (a buffer) and labels; the file appears as a whole or not at all."""
    parts = (memoryview(content).cast("B"), memoryview(labels))
    size = sum(part.nbytes for part in parts)
    header = msgspec.structs.replace(header, size=size, label_bytes=len(labels))
    header = msgspec.structs.replace(header, sha256=_digest(header, *parts))
    line = msgspec.json.encode(header)
    staged = path.with_name(path.name + ".part")
    with staged.open("wb") as file:
        file.write(line.ljust(LINE - 1) + b"\n")
        for part in parts:
            file.write(part)
    staged.replace(path)


def read_index(path: Path, kind: type[H]) -> tuple[H, Bytes, Bytes]:
    """Return header, content and labels, mapped from the file.

    Sizes are checked before anything is mapped, the hash before anything is believed. Raises
    `CorruptArtifactError` naming the file if it is not as written.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            line = file.read(LINE)
            header = msgspec.json.decode(line, type=kind)
            if len(line) != LINE or header.size != size - LINE:
                raise corrupt_index(path, f"should hold {header.size} bytes after its first line")
            if not 0 <= header.label_bytes <= header.size:
                raise corrupt_index(path, "has parts that its size contradicts")
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except FileNotFoundError as error:
        raise corrupt_index(path, "is missing") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise corrupt_index(path, f"does not begin as one ({error})") from error
    content = np.frombuffer(mapped, np.uint8)[LINE:]
    if _digest(header, content.data) != header.sha256:
        raise corrupt_index(path, "is not what was written (its SHA-256 differs)")
    split = header.size - header.label_bytes
    return header, content[:split], content[split:]


def kind_of(path: Path) -> str:
    """Return what kind of index a file says it holds; raise `CorruptArtifactError` if it says nothing."""
    return _first_line(path)["index"]


def digest_of(path: Path) -> str:
    """Return the digest that a file gives itself, unverified; raise `CorruptArtifactError` if it has none."""
    return _first_line(path)["sha256"]


def _first_line(path: Path) -> dict[str, str]:
    try:
        with path.open("rb") as file:
            known = msgspec.json.decode(file.read(LINE), type=dict[str, Any])
            return {name: str(known[name]) for name in ("index", "sha256")}
    except FileNotFoundError as error:
        raise corrupt_index(path, "is missing") from error
    except (msgspec.DecodeError, UnicodeDecodeError, KeyError) as error:
        raise corrupt_index(path, f"does not begin as one ({error})") from error


def _digest(header: IndexHeader, *parts: memoryview) -> str:
    """Return the SHA-256 of what the header says and of all that follows."""
    digest = hashlib.sha256(msgspec.json.encode(msgspec.structs.replace(header, sha256="")))
    for part in parts:
        digest.update(part)
    return digest.hexdigest()


def corrupt_index(path: Path, reason: str) -> CorruptArtifactError:
    """Return the error of a file that is of no use, and why."""
    return CorruptArtifactError(f"the index file {path.name!r} {reason}; build it again", field=path.name)

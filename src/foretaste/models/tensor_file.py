"""One safetensors file, written and read with distrust.

The format: eight bytes with the length of a JSON header, the header, which gives every array's dtype, shape
and place, then the arrays' bytes. Nothing in it is ever executed, and memory is taken only for what the
manifest promised, the header confirms and the file's size bears out.
"""

import errno
import hashlib
import math
import mmap
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import save_file

from foretaste.domain.artifact import ArrayEntry, FileEntry
from foretaste.domain.errors import CorruptArtifactError

DTYPES = {
    "BOOL": "bool",
    "I8": "int8",
    "U8": "uint8",
    "I16": "int16",
    "I32": "int32",
    "I64": "int64",
    "F32": "float32",
    "F64": "float64",
}
"""The dtypes artifacts may hold: safetensors' name → NumPy's."""
LENGTH_BYTES = 8
LONGEST_HEADER = 1 << 20
CHUNK = 1 << 20
REFUSAL = re.compile(r"os error (\d+)")
"""What the library says of the system's error number."""


class _Tensor(msgspec.Struct, frozen=True):
    dtype: str
    shape: tuple[int, ...]
    data_offsets: tuple[int, int]


def write_tensors(arrays: Mapping[str, NDArray[Any]], directory: Path, name: str) -> FileEntry:
    """Write `arrays` to the file `name` in `directory`; return what the manifest says of it."""
    path = directory / name
    laid_out = {key: np.ascontiguousarray(arrays[key]) for key in sorted(arrays)}
    for key, array in laid_out.items():
        if array.dtype.name not in DTYPES.values():
            raise TypeError(
                f"array {key!r} of {name} has the dtype {array.dtype}, which artifacts cannot hold"
            )
    save_arrays(laid_out, path)
    entries = tuple(ArrayEntry(name=key, dtype=a.dtype.name, shape=a.shape) for key, a in laid_out.items())
    return file_entry(path, name, entries)


def save_arrays(
    arrays: Mapping[str, NDArray[Any]], path: Path, marks: Mapping[str, str] | None = None
) -> None:
    """Write contiguous `arrays` to `path`, with the rights that any new file of this process has.

    The library alone would let nobody but the owner read it. Raises `OSError` where the disk refuses.
    """
    path.touch()
    rights = path.stat().st_mode
    try:
        save_file(dict(arrays), path, None if marks is None else dict(marks))
    except SafetensorError as error:
        told = REFUSAL.search(str(error))
        number = int(told[1]) if told else errno.EIO
        raise OSError(number, os.strerror(number), str(path)) from error
    path.chmod(rights)


def file_entry(path: Path, name: str, arrays: tuple[ArrayEntry, ...] = ()) -> FileEntry:
    """Return the manifest's entry of a file as it is on disk."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return FileEntry(path=name, size=path.stat().st_size, sha256=digest, arrays=arrays)


def verified(entry: FileEntry, directory: Path) -> Path:
    """Return the path of a file whose size and SHA-256 are what `entry` says.

    Raises `CorruptArtifactError` naming the file, also for one that would lie outside the directory.
    """
    path = directory / entry.path
    if not path.resolve().is_relative_to(directory.resolve()):
        raise _corrupt(entry, "lies outside the artifact")
    if not path.is_file():
        raise _corrupt(entry, "is missing")
    size = path.stat().st_size
    if size != entry.size:
        raise _corrupt(entry, f"has {size} bytes, the manifest says {entry.size}")
    if file_entry(path, entry.path).sha256 != entry.sha256:
        raise _corrupt(entry, "is not what was written (its SHA-256 differs from the manifest's)")
    return path


def read_tensors(entry: FileEntry, directory: Path) -> dict[str, NDArray[Any]]:
    """Return the arrays of a file; raise `CorruptArtifactError` naming it if it contradicts `entry`.

    They are mapped: processes that read the same file share its memory, but for what one of them writes to.
    """
    with verified(entry, directory).open("rb") as file:
        header, begin = _header(file, entry)
        _check(header, begin, entry)
        mapped = mmap.mmap(file.fileno(), entry.size, access=mmap.ACCESS_COPY)
    arrays: dict[str, NDArray[Any]] = {}
    for array in entry.arrays:
        count, first = math.prod(array.shape), begin + header[array.name].data_offsets[0]
        values = np.frombuffer(mapped, np.dtype(array.dtype).newbyteorder("<"), count, first)
        values = np.require(values.astype(array.dtype, copy=False), requirements="A")
        arrays[array.name] = values.reshape(array.shape)
    return arrays


def _header(file: BinaryIO, entry: FileEntry) -> tuple[dict[str, _Tensor], int]:
    length = int.from_bytes(file.read(LENGTH_BYTES), "little")
    if entry.size < LENGTH_BYTES or length > min(LONGEST_HEADER, entry.size - LENGTH_BYTES):
        raise _corrupt(entry, f"claims a header of {length} bytes")
    try:
        header = msgspec.json.decode(file.read(length), type=dict[str, _Tensor])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _corrupt(entry, f"has a header that cannot be read ({error})") from error
    return header, LENGTH_BYTES + length


def _check(header: Mapping[str, _Tensor], begin: int, entry: FileEntry) -> None:
    """Check that manifest, header and size agree on every array, and that these fill the file."""
    if sorted(header) != sorted(array.name for array in entry.arrays):
        raise _corrupt(entry, "holds other arrays than the manifest says")
    for array in entry.arrays:
        tensor = header[array.name]
        if DTYPES.get(tensor.dtype) != array.dtype or tensor.shape != array.shape:
            raise _corrupt(
                entry, f"has an array {array.name!r} of another dtype or shape than the manifest says"
            )
        first, end = tensor.data_offsets
        size = math.prod(array.shape) * np.dtype(array.dtype).itemsize
        if min((0, *array.shape)) < 0 or end - first != size:
            raise _corrupt(entry, f"gives the array {array.name!r} room for another shape")
    places: Sequence[tuple[int, int]] = sorted(tensor.data_offsets for tensor in header.values())
    reached = 0
    for first, end in places:
        if first != reached:
            raise _corrupt(entry, "has arrays that overlap or leave gaps")
        reached = end
    if begin + reached != entry.size:
        raise _corrupt(entry, "has another size than its arrays add up to")


def _corrupt(entry: FileEntry, reason: str) -> CorruptArtifactError:
    return CorruptArtifactError(
        f"the artifact's file {entry.path!r} {reason}; train again or restore the file", field=entry.path
    )

"""A state's snapshot in one verified file."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from foretaste.domain.errors import CorruptSnapshotError
from foretaste.models.tensor_file import save_arrays

Snapshot = Mapping[str, NDArray[Any]]


def write_snapshot(path: Path, snapshot: Snapshot, *, seq: int, key: int) -> None:
    """Write `snapshot` with its digest; the file is the old or the new one at any moment.

    `seq` is the last event it contains and `key` that event's key in the log, by which a log that was
    replaced is recognized. Raises `OSError` where it cannot be written.
    """
    arrays = {name: np.ascontiguousarray(array) for name, array in snapshot.items()}
    marks = {"seq": str(seq), "key": str(key), "sha256": _digest(arrays)}
    partial = path.with_suffix(".partial")
    save_arrays(arrays, partial, marks)
    partial.replace(path)


def read_snapshot(path: Path) -> tuple[Snapshot, int, int]:
    """Return the arrays, `seq` and `key` that `write_snapshot` wrote.

    Raises `CorruptSnapshotError` where the file is absent, cut short or changed.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            marks = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 # not a mapping
    except (OSError, SafetensorError) as error:
        raise CorruptSnapshotError(f"{path.name} cannot be read: {error}") from error
    if marks.get("sha256") != _digest(arrays) or not {"seq", "key"} <= marks.keys():
        raise CorruptSnapshotError(f"{path.name} is not what was written")
    return arrays, int(marks["seq"]), int(marks["key"])


def _digest(arrays: Snapshot) -> str:
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"{name} {array.dtype.str} {array.shape} ".encode())
        digest.update(array.data)
    return digest.hexdigest()

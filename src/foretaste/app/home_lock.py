"""Whose a home is, where the truth is on a server: its folder keeps one replica's snapshots."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from foretaste.adapters.sqlite.file_lock import FileLock
from foretaste.domain.errors import UnavailableError

NAME = "replica"
REMEDY = (
    "each replica keeps its snapshots in a folder of its own: stop that one, or choose another --home "
    "(a folder of models can be shared, by a link called models)"
)
PATIENCE_SECONDS = 2.0
"""How long a replica waits for a process that only writes a snapshot."""
PAUSE_SECONDS = 0.05


def replica_lock(folder: Path, *, patience: float = PATIENCE_SECONDS) -> FileLock:
    """Make `folder` the home of this replica alone, until the lock is released.

    Raises `UnavailableError` where another replica has it, naming the process and the remedy.
    """
    deadline = time.monotonic() + patience
    while True:
        try:
            return FileLock(folder / NAME, remedy=REMEDY)
        except UnavailableError:
            if time.monotonic() >= deadline:
                raise
        time.sleep(PAUSE_SECONDS)


@contextmanager
def lent(folder: Path) -> Iterator[bool]:
    """Have the folder for a moment, if no replica has it; give whether it is so."""
    try:
        lock = replica_lock(folder, patience=0.0)
    except UnavailableError:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()

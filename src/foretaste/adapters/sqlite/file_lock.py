"""One process writes a file: a lock that ends with its holder."""

import fcntl
import os
import socket
from contextlib import suppress
from pathlib import Path

from foretaste.domain.errors import UnavailableError

REMEDY = "one process writes it at a time: stop that one, or choose another home"


class FileLock:
    """An exclusive lock beside `path`, held until `release` or the end of the process.

    Creates the folder if absent. Raises `UnavailableError` where another holder has the lock, naming the
    process and `remedy`, and where the folder cannot be written.
    """

    def __init__(self, path: Path, *, remedy: str = REMEDY) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            lock = path.with_name(path.name + ".lock")
            self._descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise UnavailableError(
                f"{path.parent} cannot be written ({error.strerror}); give rights to it or choose another"
            ) from error
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(self._descriptor, 512, 0).decode("utf-8", "replace").strip()
            os.close(self._descriptor)
            raise UnavailableError(
                f"{path} is in use by process {holder or 'unknown'}; {remedy}", field="home"
            ) from error
        with suppress(OSError):  # on a full disk the lock holds all the same, without a name
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, f"{os.getpid()} on {socket.gethostname()}".encode(), 0)

    def release(self) -> None:
        """Give the lock up; the file stays, so that no two holders ever lock different files.

        A process that was forked meanwhile has the descriptor too, and does not keep the lock by that.
        """
        fcntl.flock(self._descriptor, fcntl.LOCK_UN)
        os.close(self._descriptor)

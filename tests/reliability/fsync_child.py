"""A process whose disk refuses to sync from some moment on: `fsync_child.py DATABASE SYNCHRONOUS`.

Stores one event, then makes every fsync fail (a seccomp filter answers EIO), stores another, and
prints what it was told about it: `accepted` or the name of the error.
"""

import ctypes
import errno
import platform
import sys
from pathlib import Path

from foretaste.adapters.sqlite.database import SqliteDatabase
from foretaste.adapters.sqlite.event_log import SqliteEventLog
from foretaste.adapters.sqlite.id_map import SqliteIdMap
from foretaste.domain.errors import ForetasteError
from foretaste.domain.event import Event

CALLS = {"x86_64": (74, 75, 317), "aarch64": (82, 83, 277)}
"""The numbers of fsync, fdatasync and seccomp."""

LOAD_NUMBER, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, FAIL = 0x7FFF0000, 0x00050000 | errno.EIO
NO_NEW_PRIVILEGES, FILTER_MODE, ALL_THREADS = 38, 1, 1
UNSUPPORTED = 77


class Instruction(ctypes.Structure):
    _fields_ = (
        ("code", ctypes.c_ushort),
        ("yes", ctypes.c_ubyte),
        ("no", ctypes.c_ubyte),
        ("k", ctypes.c_uint32),
    )


class Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("first", ctypes.POINTER(Instruction)))


def refuse_to_sync() -> bool:
    """Let fsync and fdatasync fail in all threads; return False where this system cannot do that."""
    if sys.platform != "linux" or platform.machine() not in CALLS:
        return False
    fsync, fdatasync, seccomp = CALLS[platform.machine()]
    steps = (Instruction * 5)(
        Instruction(LOAD_NUMBER, 0, 0, 0),
        Instruction(JUMP_IF_EQUAL, 1, 0, fsync),
        Instruction(JUMP_IF_EQUAL, 0, 1, fdatasync),
        Instruction(RETURN, 0, 0, FAIL),
        Instruction(RETURN, 0, 0, ALLOW),
    )
    libc = ctypes.CDLL(None)
    if libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0):
        return False
    return libc.syscall(seccomp, FILTER_MODE, ALL_THREADS, ctypes.byref(Program(len(steps), steps))) == 0


def store(log: SqliteEventLog, name: str) -> str:
    event = Event(event_id=name, user_id="u", item_id="i", type="click", timestamp=0)
    try:
        return log.submit([event]).result(30)[0].status
    except ForetasteError as error:
        return type(error).__name__


def main(path: str, synchronous: str) -> None:
    database = SqliteDatabase(Path(path))
    database.writer._connection.execute(f"PRAGMA synchronous = {synchronous}")
    log = SqliteEventLog(database, SqliteIdMap(database))
    before = store(log, "before")
    if not refuse_to_sync():
        sys.exit(UNSUPPORTED)
    print(before, store(log, "after"), log.last_seq())  # noqa: T201 # the parent reads it


if __name__ == "__main__":
    main(*sys.argv[1:])

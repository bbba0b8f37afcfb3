"""What was freed goes back to the system, and code that has done its work."""

import platform
import resource
import sys
from pathlib import Path
from threading import Thread

import numba
import numpy as np
import pytest

from foretaste.domain.freed_memory import COMPILER, give_back_code, give_back_freed, unchanged_code

MEGABYTE = 1 << 20
CODE = """\
7f10000000-7f10400000 r-xp 00001000 08:01 42 /somewhere/libcompiler.so
Rss:                4096 kB
Anonymous:             0 kB
"""


def resident() -> int:
    """Return how many bytes of memory this process has."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize()


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only the GNU C library keeps what was freed")
def test_what_a_thread_took_for_a_moment_goes_back():
    kept = []

    def work():
        np.ones(30 * MEGABYTE, np.uint8)  # once freed, arrays up to this size are kept for later
        taken = [np.ones(MEGABYTE, np.uint8) for _ in range(64)]
        kept.extend(taken[::8])  # in between, so that what is freed beside them stays with the thread

    thread = Thread(target=work)
    thread.start()
    thread.join()
    before = resident()
    give_back_freed()
    assert before - resident() > 32 * MEGABYTE


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what of a library was not written to")
def test_the_code_of_the_compiler_goes_back_and_is_there_again_when_it_is_called():
    assert numba.njit(lambda x: x + 1)(1) == 2
    before = resident()
    give_back_code(COMPILER)
    assert before - resident() > 16 * MEGABYTE
    assert numba.njit(lambda x: x * 3)(5) == 15


def test_code_that_its_file_holds_unchanged_may_go_back():
    assert unchanged_code(CODE, "libcompiler") == [(0x7F10000000, 4 * MEGABYTE)]


@pytest.mark.parametrize(
    "other",
    [
        CODE.replace("Anonymous:             0", "Anonymous:             4"),
        CODE.replace("r-xp", "r--p"),
        CODE.replace("r-xp", "rw-p"),
        CODE.replace("libcompiler", "libother"),
        CODE.replace("/somewhere/libcompiler.so", ""),
    ],
    ids=["written to", "constants", "variables", "another library", "no file"],
)
def test_nothing_else_goes_back(other):
    assert unchanged_code(other, "libcompiler") == []
    assert len(unchanged_code(other + CODE, "libcompiler")) == 1

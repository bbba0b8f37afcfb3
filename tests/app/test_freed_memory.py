"""What was freed goes back to the system."""

import platform
import resource
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from foretaste.domain.freed_memory import give_back_freed

MEGABYTE = 1 << 20


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

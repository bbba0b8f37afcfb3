"""Memory that nothing needs for now, given back to the system."""

import ctypes
import mmap
from contextlib import suppress
from pathlib import Path

_libc = ctypes.CDLL(None)
_trim = getattr(_libc, "malloc_trim", None)
_advise = getattr(_libc, "madvise", None)
_MAPPED = Path("/proc/self/smaps")
_CODE = "r-xp"
_UNCHANGED = ("Anonymous:", "0")
COMPILER = "libllvmlite"
"""Whose code nobody needs any more once all kernels are there."""


def give_back_freed() -> None:
    """Give the system what was freed; nothing happens where the C library is another than GNU's.

    For after what runs rarely and takes much for a moment: that would stay with the thread that took it, as
    what lies at the very end of the thread's share still does. It takes a millisecond or so, in which others
    that need memory wait.
    """
    if _trim is not None:
        _trim(0)


def give_back_code(library: str) -> None:
    """Give the system the code of a library, as far as its file holds the same; Linux alone knows.

    For a library that has done its work: whoever calls it again has its code read from the file again, page
    by page, which mostly is in the system's own cache. What its constants were made into at loading stays.
    """
    if _advise is None or not _MAPPED.exists():
        return
    with suppress(OSError):
        for begin, size in unchanged_code(_MAPPED.read_text(), library):
            _advise(ctypes.c_void_p(begin), ctypes.c_size_t(size), mmap.MADV_DONTNEED)


def unchanged_code(mapped: str, library: str) -> list[tuple[int, int]]:
    """Return where the code of `library` begins and its size, of all that is `mapped` and not written to."""
    found: list[tuple[int, int]] = []
    begin = end = 0
    for line in mapped.splitlines():
        word = line.split()
        if "-" in word[0] and len(word) > 4:
            is_code = word[1] == _CODE and library in word[-1]
            begin, end = (int(part, 16) for part in word[0].split("-")) if is_code else (0, 0)
        elif begin and tuple(word[:2]) == _UNCHANGED:
            found.append((begin, end - begin))
    return found

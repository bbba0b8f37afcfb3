"""Memory that was freed: given back to the system, where the C library keeps it for later."""

import ctypes

_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)


def give_back_freed() -> None:
    """Give the system what was freed; nothing happens where the C library is another than GNU's.

    For after what runs rarely and takes much for a moment: that would stay with the thread that took it, as
    what lies at the very end of the thread's share still does. It takes a millisecond or so, in which others
    that need memory wait.
    """
    if _trim is not None:
        _trim(0)

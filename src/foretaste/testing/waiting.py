"""Waiting for what other threads and processes bring about."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

PATIENCE = 120.0
"""Seconds after which it counts as never: many times what it takes on a busy machine."""
_PAUSE = 0.005

T = TypeVar("T")


def until(holds: Callable[[], T], *, seconds: float = PATIENCE, each: Callable[[], object] = int) -> T:
    """Wait until `holds` gives something true, doing `each` before every look; return what it gives.

    Raises:
        AssertionError: it does not within `seconds`.
    """
    deadline = time.monotonic() + seconds
    while True:
        each()
        if found := holds():
            return found
        assert time.monotonic() < deadline, "this did not come about in time"
        time.sleep(_PAUSE)


def at_once(call: Callable[[], T], times: int = 8) -> list[T]:
    """Return what `call` gives in so many threads that begin at the same moment."""
    start = Barrier(times)

    def one() -> T:
        start.wait()
        return call()

    with ThreadPoolExecutor(times) as threads:
        return [each.result() for each in [threads.submit(one) for _ in range(times)]]

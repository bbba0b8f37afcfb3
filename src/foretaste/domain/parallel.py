"""Work in parts that share nothing, on as many threads as the caller of a training allows."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

P = TypeVar("P")
R = TypeVar("R")

_threads: ContextVar[int] = ContextVar("threads", default=1)


def usable_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def on_threads(count: int) -> Iterator[None]:
    """Let `in_parts` use `count` threads meanwhile, where the caller is; else it uses one."""
    token = _threads.set(max(1, count))
    try:
        yield
    finally:
        _threads.reset(token)


def in_parts(work: Callable[[P], R], parts: Sequence[P]) -> Iterator[R]:
    """Yield what `work` makes of each of `parts`, in their order.

    Each part reads what none writes, and writes what is its own: so the result has the same bits on any
    number of threads. It pays where most of the work lets go of the GIL.
    """
    count = min(_threads.get(), len(parts))
    if count <= 1:
        yield from map(work, parts)
        return
    with ThreadPoolExecutor(count, thread_name_prefix="foretaste-fit") as pool:
        yield from pool.map(work, parts)

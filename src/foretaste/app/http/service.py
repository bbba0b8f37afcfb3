"""What every handler works on."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from foretaste.app.home import Home

Clock: TypeAlias = Callable[[], int]
T = TypeVar("T")


def wall_clock() -> int:
    """Return the time in microseconds UTC."""
    return time.time_ns() // 1_000


@dataclass(frozen=True, slots=True)
class Service:
    """A home, and the clock that gives the time of every request in microseconds UTC."""

    home: Home
    clock: Clock = wall_clock

    async def answered(self, call: Callable[[], T]) -> T:
        """Return what `call` gives: in a thread where an answer may wait for other servers."""
        return await asyncio.to_thread(call) if self.home.waits else call()

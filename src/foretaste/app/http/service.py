"""What every handler works on."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from foretaste.app.home import Home

Clock: TypeAlias = Callable[[], int]


def wall_clock() -> int:
    """Return the time in microseconds UTC."""
    return time.time_ns() // 1_000


@dataclass(frozen=True, slots=True)
class Service:
    """A home, and the clock that gives the time of every request in microseconds UTC."""

    home: Home
    clock: Clock = wall_clock

"""The present time, as everything here counts it: microseconds since 1970, UTC."""

import time
from collections.abc import Callable
from typing import TypeAlias

MICROS_PER_DAY = 86_400_000_000

Clock: TypeAlias = Callable[[], int]
"""Gives the time in microseconds UTC."""


def system_clock() -> int:
    """Return the time in microseconds since 1970 UTC."""
    return time.time_ns() // 1_000

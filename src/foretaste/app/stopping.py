"""Work that may take a while, and the question whether it is to end before it is done."""

from collections.abc import Callable
from typing import TypeAlias

Stopped: TypeAlias = Callable[[], bool]
"""Whether whoever asked for something wants no more of it."""


def never() -> bool:
    """Say no: all of it is wanted."""
    return False

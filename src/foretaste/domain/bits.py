"""Bits of a number, for kernels: one instruction of the processor."""

from typing import Any

from numba import types
from numba.extending import intrinsic


def _ones_of(_: Any, __: Any) -> Any:
    def generated(_: Any, builder: Any, __: Any, given: Any) -> Any:
        return builder.ctpop(given[0])

    return types.int64(types.int64), generated


ones_of: Any = intrinsic(_ones_of)
"""For kernels: how many bits of an int64 are 1."""

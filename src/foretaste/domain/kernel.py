"""Compiled kernels: the one place that says how Numba compiles them."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., Any])


def kernel(function: F) -> F:
    """Compile `function` to machine code, cached on disk beside its source.

    Floating point keeps IEEE rules (no fast-math) and stays on one thread, so results are bit-equal
    from run to run. The GIL is kept: a kernel call is atomic to other Python threads.
    """
    return cast("F", numba.njit(cache=True, error_model="numpy")(function))

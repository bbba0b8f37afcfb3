"""Compiled kernels: the one place that says how Numba compiles them."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numba.extending import register_jitable

from foretaste.domain.kernel_cache import use_cache_of_these_sources

F = TypeVar("F", bound=Callable[..., Any])

_KEPT: dict[str, Any] = {"cache": True, "error_model": "numpy", "no_cfunc_wrapper": True}
"""On disk, floating point as in NumPy, without what calls from C would need: an eighth of the time."""

_PART: dict[str, Any] = {"error_model": "numpy", "no_cfunc_wrapper": True, "no_cpython_wrapper": True}
"""For what only other kernels call, which keep it with them."""

_NO_REFERENCES: dict[str, Any] = {"_nrt": False}
"""Numba's option for functions that allocate nothing (see `numba.extending.register_jitable`)."""

_ANY_ORDER = {"reassoc", "nsz", "contract"}
"""What fast-math lets sums be added up in any order, and nothing else."""

use_cache_of_these_sources()


def kernel(function: F) -> F:
    """Compile `function` to machine code, cached on disk (see `kernel_cache`).

    Floating point keeps IEEE rules (no fast-math) and stays on one thread, so results are bit-equal
    from run to run. The GIL is kept: a kernel call is atomic to other Python threads.
    """
    return cast("F", numba.njit(**_KEPT)(function))


def fitting_kernel(function: F) -> F:
    """Compile a kernel of training that lets go of the GIL: what it reads, nobody may write meanwhile."""
    return cast("F", numba.njit(**_KEPT, nogil=True)(function))


def inplace_kernel(function: F) -> F:
    """Compile a kernel that works in the arrays it is given and creates none (slices are fine).

    Numba then does without counting references to arrays, which at each call between kernels costs two
    atomic operations per array, often more than the called kernel's own work.
    """
    return cast("F", numba.njit(**_KEPT, **_NO_REFERENCES)(function))


@register_jitable
def variable(number: int) -> int:
    """Return a number as one that varies: for a constant Numba compiles once more what it is handed to."""
    return int(np.int64(number))


def unshared_kernel(function: F) -> F:
    """Compile an in-place kernel that lets go of the GIL: nobody else knows of the arrays it is given."""
    return cast("F", numba.njit(**_KEPT, nogil=True, **_NO_REFERENCES)(function))


def summing_kernel(function: F) -> F:
    """Compile a kernel whose sums may be added up in any order, many terms at a time.

    The order is that of the machine code: the same from run to run, not on every kind of processor.
    """
    return cast("F", numba.njit(**_KEPT, fastmath=_ANY_ORDER)(function))


def inner_summing_kernel(function: F) -> F:
    """Compile a part of other kernels that adds up as a `summing_kernel` does and creates no arrays."""
    return cast("F", numba.njit(**_PART, fastmath=_ANY_ORDER, **_NO_REFERENCES)(function))


def inner_kernel(function: F) -> F:
    """Compile a part of in-place kernels that Python itself never calls, in less time for that."""
    return cast("F", numba.njit(**_PART, **_NO_REFERENCES)(function))

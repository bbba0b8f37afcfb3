"""Memory for kernels that need a place for every item, and use few of them."""

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray


class Zeros:
    """Zeros, kept between calls of a kernel that writes to some and leaves zeros behind.

    A kernel call is not interrupted (see `kernel`), so that threads do not meet here.
    """

    def __init__(self, dtype: DTypeLike) -> None:
        self._array: NDArray[Any] = np.zeros(0, dtype)

    def of(self, length: int) -> NDArray[Any]:
        """Return at least `length` zeros."""
        if len(self._array) < length:
            self._array = np.zeros(max(length, 2 * len(self._array)), self._array.dtype)
        return self._array

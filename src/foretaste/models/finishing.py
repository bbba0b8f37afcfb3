"""Scores out of keys, which order items as their scores do."""

import numpy as np

from foretaste.domain.arrays import Floats
from foretaste.domain.kernel import kernel

PLAIN, TIMES, LOGARITHMIC = range(3)
"""A score is its key; key · factor; log(1 + key · factor)."""


@kernel
def finish(keys: Floats, factor: float, how: int) -> None:
    """Make scores of `keys`, float32 [n], in place; `factor` counts as float32."""
    if how == PLAIN:
        return
    times = np.float32(factor)
    for i in range(len(keys)):
        keys[i] = keys[i] * times
    if how == LOGARITHMIC:
        for i in range(len(keys)):
            keys[i] = np.log1p(keys[i])

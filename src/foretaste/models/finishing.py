"""Scores out of keys, which order items as their scores do."""

import numpy as np

from foretaste.domain.arrays import Floats
from foretaste.domain.kernel import kernel

PLAIN, TIMES, LOGARITHMIC = range(3)
"""A score is its key; key · factor; log(1 + key · factor)."""

_ROOT_OF_HALF = np.int64(0x3FE6A09E667F3BCD)
"""The bits of √½: numbers from there to √2 are told from the powers of two that they are multiplied by."""
_FRACTION_BITS = 52
_LOG_2 = 0.6931471805599453


@kernel
def finish(keys: Floats, factor: float, how: int) -> None:
    """Make scores of `keys`, float32 [n], in place; `factor` counts as float32."""
    if how == PLAIN:
        return
    times = np.float32(factor)
    for i in range(len(keys)):
        keys[i] = keys[i] * times
    if how == LOGARITHMIC:
        _log1p(keys)


@kernel
def _log1p(keys: Floats) -> None:
    """Replace keys by log(1 + key), within an ulp; without branches or calls, so that many are done at once.

    1 + key = m · 2^e with m from √½ to √2, and log m = 2 artanh((m - 1) / (m + 1)), by its series.
    """
    m, e = np.empty(len(keys)), np.empty(len(keys))
    for i in range(len(keys)):
        m[i] = 1.0 + np.float64(keys[i])
    bits = m.view(np.int64)
    for i in range(len(keys)):
        power = (bits[i] - _ROOT_OF_HALF) >> _FRACTION_BITS
        e[i] = np.float64(np.int32(power))
        bits[i] -= power << _FRACTION_BITS
    for i in range(len(keys)):
        above = np.float64(keys[i]) if e[i] == 0.0 else m[i] - 1.0
        s = above / (m[i] + 1.0)
        q = s * s
        series = (((((q / 13 + 1 / 11) * q + 1 / 9) * q + 1 / 7) * q + 1 / 5) * q + 1 / 3) * q + 1.0
        found = np.float32(2.0 * s * series + e[i] * _LOG_2)
        keys[i] = found if keys[i] < np.float32(np.inf) else keys[i]

"""What each event of a history weighs at the moment of asking."""

from functools import lru_cache

import numpy as np

from foretaste.domain.arrays import Floats
from foretaste.domain.history import History
from foretaste.domain.kernel import kernel
from foretaste.features.recency import Recency

FORGOTTEN = np.float32(2.0**-7)
"""An event that weighs less than this part of the weightiest one counts for nothing, and costs nothing."""


def recent_weights(history: History, recency: Recency, now: int) -> Floats:
    """Return the weight of each event times its decay, float32 [len(history)], 0 where it is forgotten."""
    if recency.half_life_seconds is None:
        decay = _decay_by_rank(recency, 1 << len(history).bit_length())
    else:
        decay = recency.decay(history.time, now)
        decay.flags.writeable = False  # as the other: one type, one compiled kernel
    weight = np.empty(len(history), np.float32)
    _weigh(history.weight, decay, weight)
    return weight


@kernel
def _weigh(weight: Floats, decay: Floats, decayed: Floats) -> None:
    """Write `weight` times the end of `decay`."""
    before = len(decay) - len(weight)
    largest = np.float32(0.0)
    for h in range(len(weight)):
        decayed[h] = weight[h] * decay[before + h]
        largest = max(largest, abs(decayed[h]))
    for h in range(len(weight)):
        if abs(decayed[h]) < FORGOTTEN * largest:
            decayed[h] = np.float32(0.0)


@lru_cache(maxsize=256)
def _decay_by_rank(recency: Recency, length: int) -> Floats:
    decay = recency.decay(np.zeros(length, np.int64), 0)
    decay.flags.writeable = False
    return decay

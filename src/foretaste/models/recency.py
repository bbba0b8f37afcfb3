"""What each event of a history weighs at the moment of asking."""

from functools import lru_cache

import numpy as np

from foretaste.domain.arrays import Floats
from foretaste.domain.history import History
from foretaste.features.recency import Recency

FORGOTTEN = np.float32(2.0**-10)
"""An event that weighs less than this part of the weightiest one counts for nothing, and costs nothing."""


def recent_weights(history: History, recency: Recency, now: int) -> Floats:
    """Return the weight of each event times its decay, float32 [len(history)], 0 where it is forgotten."""
    n = len(history)
    if n == 0:
        return np.zeros(0, np.float32)
    if recency.half_life_seconds is None:
        weight = history.weight * _decay_by_rank(recency, 1 << (n - 1).bit_length())[-n:]
    else:
        weight = recency.weights(history, now)
    size = np.abs(weight)
    weight[size < FORGOTTEN * size.max()] = 0.0
    return weight


@lru_cache(maxsize=256)
def _decay_by_rank(recency: Recency, length: int) -> Floats:
    decay = recency.decay(np.zeros(length, np.int64), 0)
    decay.flags.writeable = False
    return decay

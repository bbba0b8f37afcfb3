"""What each event of a history weighs at the moment of asking."""

from functools import lru_cache

import numpy as np

from foretaste.domain.arrays import Floats, Int64s, Ordinals
from foretaste.domain.history import History
from foretaste.domain.kernel import kernel
from foretaste.features.recency import Recency

FORGOTTEN = np.float32(2.0**-4)
"""An event that weighs less than this part of the weightiest one counts for nothing, and costs nothing."""


def recent_weights(history: History, recency: Recency, now: int) -> Floats:
    """Return the weight of each event times its decay, float32 [len(history)], 0 where it is forgotten."""
    weight = np.empty(len(history), np.float32)
    _weigh(history.weight, _decay(history, recency, now), FORGOTTEN, weight)
    return weight


def decayed_weights(history: History, recency: Recency, now: int) -> Floats:
    """Return the weight of each event times its decay, float32 [len(history)]; none is forgotten."""
    decay = _decay(history, recency, now)
    weighed: Floats = history.weight * decay[len(decay) - len(history) :]
    return weighed


def spoken(
    history: History, recency: Recency, now: int, *, n_items: int, most: int
) -> tuple[Int64s, Ordinals, Floats]:
    """Return places, items and recent weights of the events that speak, oldest first.

    They are those among the latest `most` that are not forgotten, on items below `n_items`.
    """
    weight = recent_weights(history, recency, now)
    place, item = np.empty(len(weight), np.int64), np.empty(len(weight), np.int32)
    n = _leave_speaking(history.item, weight, n_items, most, place, item)
    return place[:n], item[:n], weight[:n]


def _decay(history: History, recency: Recency, now: int) -> Floats:
    """Return a decay whose end is that of the history's events."""
    if recency.half_life_seconds is None:
        return _decay_by_rank(recency, 1 << len(history).bit_length())
    decay = recency.decay(history.time, now)
    decay.flags.writeable = False  # as the other: one type, one compiled kernel
    return decay


@kernel
def _leave_speaking(
    item: Ordinals, weight: Floats, n_items: int, most: int, place: Int64s, spoken_of: Ordinals
) -> int:
    """Write places and items of the events that speak, and their weights to the front; return how many."""
    n = 0
    for h in range(max(0, len(weight) - most), len(weight)):
        if weight[h] != np.float32(0.0) and 0 <= item[h] < n_items:
            place[n], spoken_of[n], weight[n] = h, item[h], weight[h]
            n += 1
    return n


@kernel
def _weigh(weight: Floats, decay: Floats, forgotten: np.float32, decayed: Floats) -> None:
    """Write `weight` times the end of `decay`, 0 where that is below `forgotten` of the largest."""
    before = len(decay) - len(weight)
    largest = np.float32(0.0)
    for h in range(len(weight)):
        decayed[h] = weight[h] * decay[before + h]
        largest = max(largest, abs(decayed[h]))
    for h in range(len(weight)):
        if abs(decayed[h]) < forgotten * largest:
            decayed[h] = np.float32(0.0)


@lru_cache(maxsize=256)
def _decay_by_rank(recency: Recency, length: int) -> Floats:
    decay = recency.decay(np.zeros(length, np.int64), 0)
    decay.flags.writeable = False
    return decay

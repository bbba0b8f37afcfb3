"""Kernels for decayed popularity that does not depend on the order of arrival.

An item's positive events are counted in buckets of time whose width doubles with age, like an exponential
histogram, but with borders that depend only on the item's newest event: with n that event's time in units
of `UNIT`, level l holds the times from c(l + 1) to before c(l), where c(0) = n + 1 and
c(l) = (⌊n / 2^l⌋ - 1) · 2^l, in one or two buckets of 2^l units (level 0: three or four). Borders of a later
n are borders of an earlier one, so that moving on merges whole buckets, and the counts are a function of the
set of events alone. What is older than the last level counts to its oldest bucket. Decay is applied when
read, as the mean over a bucket.
"""

import numpy as np

from foretaste.domain.arrays import Doubles, Floats, Int64s, Ordinals
from foretaste.domain.kernel import inner_kernel, inplace_kernel

UNIT = 60_000_000
"""Width of the finest bucket, in microseconds."""
LEVELS = 20
SLOTS = 4 + 2 * (LEVELS - 1)
WEIGHT_UNIT = 256
"""Weights are counted in steps of 1/256; a bucket that reaches the int32 limit stays there."""
NEVER = -(1 << 62)
"""The newest time of an item without positive events."""

_FULL = np.int64(np.iinfo(np.int32).max)


@inner_kernel
def _border(newest: int, level: int) -> int:
    return newest + 1 if level == 0 else ((newest >> level) - 1) << level


@inner_kernel
def _slot(newest: int, time: int) -> int:
    """Return the slot of the bucket that holds `time`, both in units, `time` <= `newest`."""
    level = 0
    while level < LEVELS and time < _border(newest, level + 1):
        level += 1
    if level == LEVELS:
        level = LEVELS - 1
        time = _border(newest, LEVELS)
    bucket = time >> level
    return bucket & 3 if level == 0 else 2 + 2 * level + (bucket & 1)


@inner_kernel
def _move_on(buckets: Ordinals, item: int, newest: int, later: int) -> None:
    """Merge buckets so that they fit the newest time `later`.

    Levels whose borders stay are left alone. From old to young: a slot that a bucket moves to was vacated
    before or holds the same bucket.
    """
    highest = LEVELS - 1
    while highest > 0 and newest >> highest == later >> highest:
        highest -= 1
    for level in range(highest, -1, -1):
        for bucket in range(_border(newest, level + 1) >> level, _border(newest, level) >> level):
            old = bucket & 3 if level == 0 else 2 + 2 * level + (bucket & 1)
            count = np.int64(buckets[item, old])
            if count > 0:
                buckets[item, old] = 0
                new = _slot(later, bucket << level)
                buckets[item, new] = min(_FULL, buckets[item, new] + count)


@inplace_kernel
def count_event(buckets: Ordinals, item: int, newest: int, time: int, amount: int) -> int:
    """Count `amount` at `time` (in units); return the item's newest time after it."""
    if newest == NEVER:
        newest = time
    elif time > newest:
        _move_on(buckets, item, newest, time)
        newest = time
    slot = _slot(newest, time)
    buckets[item, slot] = min(_FULL, buckets[item, slot] + amount)
    return newest


@inplace_kernel
def decayed_sums(
    buckets: Ordinals, newest: Int64s, items: Int64s, rates: Doubles, means: Doubles, sums: Doubles
) -> None:
    """Write to `sums` [half-lives, items] the weight of `items`, each decayed to the end of its newest unit.

    `rates` are halvings per unit; `means` [half-lives, LEVELS] the mean decay over a bucket of each level.
    """
    for item in items:
        sums[:, item] = 0.0
        if newest[item] == NEVER:
            continue
        for level in range(LEVELS):
            first, end = _border(newest[item], level + 1) >> level, _border(newest[item], level) >> level
            for bucket in range(first, end):
                slot = bucket & 3 if level == 0 else 2 + 2 * level + (bucket & 1)
                count = buckets[item, slot]
                if count > 0:
                    age = newest[item] + 1 - ((bucket + 1) << level)
                    for h in range(len(rates)):
                        sums[h, item] += count * means[h, level] * np.exp2(-age * rates[h])


@inplace_kernel
def decayed_to(
    sums: Doubles, newest: Int64s, items: Int64s, moment: float, rate: float, values: Floats
) -> None:
    """Write to `values` the `sums` of `items` decayed on to `moment` (in units), at most doubled."""
    for item in items:
        if sums[item] > 0.0:
            halvings = max(-1.0, (moment - (newest[item] + 1)) * rate)
            values[item] = sums[item] * np.exp2(-halvings) / WEIGHT_UNIT
        else:
            values[item] = 0.0

"""What the place where an item usually stood tells of it: lists are sorted by what is thought to be good."""

import numpy as np

from foretaste.domain.arrays import Doubles
from foretaste.ranking.shown import ShownSlates

FEWEST = 20
"""With fewer items that were looked at, their places tell nothing."""
STEPS = 20
LONGEST_STEP = 1.0
HOLD = 5.0
"""The slope is held to none as by so many looks."""
STEEPEST = 10.0
CLOSE = 1e-9


def usual_places(slates: ShownSlates, n_items: int) -> Doubles:
    """Return the mean logarithm of the places, from 1, where items stood, float64 [n_items]; 0 for none."""
    known = (slates.item >= 0) & (slates.item < n_items)
    item = slates.item[known]
    times = np.bincount(item, minlength=n_items)
    total = np.bincount(item, weights=np.log1p(slates.position[known]), minlength=n_items)
    return np.asarray(total / np.maximum(times, 1), np.float64)


def rate_by_place(place: Doubles, looks: Doubles, clicks: Doubles, base: float) -> Doubles:
    """Return the rate that items at such usual places have on average, float64 [n_items].

    A Poisson regression of clicks on the usual place, log-linear, over `looks`. Items without looks, and all
    where there are few, have the rate `base`. That the mean of what varies within an item stands beside it
    keeps what is good from being taken for what stands high (Mundlak 1978).
    """
    rate = np.full(len(place), base)
    seen = np.flatnonzero(looks > 0.0)
    if len(seen) < FEWEST or base <= 0.0:
        return rate
    looked, taken = looks[seen], clicks[seen]
    away = place[seen] - np.average(place[seen], weights=looked)
    away /= max(float(np.sqrt(np.average(np.square(away), weights=looked))), 1e-9)
    level, slope, hold = float(np.log(base)), 0.0, HOLD * base
    for _ in range(STEPS):
        expected = looked * np.exp(np.clip(level + slope * away, -STEEPEST, 0.0))
        missing = taken - expected
        curve = np.array(
            [[expected.sum() + CLOSE, expected @ away], [expected @ away, expected @ np.square(away) + hold]]
        )
        step = np.linalg.solve(curve, np.array([missing.sum(), missing @ away - hold * slope]))
        step = np.clip(step, -LONGEST_STEP, LONGEST_STEP)
        level, slope = level + float(step[0]), slope + float(step[1])
        if np.abs(step).max() < CLOSE:
            break
    rate[seen] = np.exp(np.clip(level + slope * away, -STEEPEST, 0.0))
    return rate

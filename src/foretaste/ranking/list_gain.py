"""NDCG of clicks in slates, and whether one order is ahead of another."""

import numpy as np

from foretaste.domain.arrays import Doubles, Ordinals
from foretaste.ranking.shown import ShownSlates

CUTOFF = 10
DRAWS = 1000


def list_gains(slates: ShownSlates, score: Doubles, cutoff: int = CUTOFF) -> Doubles:
    """Return NDCG@cutoff of every slate ordered by falling `score` (ties by place), float64 [n].

    Binary gains, discount 1 / log2(place + 1), the ideal cut at the number of clicks; NaN for a slate without
    clicks. NaN scores come last.
    """
    order = np.lexsort((slates.position, np.nan_to_num(-score, nan=np.inf), slates.slate))
    hit = slates.clicked[order].astype(np.float64)
    gain = np.where(slates.position < cutoff, 1.0 / np.log2(slates.position + 2.0), 0.0)
    found = np.bincount(slates.slate, weights=hit * gain, minlength=len(slates))
    clicks = np.bincount(slates.slate, weights=hit, minlength=len(slates)).astype(np.int64)
    ideal = np.concatenate(([0.0], np.cumsum(1.0 / np.log2(np.arange(cutoff) + 2.0))))[
        np.minimum(clicks, cutoff)
    ]
    return np.asarray(np.divide(found, ideal, out=np.full(len(slates), np.nan), where=ideal > 0.0))


def paired_low(ahead: Doubles, user: Ordinals, seed: int) -> float:
    """Return the lower end of the 95 % interval of the mean of `ahead`, people drawn with replacement."""
    if not len(ahead):
        return float("nan")
    _, who = np.unique(user, return_inverse=True)
    total, count = np.bincount(who, weights=ahead), np.bincount(who).astype(np.float64)
    drawn = np.random.default_rng(seed).integers(len(total), size=(DRAWS, len(total)))
    means = total[drawn].sum(axis=1) / count[drawn].sum(axis=1)
    return float(np.quantile(means, 0.025))

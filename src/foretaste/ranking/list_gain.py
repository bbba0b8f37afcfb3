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
    clicked = slates.clicked.astype(np.float64)
    found, ideal = _discounted(slates, score, clicked, cutoff), _discounted(slates, clicked, clicked, cutoff)
    return np.asarray(np.divide(found, ideal, out=np.full(len(slates), np.nan), where=ideal > 0.0))


def gains_at_alike_places(slates: ShownSlates, score: Doubles, effect: Doubles) -> Doubles:
    """Return what the clicks of each slate are worth in the order by `score`, float64 [n].

    What was shown first is clicked for its place too, which flatters the order that things were shown in. So
    a click counts by the inverse odds of its place, whose logarithm is `effect` float64 [longest slate]
    (inverse propensities: Joachims et al., WSDM 2017). In units of what the slates are worth on average in
    the order that is best for these clicks.
    """
    worth = slates.clicked.astype(np.float64) * np.exp(-effect[slates.position])
    found, ideal = (_discounted(slates, by, worth, CUTOFF) for by in (score, worth))
    return found / max(float(ideal.mean()), 1e-9)


def _discounted(slates: ShownSlates, score: Doubles, worth: Doubles, cutoff: int) -> Doubles:
    order = np.lexsort((slates.position, np.nan_to_num(-score, nan=np.inf), slates.slate))
    discount = np.where(slates.position < cutoff, 1.0 / np.log2(slates.position + 2.0), 0.0)
    found = np.bincount(slates.slate, weights=worth[order] * discount, minlength=len(slates))
    return found.astype(np.float64, copy=False)


def paired_low(ahead: Doubles, user: Ordinals, seed: int) -> float:
    """Return the lower end of the 95 % interval of the mean of `ahead`, people drawn with replacement."""
    if not len(ahead):
        return float("nan")
    _, who = np.unique(user, return_inverse=True)
    total, count = np.bincount(who, weights=ahead), np.bincount(who).astype(np.float64)
    drawn = np.random.default_rng(seed).integers(len(total), size=(DRAWS, len(total)))
    means = total[drawn].sum(axis=1) / count[drawn].sum(axis=1)
    return float(np.quantile(means, 0.025))

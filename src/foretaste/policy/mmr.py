"""Maximal marginal relevance: each place goes to what is likely and unlike what stands before it.

Carbonell and Goldstein 1998, "The use of MMR, diversity-based reranking".
"""

import numpy as np

from foretaste.domain.arrays import Doubles, Floats, Int64s, Mask, Ordinals
from foretaste.domain.kernel import inner_kernel, kernel, summing_kernel
from foretaste.features.category_table import CategoryTable
from foretaste.policy.similarity import likeness

_NO_VECTORS: Floats = np.empty((0, 0), np.float32)


@inner_kernel
def _best(relevance: Floats, taken: Mask, nearest: Doubles, trade_off: float, nearest_allowed: float) -> int:
    """Return who has the next place."""
    best, best_value, best_apart = -1, -np.inf, False
    for i in range(len(relevance)):
        if not taken[i]:
            apart = nearest[i] <= nearest_allowed
            value = trade_off * relevance[i] - (1.0 - trade_off) * nearest[i]
            if (apart and not best_apart) or (apart == best_apart and value > best_value):
                best, best_value, best_apart = i, value, apart
    return best


@summing_kernel
def _product(one: Floats, other: Floats) -> np.float32:
    total = np.float32(0.0)
    for d in range(len(one)):
        total += one[d] * other[d]
    return total


@kernel
def _select(
    relevance: Floats,
    vectors: Floats,
    start: Int64s,
    code: Ordinals,
    items: Ordinals,
    count: int,
    trade_off: float,
    nearest_allowed: float,
) -> Int64s:
    n, has_vectors = len(relevance), len(vectors) > 0
    chosen, taken, nearest = np.empty(count, np.int64), np.zeros(n, np.bool_), np.zeros(n)
    known = np.zeros(n, np.bool_)
    for i in range(len(vectors)):
        known[i] = _product(vectors[i], vectors[i]) > np.float32(0.0)
    for place in range(count):
        best = _best(relevance, taken, nearest, trade_off, nearest_allowed)
        chosen[place] = best
        taken[best] = True
        for i in range(n):
            if not taken[i]:
                cosine = _product(vectors[best], vectors[i]) if has_vectors else np.float32(0.0)
                both = known[best] and known[i]
                alike = likeness(float(cosine), both, start, code, items[best], items[i])
                nearest[i] = max(nearest[i], np.float64(np.float32(alike)))
    return chosen


def mmr(
    relevance: Floats,
    vectors: Floats | None,
    categories: CategoryTable,
    items: Ordinals,
    count: int,
    diversity_lambda: float,
    threshold: float = 0.0,
) -> Int64s:
    """Return the positions of `count` of `items` in the order in which they are shown.

    `relevance` float32 [n] falls from position to position; likeness is that of `similarities`, of `vectors`
    float32 [n, dim] and `categories`, and only looked up where it counts. Each
    place takes the highest λ · relevance - (1 - λ) · similarity to the nearest item before it, of equals
    the more relevant. λ = 1 keeps the order of relevance; λ = 0 ignores relevance after the first place.
    With relevance in log odds, an item is passed over for one wholly unlike those before it if that one's
    log odds are less than (1 - λ) / λ lower: at λ = 0.8, a quarter.

    With a `threshold`, items nearer than that (similarity above 1 - threshold) to one before them wait until
    all that keep the distance have their place. O(count · n · dim).
    """
    count = min(count, len(relevance))
    if diversity_lambda >= 1.0 and threshold == 0.0:
        return np.arange(count)
    nearest_allowed = 1.0 - threshold if threshold > 0.0 else np.inf
    chosen: Int64s = _select(
        relevance,
        _NO_VECTORS if vectors is None else vectors,
        categories.start,
        categories.code,
        items,
        count,
        diversity_lambda,
        nearest_allowed,
    )
    return chosen

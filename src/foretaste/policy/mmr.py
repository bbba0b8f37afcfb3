"""Maximal marginal relevance: each place goes to what is likely and unlike what stands before it.

Carbonell and Goldstein 1998, "The use of MMR, diversity-based reranking".
"""

import numpy as np

from foretaste.domain.arrays import Floats, Int64s
from foretaste.domain.kernel import kernel


@kernel
def _select(relevance: Floats, similarity: Floats, count: int, diversity_lambda: float) -> Int64s:
    n = len(relevance)
    chosen = np.empty(count, np.int64)
    taken = np.zeros(n, np.bool_)
    nearest = np.zeros(n)
    for place in range(count):
        best, best_value = -1, -np.inf
        for i in range(n):
            if not taken[i]:
                value = diversity_lambda * relevance[i] - (1.0 - diversity_lambda) * nearest[i]
                if value > best_value:
                    best, best_value = i, value
        chosen[place] = best
        taken[best] = True
        for i in range(n):
            nearest[i] = max(nearest[i], similarity[best, i])
    return chosen


def mmr(relevance: Floats, similarity: Floats, count: int, diversity_lambda: float) -> Int64s:
    """Return the positions of `count` items in the order in which they are shown.

    `relevance` float32 [n] falls from position to position; `similarity` float32 [n, n] lies in [0, 1]. Each
    place takes the highest λ · relevance - (1 - λ) · similarity to the nearest item before it, of equals
    the more relevant. λ = 1 keeps the order of relevance; λ = 0 ignores relevance after the first place.
    With relevance in log odds, an item is passed over for one wholly unlike those before it if that one's
    log odds are less than (1 - λ) / λ lower: at λ = 0.8, a quarter. O(count · n).
    """
    count = min(count, len(relevance))
    if diversity_lambda >= 1.0:
        return np.arange(count)
    return np.asarray(_select(relevance, similarity, count, diversity_lambda))

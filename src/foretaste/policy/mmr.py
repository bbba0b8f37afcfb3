"""Maximal marginal relevance: each place goes to what is likely and unlike what stands before it.

Carbonell and Goldstein 1998, "The use of MMR, diversity-based reranking".
"""

import numpy as np

from foretaste.domain.arrays import Floats, Int64s
from foretaste.domain.kernel import kernel


@kernel
def _select(
    relevance: Floats, similarity: Floats, count: int, diversity_lambda: float, nearest_allowed: float
) -> Int64s:
    n = len(relevance)
    chosen = np.empty(count, np.int64)
    taken = np.zeros(n, np.bool_)
    nearest = np.zeros(n)
    for place in range(count):
        best, best_value, best_apart = -1, -np.inf, False
        for i in range(n):
            if not taken[i]:
                apart = nearest[i] <= nearest_allowed
                value = diversity_lambda * relevance[i] - (1.0 - diversity_lambda) * nearest[i]
                if (apart and not best_apart) or (apart == best_apart and value > best_value):
                    best, best_value, best_apart = i, value, apart
        chosen[place] = best
        taken[best] = True
        for i in range(n):
            nearest[i] = max(nearest[i], similarity[best, i])
    return chosen


def mmr(
    relevance: Floats, similarity: Floats, count: int, diversity_lambda: float, threshold: float = 0.0
) -> Int64s:
    """Return the positions of `count` items in the order in which they are shown.

    `relevance` float32 [n] falls from position to position; `similarity` float32 [n, n] lies in [0, 1]. Each
    place takes the highest λ · relevance - (1 - λ) · similarity to the nearest item before it, of equals
    the more relevant. λ = 1 keeps the order of relevance; λ = 0 ignores relevance after the first place.
    With relevance in log odds, an item is passed over for one wholly unlike those before it if that one's
    log odds are less than (1 - λ) / λ lower: at λ = 0.8, a quarter.

    With a `threshold`, items nearer than that (similarity above 1 - threshold) to one before them wait until
    all that keep the distance have their place. O(count · n).
    """
    count = min(count, len(relevance))
    if diversity_lambda >= 1.0 and threshold == 0.0:
        return np.arange(count)
    nearest_allowed = 1.0 - threshold if threshold > 0.0 else np.inf
    return np.asarray(_select(relevance, similarity, count, diversity_lambda, nearest_allowed))

"""The order of relevance, as far as it is looked at."""

import numpy as np

from foretaste.domain.arrays import Floats, Int64s
from foretaste.domain.kernel import kernel

_FEW = 100


def best_first(relevance: Floats, count: int) -> Int64s:
    """Return the positions of the `count` largest, falling; of equals the first comes first.

    `relevance` float32 [n]; the result is int64 [min(count, n)].
    """
    count = min(count, len(relevance))
    if count > _FEW:
        return np.argsort(-relevance, kind="stable")[:count]
    best = np.empty(count, np.int64)
    if count:
        _fill(relevance, best)
    return best


@kernel
def _fill(relevance: Floats, best: Int64s) -> None:
    """Keep the best so far in order: what is new moves up from the end."""
    full, last = len(best), len(best) - 1
    for i in range(len(relevance)):
        if i >= full and relevance[i] <= relevance[best[last]]:
            continue
        place = min(i, last)
        while place > 0 and relevance[best[place - 1]] < relevance[i]:
            best[place] = best[place - 1]
            place -= 1
        best[place] = i

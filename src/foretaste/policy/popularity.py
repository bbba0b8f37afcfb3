"""Popularity correction: what everyone takes anyway has to be the likelier for it."""

import numpy as np

from foretaste.domain.arrays import Floats, Int64s


def corrected(relevance: Floats, interactions: Int64s, correction: float) -> Floats:
    """Return relevance - `correction` · ln(1 + interactions), float32 [n].

    `relevance` float32 [n] is in log odds, `interactions` int64 [n] counts all that happened with each item.
    So an item's odds are divided by its popularity to the power of `correction`: 0 changes nothing, at 1
    items rank by how much likelier this person takes them than anyone. Menon et al. 2021, "Long-tail
    learning via logit adjustment".
    """
    if correction == 0.0:
        return relevance
    return np.asarray(relevance - correction * np.log1p(interactions), np.float32)

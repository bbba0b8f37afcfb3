"""Serendipity: among what is relevant, what the person's own past would not have led to comes earlier.

Kaminskas and Bridge 2014, "Measuring surprise in recommender systems"; Adamopoulos and Tuzhilin 2014, "On
unexpectedness in recommender systems".
"""

import numpy as np

from foretaste.domain.arrays import Floats

MOST_WEIGHT = 0.99


def surprise(likeness: Floats) -> Floats:
    """Return each item's distance to the nearest of what the person had: 1 - max over the past, float32 [n].

    `likeness` float32 [n, past] in [0, 1]; everything is a surprise to whom had nothing.
    """
    return np.asarray(1.0 - likeness.max(axis=1, initial=0.0), np.float32)


def serendipitous(relevance: Floats, surprising: Floats, weight: float) -> Floats:
    """Return relevance + weight / (1 - weight) · surprise, float32 [n].

    `relevance` float32 [n] is in log odds, `surprising` float32 [n] in [0, 1]. An item wholly unlike the past
    passes one like it whose log odds are less than weight / (1 - weight) higher: at 0.2, a quarter, the
    exchange that MMR has at λ = 0.8. `weight` 0 changes nothing; more than `MOST_WEIGHT` counts as that.
    """
    if weight == 0.0:
        return relevance
    weight = min(weight, MOST_WEIGHT)
    return np.asarray(relevance + weight / (1.0 - weight) * surprising, np.float32)

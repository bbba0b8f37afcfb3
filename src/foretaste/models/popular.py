"""By how much what is popular is held back."""

import numpy as np

from foretaste.domain.arrays import Floats, Int64s

COUNTED = 1 << 14
"""From here on all items count as equally popular."""


def discounts(power: float) -> Floats:
    """Return (1 + n) ** -power for an item of n interactions, float32 [COUNTED]; its end holds for more.

    A single 1 for no power at all.
    """
    if power == 0.0:
        return np.ones(1, np.float32)
    return ((1.0 + np.arange(COUNTED)) ** -power).astype(np.float32)


def discounted(interactions: Int64s, discount: Floats) -> Floats:
    """Return the discount of each item, float32 [len(interactions)]."""
    return np.asarray(discount[np.minimum(interactions, len(discount) - 1)])

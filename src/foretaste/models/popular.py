"""By how much what is popular is held back."""

import numpy as np

from foretaste.domain.arrays import Floats

COUNTED = 1 << 14
"""From here on all items count as equally popular."""


def discounts(power: float) -> Floats:
    """Return (1 + n) ** -power for an item of n interactions, float32 [COUNTED]; its end holds for more."""
    return ((1.0 + np.arange(COUNTED)) ** -power).astype(np.float32)

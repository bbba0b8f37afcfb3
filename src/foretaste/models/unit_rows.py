"""Vectors of length one."""

import numpy as np

from foretaste.domain.arrays import Floats


def unit_rows(rows: Floats) -> Floats:
    """Return `rows` divided by their lengths, float32; rows of zeros stay."""
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return (rows / np.where(length > 0.0, length, 1.0)).astype(np.float32)

"""Names for the array types that signatures speak of."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Ordinals: TypeAlias = NDArray[np.int32]
"""int32: permanent dense numbers of items or users; -1 means unknown."""

Micros: TypeAlias = NDArray[np.int64]
"""int64: microseconds since 1970-01-01 UTC."""

Int64s: TypeAlias = NDArray[np.int64]
Int8s: TypeAlias = NDArray[np.int8]
Int16s: TypeAlias = NDArray[np.int16]
Floats: TypeAlias = NDArray[np.float32]
"""float32: scores, weights, factors."""

Doubles: TypeAlias = NDArray[np.float64]
Mask: TypeAlias = NDArray[np.bool_]

MICROS_PER_SECOND = 1_000_000

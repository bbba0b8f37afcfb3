"""What Python programs put into mappings, as what JSON would have held."""

from datetime import date
from typing import Any

import numpy as np


def plain(value: Any) -> Any:
    """Return a scalar of NumPy as Python's, a date or a moment as ISO 8601, anything else as it is."""
    own = value.item() if isinstance(value, np.generic) else value
    return own.isoformat() if isinstance(own, date) else own

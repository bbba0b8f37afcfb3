"""Compiling what serving runs before the first request."""

import numpy as np

from foretaste.domain.history import History
from foretaste.features.item_state import no_items
from foretaste.models.item_rows import ItemRows
from foretaste.models.transitions import add_rows


def warm_up() -> None:
    """Compile all kernels that scoring uses, or load them from the disk's cache.

    Kernels that only training uses are compiled at the first training.
    """
    one = np.ones(1, np.float32)
    zero = np.zeros(1, np.int32)
    history = History(item=zero, weight=one, time=np.zeros(1, np.int64), type=np.zeros(1, np.int16))
    rows = ItemRows(start=np.array([0, 1]), item=zero, value=one)
    rows.score(history, one, 1)
    neighbours = no_items().neighbours
    nothing = np.zeros(0, np.int32)
    add_rows(nothing, np.zeros(0, np.float32), neighbours, neighbours.follow, 1.0, np.zeros(0, np.float32))

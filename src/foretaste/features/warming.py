"""Compiling every kernel of this package before the first request."""

import numpy as np

from foretaste.domain.event import EventColumns
from foretaste.features.state import State, StateConfig


def warm_up() -> None:
    """Compile all kernels of this package, or load them from the disk's cache."""
    state = State(StateConfig(), lambda: ["view"])
    state.apply(
        EventColumns(
            previous_seq=0,
            seq=np.arange(1, 3),
            user=np.zeros(2, np.int32),
            item=np.arange(2, dtype=np.int32),
            type=np.zeros(2, np.int16),
            time=np.arange(2),
            key=np.arange(2),
            value=np.full(2, np.nan, np.float32),
        )
    )
    state.items.popularity(0, now=1)
    state.restore(state.snapshot())

"""Compiling every kernel of this package before the first request."""

import numpy as np

from foretaste.domain.event import EventColumns
from foretaste.events.vocabulary import MERGE_FROM, MERGE_INTO
from foretaste.features.state import State, StateConfig

_TYPES = ("view", MERGE_FROM, MERGE_INTO)


def warm_up() -> None:
    """Compile all kernels of this package, or load them from the disk's cache."""
    state = State(StateConfig(), lambda: _TYPES)
    state.apply(_events(0, user=[0, 0], kind=["view", "view"]))
    state.apply(_events(2, user=[0, 1], kind=[MERGE_FROM, MERGE_INTO]))
    state.items.popularity(0, now=1)
    state.items.touched_since(0)
    state.restore(state.snapshot())


def _events(previous: int, *, user: list[int], kind: list[str]) -> EventColumns:
    places = np.arange(previous, previous + len(user))
    return EventColumns(
        previous_seq=previous,
        seq=places + 1,
        user=np.array(user, np.int32),
        item=places.astype(np.int32),
        type=np.array([_TYPES.index(name) for name in kind], np.int16),
        time=places,
        key=places,
        value=np.full(len(user), np.nan, np.float32),
    )

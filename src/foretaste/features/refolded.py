"""Interactions as events again, for learners that choose their settings by what a state would have known."""

import numpy as np

from foretaste.domain.event import EventColumns
from foretaste.domain.interactions import Interactions
from foretaste.events.vocabulary import RATING
from foretaste.events.weights import EventWeights
from foretaste.features.state import State, StateConfig


def events_of(interactions: Interactions) -> tuple[State, EventColumns]:
    """Return an empty state and the events that bring it these interactions, in their order.

    The events are ratings whose value carries the weight.
    """
    lowest = float(interactions.weight.min(initial=0.0))
    width = float(interactions.weight.max(initial=0.0)) - lowest or 1.0
    weights = EventWeights(
        by_type={RATING: 1.0}, rating_lowest=lowest, rating_highest=lowest + width, rating_scale=1.0
    )
    n = len(interactions)
    events = EventColumns(
        previous_seq=0,
        seq=np.arange(1, n + 1),
        user=interactions.user,
        item=interactions.item,
        type=np.zeros(n, np.int16),
        time=interactions.time,
        key=np.arange(n),
        value=((interactions.weight - lowest) / width).astype(np.float32),
    )
    return State(StateConfig(weights=weights), lambda: (RATING,)), events

"""Events as what models are fitted on."""

from collections.abc import Sequence

import numpy as np

from foretaste.domain.event import EventColumns
from foretaste.domain.interactions import Interactions
from foretaste.events.weights import EventWeights, weigh


def interactions_of(
    events: EventColumns,
    type_names: Sequence[str],
    weights: EventWeights,
    *,
    n_users: int | None = None,
    n_items: int | None = None,
) -> Interactions:
    """Return the events of positive weight, ordered by (time, arrival).

    `n_users` and `n_items` say how many ordinals there are where that is known; by default as many as
    occur in `events`, weightless ones included.
    """
    weight = weigh(type_names, events.type, events.value, weights)
    positive = np.flatnonzero(weight > 0.0)
    order = positive[np.argsort(events.time[positive], kind="stable")]
    return Interactions(
        user=events.user[order],
        item=events.item[order],
        weight=weight[order],
        time=events.time[order],
        n_users=int(events.user.max(initial=-1)) + 1 if n_users is None else n_users,
        n_items=int(events.item.max(initial=-1)) + 1 if n_items is None else n_items,
        timed=bool(events.time.any()),
    )

"""How much an event says: the weight of its type and value."""

import math
from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from foretaste.domain.arrays import Doubles, Floats, Int16s
from foretaste.domain.errors import InvalidInputError
from foretaste.events.vocabulary import RATING, canonical_type

USUAL_WEIGHTS = {
    "impression": 0.0,
    "view": 0.3,
    "click": 0.5,
    "share": 1.0,
    "add_to_wishlist": 0.8,
    "add_to_cart": 1.0,
    "remove_from_cart": -0.3,
    "purchase": 2.0,
    "rating": 1.0,
    "like": 1.5,
    "dislike": -1.0,
    "dismiss": -0.5,
    "watch": 1.0,
    "complete": 1.5,
}
"""Weight of each known type; a type that is not listed weighs 0."""


class EventWeights(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What events weigh: `by_type`, and for a rating a curve over its value on top.

    A rating weighs `by_type["rating"]` times a line that rises from `rating_lowest` at value 0 to
    `rating_highest` at `rating_scale` and stays level outside. It is always positive: who rates an item
    low still chose it, which says more about taste than not having met it; but little, as what many rate
    low should not be taken for popular. Without a value the line is taken at its middle.
    """

    by_type: dict[str, float] = msgspec.field(default_factory=lambda: dict(USUAL_WEIGHTS))
    rating_lowest: float = 0.05
    rating_highest: float = 1.95
    rating_scale: float = 5.0


def event_weights(replaced: Mapping[str, float] | None = None) -> EventWeights:
    """Return the usual weights with some replaced; names may be aliases.

    Raises `InvalidInputError` for a weight that is not finite.
    """
    weights = dict(USUAL_WEIGHTS)
    for name, weight in (replaced or {}).items():
        if not math.isfinite(weight):
            raise InvalidInputError(f"the weight of {name!r} must be a finite number", field="weights")
        weights[canonical_type(name)] = float(weight)
    return EventWeights(by_type=weights)


def weigh(type_names: Sequence[str], types: Int16s, values: Floats, weights: EventWeights) -> Floats:
    """Return the weight of each event, float32 [n].

    `types` int16 [n] are ordinals into `type_names`; `values` float32 [n] is NaN where an event has none.
    """
    table = np.array([weights.by_type.get(name, 0.0) for name in type_names], np.float64)
    if not len(types):
        return np.empty(0, np.float32)
    weight = table[types]
    if RATING in type_names:
        rated = types == type_names.index(RATING)
        if rated.any():
            weight[rated] *= _rating_curve(values[rated].astype(np.float64), weights)
    return weight.astype(np.float32)


def _rating_curve(values: Doubles, weights: EventWeights) -> Doubles:
    place = np.where(np.isnan(values), 0.5, np.clip(values / weights.rating_scale, 0.0, 1.0))
    return weights.rating_lowest + (weights.rating_highest - weights.rating_lowest) * place

"""Popularity: what everyone takes to, decayed to the moment of asking."""

import math
from collections.abc import Hashable
from functools import lru_cache
from typing import ClassVar

import msgspec
import numpy as np

from foretaste.domain.arrays import Floats
from foretaste.domain.interactions import Interactions
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.models.interface import Moment
from foretaste.models.live_model import SameForEveryone
from foretaste.models.padding import for_all


class PopularityConfig(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="popularity"):
    """Which popularity: `half_life` in seconds, None for the longest one that the state keeps.

    The state's half-life next to it (by ratio) is used. A home of several sources has one model for each.
    """

    half_life: float | None = None

    def fit(self, interactions: Interactions, seed: int, catalog: CatalogColumns) -> "Popularity":  # noqa: ARG002 - nothing is learnt: the state counts every event
        """Return the model; nothing is learnt, since the state counts every event as it comes."""
        return Popularity(self)


class Popularity(SameForEveryone[PopularityConfig]):
    """The logarithm of one plus the decayed weight of an item's events.

    The logarithm keeps a few very popular items from flattening the differences between all others
    when scores of several sources are brought to one scale.
    """

    name: ClassVar[str] = "popularity"
    config_type = PopularityConfig

    is_logarithmic = True

    def keys(self, moment: Moment) -> Floats:
        """Return the popularity but for the latest decay, which is that of all."""
        items = moment.items
        values = items.decayed(nearest_half_life(items.half_lives, self._config.half_life), moment.now)
        return for_all(values, moment.n_items)

    def stage(self, moment: Moment) -> tuple[Hashable, float]:
        """Return the moment of `keys`, and the decay since then."""
        items = moment.items
        return items.stage(nearest_half_life(items.half_lives, self._config.half_life), moment.now)


@lru_cache(maxsize=256)
def nearest_half_life(half_lives: tuple[float, ...], wanted: float | None) -> int:
    """Return the index of the half-life whose ratio to `wanted` is nearest to 1; of the longest for None."""
    if wanted is None or math.isinf(wanted):
        return int(np.argmax(half_lives))
    finite = [math.inf if math.isinf(value) else abs(math.log(value / wanted)) for value in half_lives]
    return int(np.argmin(finite))

"""Rising: the items of whose events a large part happened lately."""

from collections.abc import Hashable
from typing import ClassVar

import msgspec
import numpy as np

from foretaste.domain.arrays import Floats, Ordinals
from foretaste.domain.interactions import Interactions
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.models.interface import Moment
from foretaste.models.live_model import SameForEveryone
from foretaste.models.padding import for_all
from foretaste.models.popularity import nearest_half_life


class RisingConfig(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="rising"):
    """What counts as lately: the state's half-life next to `half_life` seconds (by ratio)."""

    half_life: float = 86_400.0

    def fit(self, interactions: Interactions, seed: int, catalog: CatalogColumns) -> "Rising":  # noqa: ARG002 - nothing is learnt: the state counts every event
        """Return the model; nothing is learnt, since the state counts every event as it comes."""
        return Rising(self)


class Rising(SameForEveryone[RisingConfig]):
    """An item's decayed events over one more than all it ever had: 1 while it is new, 0 once it is over.

    Popularity alone shows what had a great day yesterday; this tells what has its day now, however
    small, and lets the blend hold back what everybody has seen.
    """

    name: ClassVar[str] = "rising"
    config_type = RisingConfig

    def keys(self, moment: Moment) -> Floats:
        """Return the part of an item's events that is recent, but for the latest decay."""
        return for_all(_part(*self._counts(moment)), moment.n_items)

    def keys_of(self, items: Ordinals, moment: Moment) -> Floats:
        """Return the keys of some items; see `SameForEveryone`."""
        lately, ever, factor = self._counts(moment)
        return _part(lately[items], ever[items], factor)

    def _counts(self, moment: Moment) -> tuple[Floats, Floats, float]:
        """Return the recent events and all events of items, and the latest decay of the second."""
        items, longest = moment.items, nearest_half_life(moment.items.half_lives, None)
        lately = items.decayed(nearest_half_life(items.half_lives, self._config.half_life), moment.now)
        return lately, items.decayed(longest, moment.now), items.stage(longest, moment.now)[1]

    def stage(self, moment: Moment) -> tuple[Hashable, float]:
        """Return the moments of `keys`, and the decay since then."""
        items = moment.items
        ever = items.stage(nearest_half_life(items.half_lives, None), moment.now)
        lately, factor = items.stage(nearest_half_life(items.half_lives, self._config.half_life), moment.now)
        return (ever, lately), factor


def _part(lately: Floats, ever: Floats, factor: float) -> Floats:
    part: Floats = lately / (ever * np.float32(factor) + np.float32(1.0))
    return part

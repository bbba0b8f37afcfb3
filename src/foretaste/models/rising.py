"""Rising: the items of whose events a large part happened lately."""

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from foretaste.domain.arrays import Floats, Ordinals
from foretaste.domain.history import History
from foretaste.domain.interactions import Interactions
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.models.interface import Moment
from foretaste.models.padding import at, for_all
from foretaste.models.popularity import nearest_half_life


class RisingConfig(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="rising"):
    """What counts as lately: the state's half-life next to `half_life` seconds (by ratio)."""

    half_life: float = 86_400.0

    def fit(self, interactions: Interactions, seed: int, catalog: CatalogColumns) -> "Rising":  # noqa: ARG002 - nothing is learnt: the state counts every event
        """Return the model; nothing is learnt, since the state counts every event as it comes."""
        return Rising(self)


class Rising:
    """An item's decayed events over one more than all it ever had: 1 while it is new, 0 once it is over.

    Popularity alone shows what had a great day yesterday; this tells what has its day now, however
    small, and lets the blend hold back what everybody has seen.
    """

    name: ClassVar[str] = "rising"

    def __init__(self, config: RisingConfig) -> None:
        self._config = config

    @property
    def config(self) -> RisingConfig:
        """The configuration."""
        return self._config

    def score(self, history: History, moment: Moment, items: Ordinals | None = None) -> Floats:  # noqa: ARG002 - the same for everyone
        """Return the part of an item's events that is recent; the history plays no part. See `Model`."""
        state = moment.items
        lately = state.popularity(nearest_half_life(state.half_lives, self._config.half_life), moment.now)
        ever = state.popularity(nearest_half_life(state.half_lives, None), moment.now)
        part = lately / (ever + np.float32(1.0))
        return for_all(part, moment.n_items) if items is None else at(part, items)

    def explain(self, history: History, item: int, moment: Moment) -> Floats:  # noqa: ARG002 - no event contributes
        """Return zeros: no event of the person's own contributes. See `Model`."""
        return np.zeros(len(history), np.float32)

    def explain_each(self, history: History, items: Ordinals, moment: Moment) -> Floats:  # noqa: ARG002 - no event contributes
        """Return zeros. See `Model`."""
        return np.zeros((len(items), len(history)), np.float32)

    def vectors(self, items: Ordinals) -> Floats | None:  # noqa: ARG002 - there are none
        """Return None: there are no vectors."""
        return None

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """Return nothing: all is in the state."""
        return {}

    @classmethod
    def from_arrays(cls, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:  # noqa: ARG003 - there are none
        """Rebuild the model."""
        return cls(msgspec.convert(dict(config), RisingConfig))

"""Popularity by circumstances: what people like this one take to, at an hour like this.

A circumstance t (`gender=f`, `hour=18`) raises or lowers the odds of item i by log((n_ti + k) / (e_ti + k)):
n_ti of its events were about i where e_ti would be if t made no difference: the mean of a gamma-Poisson model
(DuMouchel 1999, "Bayesian data mining in large frequency tables"). k, the pull to no difference, and which
kinds of circumstances are heard at all, are chosen by how high what came last is ranked.
The lifts of all active circumstances add up to the logarithm of popularity.
"""

from collections.abc import Hashable, Mapping
from typing import Any, ClassVar, Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from foretaste.domain.arrays import Floats, Ordinals
from foretaste.domain.interactions import Interactions
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.features.popularity import UNIT
from foretaste.models.circumstance_lifts import Lifts, chosen_lifts
from foretaste.models.interface import Moment
from foretaste.models.live_model import SameForEveryone
from foretaste.models.padding import at, for_all
from foretaste.models.popularity import nearest_half_life


class ContextPopularityConfig(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="context_popularity"
):
    """What is None is chosen by `fit`.

    `half_life` in seconds is that of the popularity that lifts are added to; lifts themselves do not age.
    `keys` are the kinds of circumstances that are heard, `pull` is k above, `share` the part of the added
    lifts that counts: circumstances of a person are not independent.
    """

    half_life: float | None = None
    keys: tuple[str, ...] | None = None
    pull: float | None = None
    share: float | None = None

    def fit(self, interactions: Interactions, seed: int, catalog: CatalogColumns) -> "ContextPopularity":  # noqa: ARG002 - learns from interactions only
        """Count, and choose what is left open on the last tenth of the interactions."""
        choice = chosen_lifts(
            interactions,
            seed,
            half_life=self.half_life,
            keys=self.keys,
            pull=self.pull,
            share=self.share,
        )
        half_life = choice.half_life if np.isfinite(choice.half_life) else None
        config = msgspec.structs.replace(
            self, half_life=half_life, keys=choice.keys, pull=choice.pull, share=choice.share
        )
        return ContextPopularity(config, choice.lifts)


class ContextPopularity(SameForEveryone[ContextPopularityConfig]):
    """Log popularity as of the minute, plus the lifts of all circumstances; silent where none is heard."""

    name: ClassVar[str] = "context_popularity"
    config_type = ContextPopularityConfig

    def __init__(self, config: ContextPopularityConfig, lifts: Lifts) -> None:
        super().__init__(config)
        self._lifts = lifts
        self._share = np.float32(config.share or 0.0)
        self._row = {name: row for row, name in enumerate(lifts.names)}

    def audience(self, moment: Moment) -> tuple[int, ...]:
        """Return the rows of the circumstances that are heard."""
        return tuple([row for name in moment.circumstances if (row := self._row.get(name)) is not None])

    def stage(self, moment: Moment) -> tuple[Hashable, float]:
        """Return the minute, and what the popularity of that minute depends on beside the events."""
        items, minute = moment.items, moment.now // UNIT
        return (minute, items.stage(self._half_life(moment), minute * UNIT)), 1.0

    def keys(self, moment: Moment) -> Floats:
        """Return the scores: log(1 + popularity) plus the lifts; 0 where no circumstance is heard."""
        heard = self.audience(moment)
        if not heard:
            return np.zeros(moment.n_items, np.float32)
        popularity = moment.items.popularity(self._half_life(moment), moment.now // UNIT * UNIT)
        scores = np.log1p(for_all(popularity, moment.n_items))
        for row in heard:
            item, value = self._lifts.of(row)
            inside = item < len(scores)
            scores[item[inside]] += self._share * value[inside]
        return scores

    def keys_of(self, items: Ordinals, moment: Moment) -> Floats:
        """Return the keys of some items; see `SameForEveryone`."""
        heard, state, half_life = self.audience(moment), moment.items, self._half_life(moment)
        if not heard:
            return np.zeros(len(items), np.float32)
        minute = moment.now // UNIT * UNIT
        lately, factor = state.decayed(half_life, minute), state.stage(half_life, minute)[1]
        scores: Floats = np.log1p(at(lately, items) * np.float32(factor))
        for row in heard:
            item, value = self._lifts.of(row)
            place = np.searchsorted(item, items)
            lifted = np.flatnonzero(place < len(item))
            lifted = lifted[item[place[lifted]] == items[lifted]]
            scores[lifted] += self._share * value[place[lifted]]
        return scores

    def _half_life(self, moment: Moment) -> int:
        return nearest_half_life(moment.items.half_lives, self._config.half_life)

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """Return the lifts; names are UTF-8 bytes, one after another."""
        return self._lifts.arrays()

    @classmethod
    def from_arrays(cls, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Rebuild the model; raise `CorruptArtifactError` where arrays contradict each other."""
        return cls(msgspec.convert(dict(config), ContextPopularityConfig), Lifts.from_arrays(arrays))

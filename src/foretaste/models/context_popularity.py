"""Popularity by circumstances: what people like this one take to, at an hour like this.

A circumstance t (`gender=f`, `hour=18`) raises or lowers the odds of item i by log((n_ti + k) / (e_ti + k)):
n_ti of its events were about i where e_ti would be if t made no difference: the mean of a gamma-Poisson model
(DuMouchel 1999, "Bayesian data mining in large frequency tables"). k, the pull to no difference, and which
kinds of circumstances are heard at all, are chosen by how high what came last is ranked.
The lifts of all active circumstances add up to the logarithm of popularity.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from foretaste.domain.arrays import Floats, Ordinals
from foretaste.domain.history import History
from foretaste.domain.interactions import Interactions
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.models.circumstance_lifts import Lifts, chosen_lifts
from foretaste.models.interface import Moment
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


class ContextPopularity:
    """Log popularity plus the lifts of the circumstances of the moment; silent where none is heard."""

    name: ClassVar[str] = "context_popularity"

    def __init__(self, config: ContextPopularityConfig, lifts: Lifts) -> None:
        self._config = config
        self._lifts = lifts
        self._row = {name: row for row, name in enumerate(lifts.names)}

    @property
    def config(self) -> ContextPopularityConfig:
        """The configuration, nothing left open."""
        return self._config

    def score(self, history: History, moment: Moment, items: Ordinals | None = None) -> Floats:  # noqa: ARG002 - of circumstances only
        """Return log(1 + popularity) plus the lifts; the history plays no part. See `Model`."""
        rows = [row for name in moment.circumstances if (row := self._row.get(name)) is not None]
        if not rows:
            return np.zeros(moment.n_items if items is None else len(items), np.float32)
        state = moment.items
        popularity = state.popularity(nearest_half_life(state.half_lives, self._config.half_life), moment.now)
        scores = np.log1p(for_all(popularity, moment.n_items))
        known = min(self._lifts.n_items, len(scores))
        share = np.float32(self._config.share or 0.0)
        for row in rows:
            item, value = self._lifts.of(row)
            inside = item < known
            scores[item[inside]] += share * value[inside]
        return scores if items is None else at(scores, items)

    def basis(self, moment: Moment) -> None:
        """Return None: scores depend on the moment."""

    def explain(self, history: History, item: int, moment: Moment) -> Floats:  # noqa: ARG002 - no event contributes
        """Return zeros: no event of the person's own contributes. See `Model`."""
        return np.zeros(len(history), np.float32)

    def explain_each(self, history: History, items: Ordinals, moment: Moment) -> Floats:  # noqa: ARG002 - no event contributes
        """Return zeros. See `Model`."""
        return np.zeros((len(items), len(history)), np.float32)

    def vectors(self, items: Ordinals) -> Floats | None:  # noqa: ARG002 - there are none
        """Return None: popularity has no vectors."""
        return None

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """Return the lifts; names are UTF-8 bytes, one after another."""
        return self._lifts.arrays()

    @classmethod
    def from_arrays(cls, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Rebuild the model; raise `CorruptArtifactError` where arrays contradict each other."""
        return cls(msgspec.convert(dict(config), ContextPopularityConfig), Lifts.from_arrays(arrays))

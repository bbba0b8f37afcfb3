"""Repetition: what a person had before, the more often and the more lately the likelier.

People listen again to the same songs, buy the same food, open the same pages. How they come back fades with
what they did since, and slowly (Anderson et al., "The dynamics of repeat consumption", WWW 2014). Who was
near whom says little of it, so models of what goes together find it by chance.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec
import numpy as np

from foretaste.domain.arrays import Floats, Int64s, Ordinals
from foretaste.domain.history import History
from foretaste.domain.interactions import Interactions
from foretaste.domain.kernel import kernel
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.features.recency import Recency
from foretaste.models.entries import entry_of
from foretaste.models.interface import Moment
from foretaste.models.live_model import Sparse, Told
from foretaste.models.live_tuning import settled
from foretaste.models.recency import decayed_weights
from foretaste.models.zeros import Zeros

CHOICES: Mapping[str, tuple[Any, ...]] = {
    "recency": (
        Recency(power=1.0),
        Recency(power=0.5),
        Recency(half_life_events=8.0),
        Recency(half_life_events=40.0),
        Recency(),
    ),
    "latest": (1.0, 0.0),
}
"""What is tried for a setting that is left open; the first is the usual value."""


class RepetitionConfig(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="repetition"):
    """How loudly the events of a history speak for their own items; what is None is chosen by `fit`.

    `latest`: the part that is left to the item of the last event, which many do not take twice in a row.
    """

    recency: Recency | None = None
    latest: float | None = None

    def fit(self, interactions: Interactions, seed: int, catalog: CatalogColumns) -> "Repetition":  # noqa: ARG002 - learns from interactions only
        """Return the model; nothing is learnt but what the configuration leaves open."""
        return Repetition(settled(self, CHOICES, interactions, seed, again=True))


class Repetition(Sparse[RepetitionConfig]):
    """The items of a history, each with the sum of its events' recent weights."""

    name: ClassVar[str] = "repetition"
    outlives_events: ClassVar[bool] = True
    config_type = RepetitionConfig

    def __init__(self, config: RepetitionConfig) -> None:
        super().__init__(config)
        self._recency = config.recency or CHOICES["recency"][0]
        self._latest = np.float32(CHOICES["latest"][0] if config.latest is None else config.latest)
        self._sums = Zeros(np.float32)

    @property
    def fades_with_time(self) -> bool:
        """Whether the events of a history speak more quietly with the time."""
        return self._recency.half_life_seconds is not None

    def made(self, history: History, moment: Moment) -> tuple[Int64s, None]:
        """Return the sums of the events' weights by item; see `Sparse`."""
        weight = self._weights(history, moment)
        return np.asarray(_entries(history.item, weight, self._sums.of(moment.n_items))), None

    def stands(self, told: Told, moment: Moment) -> bool:  # noqa: ARG002 - others change nothing
        """Return True: nobody else's events play a part."""
        return True

    def explain(self, history: History, item: int, moment: Moment) -> Floats:
        """Return the weights of the events on `item`; see `Model`."""
        return np.asarray(self.explain_each(history, np.array([item], np.int32), moment)[0])

    def explain_each(self, history: History, items: Ordinals, moment: Moment) -> Floats:
        """Return for each item the weights of the events on it; see `Model`."""
        own = (items[:, np.newaxis] == history.item) & _known(history.item, moment)
        return np.where(own, self._weights(history, moment), np.float32(0.0))

    def _weights(self, history: History, moment: Moment) -> Floats:
        """Return what each event says for its own item, float32 [len(history)]."""
        weight = decayed_weights(history, self._recency, moment.now)
        if len(history) and self._latest != np.float32(1.0):
            weight[history.item == history.item[-1]] *= self._latest
        return weight


def _known(items: Ordinals, moment: Moment) -> np.ndarray[Any, np.dtype[np.bool_]]:
    return np.asarray((items >= 0) & (items < moment.n_items))


@kernel
def _entries(items: Ordinals, weight: Floats, sums: Floats) -> Int64s:
    """Return the sum of `weight` of each item as entries; `sums` holds zeros, before and after."""
    entries, n = np.empty(len(items), np.int64), 0
    for h in range(len(items)):
        if 0 <= items[h] < len(sums):
            sums[items[h]] += weight[h]
    for h in range(len(items)):
        if 0 <= items[h] < len(sums) and sums[items[h]] != np.float32(0.0):
            entries[n] = entry_of(sums[items[h]], items[h])
            sums[items[h]] = np.float32(0.0)
            n += 1
    return entries[:n]

"""The linear item-to-item model that fits the size of the catalog."""

import msgspec
import numpy as np

from foretaste.domain.interactions import Interactions
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.features.recency import Recency
from foretaste.models.ease import Ease, EaseConfig
from foretaste.models.graph_filter import GraphFilter, GraphFilterConfig

PAIR = 200
"""To count a pair of items that a person took to costs EASE as much as so many steps of its inversion."""


class ItemItemConfig(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="item_item"):
    """EASE where it costs no more than for `ease_items` items that anybody took to, else the graph filter.

    EASE costs time with the third power of the number of items, and with the squares of the lengths of
    histories, and memory with the second power: 15,000 items take about a minute and 1 GB.
    """

    ease_items: int = 15_000
    recency: Recency | None = None

    def fit(self, interactions: Interactions, seed: int, catalog: CatalogColumns) -> Ease | GraphFilter:
        """Fit the model of the two that suits the size."""
        if work_of_ease(interactions) <= self.ease_items**3:
            return EaseConfig(recency=self.recency).fit(interactions, seed, catalog)
        return GraphFilterConfig(recency=self.recency).fit(interactions, seed, catalog)


def work_of_ease(interactions: Interactions) -> int:
    """Return how much work EASE would be, in steps of which n items take n³."""
    n_items = len(np.unique(interactions.item))
    lengths = np.bincount(interactions.user, minlength=1).astype(np.int64)
    return n_items**3 + PAIR * int(lengths @ lengths)

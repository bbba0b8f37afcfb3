"""The linear item-to-item model that fits the size of the catalog."""

import msgspec
import numpy as np

from foretaste.domain.interactions import Interactions
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.features.recency import Recency
from foretaste.models.ease import Ease, EaseConfig
from foretaste.models.graph_filter import GraphFilter, GraphFilterConfig


class ItemItemConfig(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="item_item"):
    """EASE for up to `ease_items` items that anybody took to, the graph filter above.

    EASE costs time with the third power of the number of items and memory with the second: 15,000 take
    about a minute and 2 GB.
    """

    ease_items: int = 15_000
    recency: Recency | None = None

    def fit(self, interactions: Interactions, seed: int, catalog: CatalogColumns) -> Ease | GraphFilter:
        """Fit the model of the two that suits the size."""
        if len(np.unique(interactions.item)) <= self.ease_items:
            return EaseConfig(recency=self.recency).fit(interactions, seed, catalog)
        return GraphFilterConfig(recency=self.recency).fit(interactions, seed, catalog)

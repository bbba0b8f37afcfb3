"""Candidates that the boosts of a query bring up."""

import numpy as np

from foretaste.domain.arrays import Doubles, Floats, Mask, Ordinals
from foretaste.domain.query import Query
from foretaste.features.expressions.columns import Columns
from foretaste.pipeline.conditions import added_by_boosts
from foretaste.pipeline.view import View
from foretaste.retrieval.selection import best_of


def promoted(query: Query, total: Floats, allowed: Mask, count: int) -> Ordinals:
    """Return the `count` allowed items that are best with the query's boosts, by ordinal; none without any.

    `total` as from `totals`: so what a boost lifts is a candidate, whether a source proposed it or not.
    """
    return best_of(total, allowed, count) if query.boost else np.empty(0, np.int32)


def totals(query: Query, view: View, dense: Floats, scale: Doubles) -> Floats:
    """Return what orders all items as their scores do, boosts included: float32 [n_items], none below 1.

    `dense` and `scale` are the scores of all items and the weight of each source over its deviation.
    """
    total = scale.astype(np.float32) @ dense
    if query.boost:
        columns = Columns(view.catalog, len(total))
        total += added_by_boosts(query, view, columns).sum(axis=0).astype(np.float32)
    if len(total):
        total -= total.min() - np.float32(1.0)
    return total

"""Scores of the items a model knows, laid out for all items there are."""

import numpy as np

from foretaste.domain.arrays import Floats, Ordinals
from foretaste.domain.kernel import kernel


def for_all(scores: Floats, n_items: int) -> Floats:
    """Return `scores` with `n_items` entries: 0 for items younger than the model."""
    if len(scores) == n_items:
        return scores
    padded = np.zeros(n_items, np.float32)
    known = min(len(scores), n_items)
    padded[:known] = scores[:known]
    return padded


def inside(items: Ordinals, n_items: int) -> tuple[Ordinals, Floats]:
    """Return `items`, those not from 0 to `n_items` - 1 replaced by 0, and 1 or 0: whether they were."""
    is_inside = (items >= 0) & (items < n_items)
    return np.where(is_inside, items, 0).astype(np.int32), is_inside.astype(np.float32)


def at(scores: Floats, items: Ordinals) -> Floats:
    """Return the entries of `scores` at `items`: 0 for those outside."""
    if not len(scores):
        return np.zeros(len(items), np.float32)
    rows, is_inside = inside(items, len(scores))
    found: Floats = scores[rows] * is_inside
    return found


@kernel
def taken(rows: Floats, items: Ordinals, scale: Floats) -> Floats:
    """Return the rows of `items`, times their `scale` unless that is empty: 0 for items outside.

    `rows` float32 [n, dim], `scale` float32 [n]; the result is float32 [len(items), dim].
    """
    found = np.zeros((len(items), rows.shape[1]), np.float32)
    for k in range(len(items)):
        if 0 <= items[k] < len(rows):
            factor = scale[items[k]] if len(scale) else np.float32(1.0)
            for d in range(rows.shape[1]):
                found[k, d] = factor * rows[items[k], d]
    return found

"""Calibration of categories: whether a list holds a person's interests in their proportions.

Steck 2018, "Calibrated recommendations".
"""

import numpy as np
from scipy import sparse

from foretaste.domain.arrays import Doubles, Ordinals
from foretaste.evaluation.profiles import Profiles
from foretaste.features.category_table import CategoryTable

SMOOTHING = 0.01
_CHUNK_CELLS = 4_000_000


def category_divergence(
    lists: Ordinals, profiles: Profiles, categories: CategoryTable, smoothing: float = SMOOTHING
) -> Doubles:
    """Return how far each list's mix of categories is from the person's own; float64 [n], in nats.

    KL(p || r) = Σ over categories c of p(c) ln(p(c) / r(c)), where p is the mean over the profile's items
    of p(c | item), q the same over the list, and r = (1 - s) q + s p with s = `smoothing`, so that the value
    is at most -ln s. An item's categories share it evenly; items without one are passed over. 0 where
    profile or list have no category: nothing can be said.
    """
    result = np.zeros(len(lists))
    n_items = max(categories.n_items, int(lists.max(initial=-1)) + 1, int(profiles.item.max(initial=-1)) + 1)
    shares = _shares(categories, n_items)
    had, shown = profiles.matrix(n_items), _listed(lists, n_items)
    step = max(1, _CHUNK_CELLS // max(1, len(categories.names)))
    for begin in range(0, len(lists), step):
        rows = slice(begin, begin + step)
        own, list_mix = _mix(had[rows] @ shares), _mix(shown[rows] @ shares)
        smoothed = (1.0 - smoothing) * list_mix + smoothing * own
        known = (own.sum(axis=1) > 0.0) & (list_mix.sum(axis=1) > 0.0)
        ratio = np.divide(own, smoothed, out=np.ones_like(own), where=own > 0.0)
        result[rows] = np.where(known, (own * np.log(ratio)).sum(axis=1), 0.0)
    return result


def _shares(categories: CategoryTable, n_items: int) -> sparse.csr_array:
    """Return p(c | item), float64 [n_items, n_categories]."""
    counts = np.diff(categories.start)
    start = np.concatenate((categories.start, np.full(n_items - categories.n_items, categories.start[-1])))
    part = np.repeat(1.0 / np.maximum(counts, 1), counts)
    return sparse.csr_array((part, categories.code, start), shape=(n_items, len(categories.names)))


def _listed(lists: Ordinals, n_items: int) -> sparse.csr_array:
    filled = lists >= 0
    start = np.concatenate(([0], np.cumsum(filled.sum(axis=1))))
    return sparse.csr_array((np.ones(int(start[-1])), lists[filled], start), shape=(len(lists), n_items))


def _mix(sums: sparse.csr_array) -> Doubles:
    dense = np.asarray(sums.toarray(), np.float64)
    total = dense.sum(axis=1, keepdims=True)
    mix = np.zeros(dense.shape)
    np.divide(dense, total, out=mix, where=total > 0.0)
    return mix

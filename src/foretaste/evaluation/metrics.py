"""Accuracy of ranked lists: one number per list, to be averaged and bootstrapped.

A list is a row of `hits`, bool [n, places]: whether the item on each place, best first, is wanted.
`wanted` int64 [n] is how many items are wanted in all, listed or not. Every function returns float64 [n]; a
list that wants nothing scores 0. Places beyond the length of a list count as misses.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from foretaste.domain.arrays import Doubles, Int64s, Mask, Ordinals


def hits_of(lists: Ordinals, start: Int64s, items: Ordinals) -> Mask:
    """Return whether each listed item is wanted, bool like `lists`.

    `lists` int32 [n, places] holds item ordinals, -1 on empty places. List i wants
    `items[start[i]:start[i + 1]]`, each once; `start` is int64 [n + 1].
    """
    width = 1 + max(int(lists.max(initial=-1)), int(items.max(initial=-1)))
    owner = np.repeat(np.arange(len(lists), dtype=np.int64), np.diff(start))
    wanted = owner * width + items
    listed = np.arange(len(lists), dtype=np.int64)[:, np.newaxis] * width + lists
    return np.asarray(np.isin(listed, wanted) & (lists >= 0))


def recall(hits: Mask, wanted: Int64s, k: int) -> Doubles:
    """Return hits among the first k / wanted."""
    return _ratio(hits[:, :k].sum(axis=1), wanted)


def precision(hits: Mask, wanted: Int64s, k: int) -> Doubles:  # noqa: ARG001 - all metrics are called alike
    """Return hits among the first k / k, also where fewer than k items are listed or wanted."""
    return np.asarray(hits[:, :k].sum(axis=1) / k, np.float64)


def average_precision(hits: Mask, wanted: Int64s, k: int) -> Doubles:
    """Return Σ (precision at each hit's place, of the first k) / min(wanted, k); its mean is MAP@k.

    The sum is divided by the highest number of hits that k places can hold, so that a perfect list
    scores 1 whatever k. trec_eval divides by `wanted` instead, which is the same while wanted ≤ k.
    """
    first = hits[:, :k]
    found = np.cumsum(first, axis=1) / np.arange(1, first.shape[1] + 1)
    return _ratio((found * first).sum(axis=1), np.minimum(wanted, k))


def ndcg(hits: Mask, wanted: Int64s, k: int) -> Doubles:
    """Return DCG of the first k / the highest DCG there can be; DCG is Σ over hits of 1 / log2(1 + place).

    Places count from 1, gains are binary; the ideal list has min(wanted, k) hits on its first places.
    Järvelin and Kekäläinen 2002.
    """
    discount = 1.0 / np.log2(np.arange(2, k + 2))
    first = hits[:, :k]
    ideal = np.concatenate(([0.0], np.cumsum(discount)))[np.minimum(wanted, k)]
    return _ratio((first * discount[: first.shape[1]]).sum(axis=1), ideal)


def hit_rate(hits: Mask, wanted: Int64s, k: int) -> Doubles:  # noqa: ARG001 - all metrics are called alike
    """Return 1 where any of the first k is a hit, else 0."""
    return np.asarray(hits[:, :k].any(axis=1), np.float64)


def reciprocal_rank(hits: Mask, wanted: Int64s, k: int) -> Doubles:  # noqa: ARG001 - all metrics are called alike
    """Return 1 / place of the first hit among the first k, else 0; its mean is MRR@k."""
    first = hits[:, :k]
    if not first.shape[1]:
        return np.zeros(len(hits))
    return np.asarray(np.where(first.any(axis=1), 1.0 / (1.0 + first.argmax(axis=1)), 0.0))


METRICS: Mapping[str, Callable[[Mask, Int64s, int], Doubles]] = MappingProxyType(
    {
        "recall": recall,
        "precision": precision,
        "map": average_precision,
        "ndcg": ndcg,
        "hit_rate": hit_rate,
        "mrr": reciprocal_rank,
    }
)
"""All of them by name."""


def _ratio(above: Doubles | Int64s, below: Doubles | Int64s) -> Doubles:
    result = np.zeros(len(above))
    np.divide(above, below, out=result, where=np.asarray(below) > 0)
    return result

"""Candidates: the union of what the sources propose, filled up where they have too little to say."""

import numpy as np

from foretaste.domain.arrays import Floats, Int64s, Mask, Ordinals
from foretaste.domain.slate import Candidates
from foretaste.retrieval.sources import propose

_NARROW = 4
"""Where fewer than one item in four is allowed, the allowed ones are first gathered side by side."""


def merge(
    sources: tuple[str, ...],
    dense: Floats,
    allowed: Mask,
    *,
    per_source: int,
    at_least: int,
    interactions: Int64s,
) -> Candidates:
    """Return the union of every source's best `per_source` allowed items, in order of ordinal.

    `dense` float32 [n_sources, n_items] holds all scores. Where the union has fewer than `at_least` items,
    allowed ones that no source proposes fill it up, those with most `interactions` first, then by
    ordinal: what matches is answered as long as there is any.
    """
    item, bits = union(dense, allowed, per_source)
    if len(item) < at_least:
        free = allowed.copy()
        free[item] = False
        item = np.concatenate((item, _most_used(free, interactions, at_least - len(item))))
        order = np.argsort(item)
        item, bits = item[order], np.append(bits, np.zeros(len(item) - len(bits), np.int64))[order]
    proposed = (bits >> np.arange(len(sources))[:, None]) & 1
    return Candidates(
        sources=sources, item=item.astype(np.int32), score=dense[:, item], proposed=proposed.astype(np.int32)
    )


def union(dense: Floats, allowed: Mask, per_source: int) -> tuple[Int64s, Int64s]:
    """Return the items that any source proposes, by ordinal, and as bits which sources propose each."""
    among = np.flatnonzero(allowed) if _NARROW * np.count_nonzero(allowed) < len(allowed) else None
    if among is not None:
        dense, allowed = dense[:, among], np.ones(len(among), np.bool_)
    proposed = np.zeros(dense.shape[1], np.int64)
    propose(np.ascontiguousarray(dense), allowed, per_source, proposed)
    place = np.flatnonzero(proposed)
    return (place if among is None else among[place]), proposed[place]


def _most_used(free: Mask, interactions: Int64s, count: int) -> Ordinals:
    items = np.flatnonzero(free)
    uses = np.zeros(len(free), np.int64)
    uses[: len(interactions)] = interactions[: len(free)]
    return items[np.argsort(-uses[items], kind="stable")[:count]].astype(np.int32)

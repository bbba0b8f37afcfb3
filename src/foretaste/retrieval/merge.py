"""Candidates: the union of what the sources propose, filled up where they have too little to say."""

import numpy as np

from foretaste.domain.arrays import Floats, Int64s, Mask, Ordinals
from foretaste.domain.slate import Candidates
from foretaste.retrieval.sources import collect, propose

_NARROW = 4
"""Where fewer than one item in four is allowed, the allowed ones are first gathered side by side."""

_FILLED = np.int64(1) << 62
"""The mark of an item that no source proposed."""


def merge(
    sources: tuple[str, ...],
    dense: Floats,
    allowed: Mask,
    *,
    per_source: int,
    interactions: Int64s,
    at_least: int = 0,
    also: Ordinals | None = None,
) -> Candidates:
    """Return the union of every source's best `per_source` allowed items, in order of ordinal.

    `dense` float32 [n_sources ≤ 62, n_items] holds all scores. Where the union has fewer than `at_least`
    items, allowed ones that no source proposes fill it up, those with most `interactions` first, then by
    ordinal: what matches is answered as long as there is any. The items of `also`, allowed ones
    each named once, are candidates too.
    """
    marks = np.zeros(dense.shape[1], np.int64)
    count = _propose(dense, allowed, per_source, marks)
    if also is not None:
        new = also[marks[also] == 0]
        marks[new] = _FILLED
        count += len(new)
    if count < at_least:
        filled = _most_used(allowed & (marks == 0), interactions, at_least - count)
        marks[filled] = _FILLED
        count += len(filled)
    item, score, proposed = collect(dense, marks, count)
    return Candidates(sources=sources, item=item, score=score, proposed=proposed)


def _propose(dense: Floats, allowed: Mask, per_source: int, marks: Int64s) -> int:
    if _NARROW * np.count_nonzero(allowed) >= len(allowed):
        return propose(dense, allowed, per_source, marks)
    among = np.flatnonzero(allowed)
    side_by_side = np.zeros(len(among), np.int64)
    every = np.ones(len(among), np.bool_)
    count = propose(np.take(dense, among, axis=1), every, per_source, side_by_side)
    marks[among] = side_by_side
    return count


def _most_used(free: Mask, interactions: Int64s, count: int) -> Int64s:
    items = np.flatnonzero(free)
    uses = np.zeros(len(free), np.int64)
    uses[: len(interactions)] = interactions[: len(free)]
    return items[np.argsort(-uses[items], kind="stable")[:count]]

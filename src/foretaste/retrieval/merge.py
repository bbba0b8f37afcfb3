"""Candidates: the union of what the sources propose, filled up where they have too little to say."""

from collections.abc import Callable

import numpy as np

from foretaste.domain.arrays import Floats, Int64s, Mask, Ordinals
from foretaste.domain.slate import Candidates
from foretaste.retrieval.sources import EVERYWHERE, collect, propose

_NARROW = 4
"""Where fewer than one item in four is allowed, only the allowed ones are looked at."""

_ROUND = 8


def merge(
    sources: tuple[str, ...],
    dense: Floats,
    allowed: Mask,
    *,
    per_source: int,
    interactions: Callable[[], Int64s],
    at_least: int = 0,
    also: Ordinals | None = None,
) -> Candidates:
    """Return the union of every source's best `per_source` allowed items, in order of ordinal.

    `dense` float32 [n_sources, n_items] holds all scores. Where the union has fewer than `at_least` items,
    allowed ones that no source proposes fill it up, those with most `interactions` (only then asked for)
    first, then by ordinal: what matches is answered as long as there is any. The items of `also`, allowed
    ones each named once, are candidates too.
    """
    n_sources, n_items = dense.shape
    seen = np.zeros(-(-n_items // _ROUND) * _ROUND, np.bool_)
    chosen, counts = np.empty((n_sources, per_source), np.int32), np.zeros(n_sources, np.int64)
    allowed_count = np.count_nonzero(allowed)
    count = 0
    if allowed_count:
        is_narrow = _NARROW * allowed_count < n_items
        among = np.flatnonzero(allowed).astype(np.int32) if is_narrow else EVERYWHERE
        count = propose(dense, allowed, among, per_source, seen, chosen, counts)
    if also is not None:
        new = also[~seen[also]]
        seen[new] = True
        count += len(new)
    if count < at_least:
        filled = _most_used(allowed & ~seen[:n_items], interactions(), at_least - count)
        seen[filled] = True
        count += len(filled)
    item, score, proposed = collect(dense, seen, chosen, counts, count)
    return Candidates(sources=sources, item=item, score=score, proposed=proposed)


def _most_used(free: Mask, interactions: Int64s, count: int) -> Int64s:
    items = np.flatnonzero(free)
    uses = np.zeros(len(free), np.int64)
    uses[: len(interactions)] = interactions[: len(free)]
    return items[np.argsort(-uses[items], kind="stable")[:count]]

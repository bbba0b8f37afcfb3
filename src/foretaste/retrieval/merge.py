"""Candidates: the union of what the sources propose, filled up where they have too little to say."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from foretaste.domain.arrays import Doubles, Int64s, Mask, Ordinals
from foretaste.domain.slate import Candidates
from foretaste.retrieval.rows import Row
from foretaste.retrieval.sources import COLUMNS, in_room, unite

_NONE: Ordinals = np.empty(0, np.int32)


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Where `rows` are, int64 [n_sources, len(COLUMNS)], and their factors, float64 [n_sources].

    Kernels read the rows where they are: they live as long as their table.
    """

    where: Int64s
    factor: Doubles
    rows: Sequence[Row]


def table_of(rows: Sequence[Row]) -> Table:
    """Return what kernels are told of rows."""
    where = np.frombuffer(bytearray().join([row.where for row in rows]), np.int64)
    return Table(where.reshape(len(rows), len(COLUMNS)), np.array([row.factor for row in rows]), rows)


def merge(
    sources: tuple[str, ...],
    rows: Sequence[Row],
    allowed: Mask,
    *,
    per_source: int,
    interactions: Callable[[], Int64s],
    at_least: int = 0,
    also: Ordinals = _NONE,
) -> Candidates:
    """Return the union of every source's best `per_source` allowed items, in order of ordinal.

    `rows` hold the sources' scores of all items, as many as `allowed` has. Where the union has fewer than
    `at_least` items, allowed ones that no source proposes fill it up, those with most `interactions` (only
    then asked for) first, then by ordinal: what matches is answered as long as there is any. The items of
    `also`, allowed ones each named once, are candidates too.
    """
    also = also.astype(np.int32, copy=False)  # one type: one compiled kernel
    table = table_of(rows)
    where, factor, n_items = table.where, table.factor, len(allowed)
    item, score, proposed = in_room(n_items, unite, where, factor, allowed, per_source, also, at_least)
    if len(item) < at_least:
        filled = _most_used(allowed, item, interactions(), at_least - len(item))
        also = np.concatenate((also, filled.astype(np.int32)))
        item, score, proposed = in_room(n_items, unite, where, factor, allowed, per_source, also, 0)
    return Candidates(sources=sources, item=item, score=score, proposed=proposed)


def _most_used(allowed: Mask, seen: Ordinals, interactions: Int64s, count: int) -> Int64s:
    free = allowed.copy()
    free[seen] = False
    items = np.flatnonzero(free)
    uses = np.zeros(len(free), np.int64)
    uses[: len(interactions)] = interactions[: len(free)]
    own = uses[items]
    if len(own) > count:
        among = own >= np.partition(own, -count)[-count]
        items, own = items[among], own[among]
    return items[np.argsort(-own, kind="stable")[:count]]

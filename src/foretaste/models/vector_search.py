"""The best of many vectors for a query, found by a look through the lists that promise most of it."""

from typing import NamedTuple

import numpy as np

from foretaste.domain.arrays import Floats, Int8s, Int64s, Mask, Ordinals
from foretaste.domain.kernel import kernel, summing_kernel, variable
from foretaste.models.coded_vectors import product
from foretaste.models.entries import TURNED, entry_of, in_order
from foretaste.models.inverted_lists import NOWHERE
from foretaste.models.sorting import fall, keep_best
from foretaste.models.vector_model import VectorQuery

PRODUCT = 5.0
"""A product takes as long as it takes to pass over so many vectors that are not allowed."""
HOPE = 2.0
"""A list may hold what exceeds the promise of its centre by so many times its spread."""
_ALL = -(1 << 63)
"""No list's number is below this."""
NO_SCORE = TURNED
"""The entries of positive scores are larger than this, and no others."""
_NOTHING: Int64s = np.empty(0, np.int64)
_FIRST = 8
"""An eighth of the lists is put in order at first: mostly that is enough."""


class Searched(NamedTuple):
    """What a search found, and where it looked: the lists whose numbers, in `order`, are not below `last`.

    `order` int64 [n_lists] is that of the query, whatever is allowed.
    """

    entries: Int64s
    order: Int64s
    last: int

    def looked_at(self, query: VectorQuery, items: Ordinals) -> Mask:
        """Return which of `items`, int32, it looked at, or would where their vectors are others now."""
        return _are_in_lists(query.lists.own, self.order, self.last, items)


def best_vectors(
    query: VectorQuery, allowed: Mask, n_allowed: int, count: int, order: Int64s | None = None
) -> Searched:
    """Return the entries of the best `count` allowed items of positive scores, the best first; nearly always.

    Fewer only where no other item has a positive score. `allowed` bool [n_items] is True for `n_allowed` or
    so, which with `Centres.looks` says how many are worth a look. What is found follows from the vectors and
    the query alone, and where it is looked for from those that were there when the lists were made. `order`
    is what another search for the query told.
    """
    lists = query.lists
    if not query.vector.any():
        return Searched(_NOTHING, _NOTHING, _ALL)
    if order is None or not len(order):
        order = _numbers_of(_promises(lists.centres.at, lists.centres.spread, query.vector))
    entries, last = _best_vectors(
        lists.code,
        lists.size,
        query.vector * query.vectors.column,
        order.copy(),
        lists.start,
        lists.count,
        lists.member,
        lists.is_late,
        allowed,
        count,
        looked_at(lists.centres.looks, n_allowed, count),
    )
    return Searched(entries, order, last)


def best_vectors_among(
    query: VectorQuery, items: Ordinals, allowed: Mask, count: int, order: Int64s | None = None
) -> Searched:
    """Return `best_vectors` of `items`, which `allowed` says too; all are looked at if that is less work."""
    lists, n = query.lists, max(len(items), 1)
    if PRODUCT * n > looked_at(lists.centres.looks, n, count) * (PRODUCT + len(allowed) / n):
        return best_vectors(query, allowed, n, count, order)
    vector = query.vector * query.vectors.column
    entries = _best_among(lists.code, lists.size, lists.own, lists.place, vector, items, count)
    return Searched(entries, _NOTHING, _ALL)


def looked_at(looks: float, n: int, count: int) -> int:
    """Return how many of `n` vectors are to be looked at, at least, for the best `count`; see `Centres`."""
    return int(looks * np.sqrt(n * count))


@summing_kernel
def _promises(at: Floats, spread: Floats, vector: Floats) -> Floats:
    """Return the most that a list may hold, as far as its centre tells, float32 [n_lists]."""
    length = np.float32(0.0)
    for d in range(len(vector)):
        length += vector[d] * vector[d]
    length = np.float32(HOPE) * np.sqrt(length)
    found = np.empty(len(at), np.float32)
    for c in range(len(at)):
        promise = np.float32(0.0)
        for d in range(len(vector)):
            promise += vector[d] * at[c, d]
        found[c] = promise + length * spread[c]
    return found


@kernel
def _best_vectors(
    code: Int8s,
    size: Floats,
    vector: Floats,
    lists: Int64s,
    start: Int64s,
    count: Int64s,
    member: Ordinals,
    is_late: Mask,
    allowed: Mask,
    m: int,
    most: int,
) -> tuple[Int64s, int]:
    """Look through `lists`, the largest number first, until `most` allowed items were seen and `m` found.

    Late ones do not count. Returns the entries, and the number of the last list looked through.
    """
    ordered = length = variable(0)
    seen, found, last = 0, 0, _ALL
    entries, least = np.empty(2 * m, np.int64), variable(NO_SCORE)
    if m < 1:
        return entries, _ALL
    for place in range(len(lists)):
        if place == ordered:
            ordered = _put_in_order(lists, ordered)
        if seen >= most and found >= m:
            return in_order(entries, length, m), last
        last = lists[place]
        c = last & 0xFFFFFFFF
        for at in range(start[c], start[c] + count[c]):
            i = member[at]
            if i >= len(allowed) or not allowed[i]:
                continue
            entry = entry_of(product(code, size, vector, at), i)
            seen += not is_late[i]
            found += entry > NO_SCORE and not is_late[i]
            if entry > least:
                length, least = _added(entry, entries, length, least, m)
    return in_order(entries, length, m), _ALL


@kernel
def _best_among(
    code: Int8s, size: Floats, own: Ordinals, place: Int64s, vector: Floats, items: Ordinals, m: int
) -> Int64s:
    """Return the entries of the best `m` of `items` of positive scores, the best first."""
    entries, least, length = np.empty(2 * m, np.int64), variable(NO_SCORE), variable(0)
    if m < 1:
        return entries
    for i in items:
        if i < len(own) and own[i] != NOWHERE:
            entry = entry_of(product(code, size, vector, place[i]), i)
            if entry > least:
                length, least = _added(entry, entries, length, least, m)
    return in_order(entries, length, m)


@kernel
def _added(entry: int, entries: Int64s, length: int, least: int, m: int) -> tuple[int, int]:
    """Put `entry` among the `length` of `entries` [2 m]; return how many are there, and what to beat."""
    entries[length] = entry
    length += 1
    if length < 2 * m:
        return length, least
    return m, int(keep_best(entries, length, m))


@kernel
def _are_in_lists(own: Ordinals, order: Int64s, last: int, items: Ordinals) -> Mask:
    """Return which of `items` are in a list whose number in `order` is not below `last`."""
    found = np.zeros(len(items), np.bool_)
    for k in range(len(items)):
        if items[k] < len(own) and own[items[k]] != NOWHERE:
            found[k] = last == _ALL or order[own[items[k]]] >= last
    return found


@kernel
def _numbers_of(promise: Floats) -> Int64s:
    """Return the lists with their promise in the upper half, so that the largest number promises most."""
    lists = np.empty(len(promise), np.int64)
    bits = promise.view(np.int32)
    for c in range(len(promise)):
        rising = bits[c] if bits[c] >= 0 else bits[c] ^ np.int32(0x7FFFFFFF)
        lists[c] = np.int64(rising) << 32 | c
    return lists


@kernel
def _put_in_order(lists: Int64s, done: int) -> int:
    """Put more of `lists`, of which `done` are in falling order, in order; return how many are then."""
    rest = lists[done:]
    first = len(rest) if done else min(len(rest), len(rest) // _FIRST + 1)
    if first < len(rest):
        keep_best(rest, len(rest), first)
    fall(rest[:first])
    return done + first

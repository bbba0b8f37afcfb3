"""Sources propose their best allowed items; every source's score of each proposed item is then collected."""

import numpy as np

from foretaste.domain.arrays import Doubles, Floats, Int64s, Mask, Ordinals
from foretaste.domain.kernel import kernel
from foretaste.domain.lent_arrays import float32_at, int8_at, int64_at, lent
from foretaste.models.coded_vectors import product
from foretaste.models.entries import TURNED, keep_best
from foretaste.models.finishing import finish
from foretaste.retrieval.selection import best_allowed, best_listed

COLUMNS = (
    DENSE,
    N_DENSE,
    ENTRIES,
    N_ENTRIES,
    ARE_ALL,
    ARE_SORTED,
    HOW,
    CODES,
    SIZES,
    N_VECTORS,
    DIM,
    QUERY,
) = range(12)
"""Columns of `where`, int64 [n_sources, 12]: addresses and lengths of the `dense` and `entries` of a `Row`;
whether these are all, and sorted; `how`. Where it has a `query` also the addresses of the vectors' codes and
sizes, how many they are, of how many dimensions, and the address of the query's vector times `column`."""

_WORD = 8
_NARROW = 4
"""Where fewer than one item in four is allowed, only the allowed ones are looked at."""


@kernel
def unite(
    where: Int64s, factor: Doubles, allowed: Mask, m: int, also: Ordinals, least: int
) -> tuple[Ordinals, Floats, Ordinals]:
    """Return the union of every source's `m` best allowed items and of `also`, in order of ordinal.

    That is: items, int32 [n], their scores, float32 [n_sources, n], and by which sources they were proposed,
    int32 [n_sources, n]. A source proposes only what it has reason for: keys above 0. Of equal keys the lower
    ordinal comes first. What is at hand is looked at first; only where that is too little all keys are.
    `factor` float64 [n_sources] finishes the keys.
    Where there are fewer than `least` items, nothing is collected: the items are without scores.
    """
    n_sources, n_items = len(where), len(allowed)
    seen = np.zeros(-(-n_items // _WORD) * _WORD, np.bool_)
    chosen, counts = np.empty((n_sources, m), np.int32), np.zeros(n_sources, np.int64)
    united = _propose(where, allowed, m, seen, chosen, counts)
    for item in also:
        if not seen[item]:
            seen[item] = True
            united += 1
    if united < least:
        few = np.flatnonzero(seen).astype(np.int32)
        return few, np.empty((n_sources, 0), np.float32), np.empty((n_sources, 0), np.int32)
    return _collect(where, factor, seen, chosen, counts, united)


@kernel
def _propose(where: Int64s, allowed: Mask, m: int, seen: Mask, chosen: Ordinals, counts: Int64s) -> int:
    """Write what every source s proposes to `chosen[s, :counts[s]]` and `seen`; return the union's size."""
    entries = np.empty(2 * m + 1, np.int64)
    among, is_listed, is_narrow = np.empty(0, np.int32), False, False
    united = 0
    for s in range(len(where)):
        given = lent(int64_at(where[s, ENTRIES]), where[s, N_ENTRIES])
        if where[s, ARE_SORTED]:
            length = _at_hand(given, allowed, m, entries)
        else:
            length = _best_given(given, allowed, m, entries)
        if length < m and not where[s, ARE_ALL]:
            if not is_listed:
                among, is_narrow = _listed(allowed)
                is_listed = True
            bits = _keys(where[s]).view(np.int32)
            if is_narrow:
                length = best_listed(bits, among, m, entries)
            else:
                length = best_allowed(bits, allowed, m, entries)
        if length > m:
            keep_best(entries, length, m)
            length = m
        counts[s] = length
        for place in range(length):
            item = TURNED - (entries[place] & TURNED)
            chosen[s, place] = item
            if not seen[item]:
                seen[item] = True
                united += 1
    return united


@kernel
def _keys(where: Int64s) -> Floats:
    """Return a source's keys of all items: as they are at hand, or inner products."""
    if not where[N_VECTORS]:
        dense: Floats = lent(float32_at(where[DENSE]), where[N_DENSE])
        return dense
    keys = np.empty(where[N_VECTORS], np.float32)
    for i in range(len(keys)):
        keys[i] = _product(where, i)
    return keys


@kernel
def _product(where: Int64s, i: int) -> np.float32:
    n, dim = where[N_VECTORS], where[DIM]
    codes, sizes = lent(int8_at(where[CODES]), (n, dim)), lent(float32_at(where[SIZES]), n)
    return product(codes, sizes, lent(float32_at(where[QUERY]), dim), i)


@kernel
def _listed(allowed: Mask) -> tuple[Ordinals, bool]:
    """Return the allowed items, and True, unless these are too many to be worth a list."""
    count = 0
    for i in range(len(allowed)):
        count += allowed[i]
    if count * _NARROW >= len(allowed):
        return np.empty(0, np.int32), False
    among, n = np.empty(count + 1, np.int32), 0
    for i in range(len(allowed)):  # without branches: half of them would be guessed wrong
        among[n] = i
        n += allowed[i]
    return among[:count], True


@kernel
def _at_hand(given: Int64s, allowed: Mask, most: int, entries: Int64s) -> int:
    """Copy the positive entries of allowed items, the first `most` of them; return how many."""
    length = 0
    for entry in given:
        if length == most:
            break
        entries[length] = entry  # without a branch: which items are allowed cannot be guessed
        length += (entry >= 1 << 32) & allowed[TURNED - (entry & TURNED)]
    return length


@kernel
def _best_given(given: Int64s, allowed: Mask, m: int, entries: Int64s) -> int:
    """Copy positive entries of allowed items, the `m` best among them; return how many, at most `2 * m`."""
    length, least = 0, (1 << 32) - 1
    for entry in given:
        entries[length] = entry
        length += (entry > least) & allowed[TURNED - (entry & TURNED)]
        if length == 2 * m:
            keep_best(entries, length, m)
            length, least = m, entries[:m].min()
    return length


@kernel
def _collect(
    where: Int64s, factor: Doubles, seen: Mask, chosen: Ordinals, counts: Int64s, united: int
) -> tuple[Ordinals, Floats, Ordinals]:
    """Return the `united` seen items by ordinal, their scores and by which sources they were proposed."""
    n_sources = len(where)
    item = np.empty(united, np.int32)
    key = np.zeros((n_sources, united), np.float32)
    proposed = np.zeros((n_sources, united), np.int32)
    place_of = np.empty(len(seen), np.int32)
    place = 0
    for word, some in enumerate(seen.view(np.uint64)):
        if some:
            for i in range(word * _WORD, word * _WORD + _WORD):
                if seen[i]:
                    item[place], place_of[i] = i, place
                    place += 1
    for s in range(n_sources):
        _read(where[s], seen, place_of, item, key[s])
        finish(key[s], factor[s], where[s, HOW])
        for place in range(counts[s]):
            proposed[s, place_of[chosen[s, place]]] = 1
    return item, key, proposed


@kernel
def _read(where: Int64s, seen: Mask, place_of: Ordinals, item: Ordinals, key: Floats) -> None:
    """Write a source's keys of the items seen over zeros."""
    if where[N_VECTORS]:
        for place in range(len(item)):
            if item[place] < where[N_VECTORS]:
                key[place] = _product(where, item[place])
        return
    if where[N_DENSE]:
        keys = lent(float32_at(where[DENSE]), where[N_DENSE])
        for place in range(len(item)):
            if item[place] < len(keys):
                key[place] = keys[item[place]]
        return
    for entry in lent(int64_at(where[ENTRIES]), where[N_ENTRIES]):
        i = TURNED - (entry & TURNED)
        if seen[i]:
            key[place_of[i]] = np.int32(entry >> 32).view(np.float32)

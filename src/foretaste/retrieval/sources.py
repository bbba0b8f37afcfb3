"""Sources propose their best allowed items; every source's score of each proposed item is then collected."""

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from foretaste.domain.arrays import Doubles, Floats, Int64s, Mask, Ordinals
from foretaste.domain.kernel import kernel
from foretaste.domain.lent_arrays import float32_at, int8_at, int64_at, lent
from foretaste.models.coded_vectors import product
from foretaste.models.entries import TURNED
from foretaste.models.finishing import finish
from foretaste.models.sorting import keep_best
from foretaste.retrieval.packed_keys import BLOCK, BLOCK_SHIFT, packed_key, unpacked
from foretaste.retrieval.selection import best_allowed, best_listed

T = TypeVar("T")

COLUMNS = (
    KEYS,
    N_KEYS,
    BITS,
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
) = range(13)
"""Columns of `where`, int64 [n_sources, 13]: address and number of the keys of a `Row`, and the address of
their bits where they are packed; address and length of its `entries`; whether these are all, and sorted;
`how`. Where it has a `query` also the addresses of the vectors' codes and sizes, how many they are, of how
many dimensions, and the address of the query's vector times `column`."""

_BYTE = 256
_POSITIVE = 1 << 32
_SAMPLED = 64
_KINDS, _KIND_SHIFT = 4096, 51
"""An entry's leading bits: exponent and four bits of the fraction of its score."""
_NARROW = 4
"""Where fewer than one item in four is allowed, only the allowed ones are looked at."""


_NO_ROOM: tuple[Mask, Ordinals] = np.zeros(0, np.bool_), np.zeros(0, np.int32)
_room = [_NO_ROOM]


def in_room(n_items: int, run: Callable[..., T], *given: Any) -> T:
    """Return what a kernel makes of `given` and of room to work in: a mask of False, and ordinals.

    Both are for `n_items` at least. It is the same room for all: a kernel is alone while it runs, and leaves
    the mask as it was; after one that could not, for want of memory, there is another.
    """
    if len(_room[0][0]) < n_items:
        _room[0] = np.zeros(n_items, np.bool_), np.zeros(n_items, np.int32)
    try:
        return run(*given, *_room[0])
    except BaseException:
        _room[0] = _NO_ROOM
        raise


@kernel
def unite(
    where: Int64s,
    factor: Doubles,
    allowed: Mask,
    m: int,
    also: Ordinals,
    least: int,
    seen: Mask,
    place_of: Ordinals,
) -> tuple[Ordinals, Floats, Ordinals]:
    """Return the union of every source's `m` best allowed items and of `also`, in order of ordinal.

    That is: items, int32 [n], their scores, float32 [n_sources, n], and by which sources they were proposed,
    int32 [n_sources, n]. A source proposes only what it has reason for: keys above 0. Of equal keys the lower
    ordinal comes first. What is at hand is looked at first; only where that is too little all keys are.
    `factor` float64 [n_sources] finishes the keys.
    Where there are fewer than `least` items, nothing is collected: the items are without scores.
    `seen` and `place_of` are the room to work in, see `in_room`.
    """
    n_sources, n_items = len(where), len(allowed)
    chosen, counts = np.empty((n_sources, m), np.int32), np.zeros(n_sources, np.int64)
    found = np.empty(n_sources * m + len(also) + 1, np.int32)
    n = _propose(where, allowed, m, seen, chosen, counts, found)
    for item in also:
        n = _note(item, seen, found, n)
    item = rising(found[:n], n_items)
    key, proposed = np.empty((n_sources, 0), np.float32), np.empty((n_sources, 0), np.int32)
    if n >= least:
        key, proposed = _collect(where, factor, seen, place_of, chosen, counts, item)
    for i in item:
        seen[i] = False
    return item, key, proposed


@kernel
def _note(item: int, seen: Mask, found: Ordinals, n: int) -> int:
    """Write down an item that was not seen yet; return how many there are, of `n` before."""
    found[n] = item  # without a branch: whether others proposed it too cannot be guessed
    n += not seen[item]
    seen[item] = True
    return n


@kernel
def rising(items: Ordinals, bound: int) -> Ordinals:
    """Return ordinals below `bound` in order, int32: sorted by a byte of theirs after the other."""
    given, sorted_ = items.copy(), np.empty(len(items), np.int32)
    begin = np.empty(_BYTE + 1, np.int64)
    shift = 0
    while (bound - 1) >> shift > 0:
        begin[:] = 0
        for item in given:
            begin[((item >> shift) & (_BYTE - 1)) + 1] += 1
        for byte in range(_BYTE):
            begin[byte + 1] += begin[byte]
        for item in given:
            byte = (item >> shift) & (_BYTE - 1)
            sorted_[begin[byte]] = item
            begin[byte] += 1
        given, sorted_ = sorted_, given
        shift += 8
    return given


@kernel
def _propose(
    where: Int64s, allowed: Mask, m: int, seen: Mask, chosen: Ordinals, counts: Int64s, found: Ordinals
) -> int:
    """Write what every source s proposes to `chosen[s, :counts[s]]`, `seen`, and the union to `found`.

    Return the union's size.
    """
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
            united = _note(item, seen, found, united)
    return united


@kernel
def _keys(where: Int64s) -> Floats:
    """Return a source's keys of all items: as they are at hand, or inner products."""
    if not where[N_VECTORS]:
        if where[BITS]:
            return unpacked(*_packed(where), where[N_KEYS])
        dense: Floats = lent(float32_at(where[KEYS]), where[N_KEYS])
        return dense
    keys = np.empty(where[N_VECTORS], np.float32)
    for i in range(len(keys)):
        keys[i] = _product(where, i)
    return keys


@kernel
def _packed(where: Int64s) -> tuple[Int64s, Floats]:
    """Return bits and keys of a source; of the keys' number the bits tell."""
    n = where[N_KEYS]
    bits = lent(int64_at(where[BITS]), ((n + BLOCK - 1) >> BLOCK_SHIFT, 2))
    return bits, lent(float32_at(where[KEYS]), n)


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
    length, least = 0, _POSITIVE
    if m < 1:
        return length
    for at, entry in enumerate(given):
        if at == _SAMPLED and length * len(given) > 2 * m * _SAMPLED:  # many are allowed
            least = max(least, _least_of_best(given, allowed, m))
        entries[length] = entry
        length += (entry >= least) & allowed[TURNED - (entry & TURNED)]
        if length == 2 * m:
            length, least = m, int(keep_best(entries, length, m))
    return length


@kernel
def _least_of_best(given: Int64s, allowed: Mask, m: int) -> int:
    """Return what the `m` best of the allowed positive entries do not fall below, if there are so many.

    That is found by counting entries by their leading bits.
    """
    count, best = np.zeros(_KINDS, np.int32), 0
    for entry in given:
        kind = entry >> _KIND_SHIFT
        is_good = (entry >= _POSITIVE) & allowed[TURNED - (entry & TURNED)]
        count[kind & (_KINDS - 1)] += is_good
        best = max(best, kind)
    above, kind = count[best], best
    while kind > 0 and above < m:
        kind -= 1
        above += count[kind]
    return max(kind << _KIND_SHIFT, _POSITIVE)


@kernel
def _collect(
    where: Int64s,
    factor: Doubles,
    seen: Mask,
    place_of: Ordinals,
    chosen: Ordinals,
    counts: Int64s,
    item: Ordinals,
) -> tuple[Floats, Ordinals]:
    """Return the scores of the seen items, and by which sources they were proposed."""
    n_sources, n = len(where), len(item)
    key = np.zeros((n_sources, n), np.float32)
    proposed = np.zeros((n_sources, n), np.int32)
    for place in range(n):
        place_of[item[place]] = place
    spare = np.empty(n + 1, np.float32)
    for s in range(n_sources):
        _read(where[s], seen, place_of, item, key[s], spare)
        finish(key[s], factor[s], where[s, HOW])
        for place in range(counts[s]):
            proposed[s, place_of[chosen[s, place]]] = 1
    return key, proposed


@kernel
def _read(where: Int64s, seen: Mask, place_of: Ordinals, item: Ordinals, key: Floats, spare: Floats) -> None:
    """Write a source's keys of the items seen over zeros; `spare` [n + 1] is room."""
    if where[N_VECTORS]:
        for place in range(len(item)):
            if item[place] < where[N_VECTORS]:
                key[place] = _product(where, item[place])
        return
    if where[N_KEYS]:
        _read_keys(where, item, key)
        return
    spare[:] = np.float32(0.0)
    for entry in lent(int64_at(where[ENTRIES]), where[N_ENTRIES]):
        i = TURNED - (entry & TURNED)
        place = place_of[i] if seen[i] else len(item)  # past the end: as in `_note`
        spare[place] = np.int32(entry >> 32).view(np.float32)
    for place in range(len(item)):
        key[place] = spare[place]


@kernel
def _read_keys(where: Int64s, item: Ordinals, key: Floats) -> None:
    """Write the keys of the items, of a source that has all of them at hand."""
    n = where[N_KEYS]
    if where[BITS]:
        bits, packed = _packed(where)
        for place in range(len(item)):
            if item[place] < n:
                key[place] = packed_key(bits, packed, item[place])
        return
    dense = lent(float32_at(where[KEYS]), n)
    for place in range(len(item)):
        if item[place] < n:
            key[place] = dense[item[place]]

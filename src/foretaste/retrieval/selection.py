"""The best of many scores, without sorting them."""

import numpy as np

from foretaste.domain.arrays import Floats, Int64s, Mask, Ordinals
from foretaste.domain.kernel import kernel
from foretaste.models.entries import TURNED, entry_of, in_order, items_of
from foretaste.models.sorting import keep_best

_BLOCK = 64
"""So many scores are looked at together: where the best of them is not good enough none is."""


@kernel
def best_listed(bits: Ordinals, among: Ordinals, m: int, entries: Int64s) -> int:
    """Bring the positive ones of listed items to the front of `entries` [2 m]; return how many.

    At least the `m` best are there, none where `m` is 0. `bits` are those of float32 scores: positive ones
    are ordered as their bit patterns are.
    """
    length, bound = 0, np.int32(0)
    if m < 1:
        return length
    for i in among:
        if i < len(bits) and bits[i] > bound:
            entries[length] = (np.int64(bits[i]) << 32) | (TURNED - i)
            length += 1
            if length == 2 * m:
                length, bound = m, np.int32(keep_best(entries, length, m) >> 32)
    return length


@kernel
def best_allowed(bits: Ordinals, allowed: Mask, m: int, entries: Int64s) -> int:
    """Do as `best_listed` with the items that `allowed` says, passing over blocks without a good one."""
    length, bound = 0, np.int32(0)
    if m < 1:
        return length
    for begin in range(0, len(bits), _BLOCK):
        end = min(begin + _BLOCK, len(bits))
        best = np.int32(0)
        for i in range(begin, end):
            best = max(best, bits[i])
        if best <= bound:
            continue
        for i in range(begin, end):
            if bits[i] > bound and allowed[i]:
                entries[length] = (np.int64(bits[i]) << 32) | (TURNED - i)
                length += 1
                if length == 2 * m:
                    length, bound = m, np.int32(keep_best(entries, length, m) >> 32)
    return length


@kernel
def best_entries(scores: Floats, allowed: Mask, count: int) -> Int64s:
    """Return the entries of the `count` allowed items of the highest positive scores, the best first."""
    entries = np.empty(2 * count, np.int64)
    length = best_allowed(scores.view(np.int32), allowed, count, entries)
    return in_order(entries, length, count)


@kernel
def best_entries_among(scores: Floats, items: Ordinals, count: int) -> Int64s:
    """Do as `best_entries` with these items, each named once, instead of allowed ones."""
    entries = np.empty(2 * count, np.int64)
    length = best_listed(scores.view(np.int32), items, count, entries)
    return in_order(entries, length, count)


@kernel
def replaced(
    entries: Int64s, items: Ordinals, keys: Floats, shown: Mask, most: int, are_all: bool
) -> tuple[Int64s, bool]:
    """Return the best entries, falling, after `items` got other `keys`; and whether these are all above 0.

    `entries` were the best of those before, or all. At most `most` are returned, fewer where items fell below
    what is known.
    """
    least = 0 if are_all or not len(entries) else entries[-1]
    found, n = np.empty(len(entries) + len(items), np.int64), 0
    for entry in entries:
        item = TURNED - (entry & TURNED)
        place = np.searchsorted(items, item)
        if place == len(items) or items[place] != item:
            found[n] = entry
            n += 1
    for place in range(len(items)):
        entry = entry_of(keys[place], items[place])
        if not shown[items[place]] or entry >> 32 <= 0 or entry < least:
            continue
        at = n
        while at > 0 and found[at - 1] < entry:
            found[at] = found[at - 1]
            at -= 1
        found[at] = entry
        n += 1
    return found[: min(n, most)].copy(), are_all and n <= most


def best_of(scores: Floats, allowed: Mask, count: int) -> Ordinals:
    """Return the `count` allowed items of the highest positive scores, by ordinal, int32."""
    return np.sort(items_of(best_entries(scores, allowed, count)))

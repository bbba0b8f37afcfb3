"""The best of many scores, without sorting them."""

import numpy as np

from foretaste.domain.arrays import Floats, Int64s, Mask, Ordinals
from foretaste.domain.kernel import kernel
from foretaste.models.entries import TURNED

_BLOCK = 64
"""So many scores are looked at together: where the best of them is not good enough none is."""


@kernel
def keep_best(entries: Int64s, n: int, m: int) -> None:
    """Reorder `entries[:n]`, all different, so that the largest `m` come first; `0 < m < n`."""
    low, high = 0, n - 1
    while low < high:
        a, b, c = entries[low], entries[(low + high) // 2], entries[high]
        pivot = max(min(a, b), min(max(a, b), c))
        left, right = low, high
        while left <= right:
            while entries[left] > pivot:
                left += 1
            while entries[right] < pivot:
                right -= 1
            if left <= right:
                entries[left], entries[right] = entries[right], entries[left]
                left += 1
                right -= 1
        if m - 1 <= right:
            high = right
        elif m - 1 >= left:
            low = left
        else:
            return


@kernel
def best_listed(bits: Ordinals, among: Ordinals, m: int, entries: Int64s) -> int:
    """Bring the positive ones of listed items to the front of `entries` [2 m]; return how many.

    At least the `m` best are there. `bits` are those of float32 scores: positive ones are ordered as their
    bit patterns are.
    """
    length, bound = 0, np.int32(0)
    for i in among:
        if i < len(bits) and bits[i] > bound:
            entries[length] = (np.int64(bits[i]) << 32) | (TURNED - i)
            length += 1
            if length == 2 * m:
                keep_best(entries, length, m)
                length, bound = m, np.int32(entries[:m].min() >> 32)
    return length


@kernel
def best_allowed(bits: Ordinals, allowed: Mask, m: int, entries: Int64s) -> int:
    """Do as `best_listed` with the items that `allowed` says, passing over blocks without a good one."""
    length, bound = 0, np.int32(0)
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
                    keep_best(entries, length, m)
                    length, bound = m, np.int32(entries[:m].min() >> 32)
    return length


@kernel
def best_entries(scores: Floats, allowed: Mask, count: int) -> Int64s:
    """Return the entries of the `count` allowed items of the highest positive scores, the best first."""
    entries = np.empty(2 * count, np.int64)
    length = best_allowed(scores.view(np.int32), allowed, count, entries)
    if length > count:
        keep_best(entries, length, count)
        length = count
    return np.sort(entries[:length])[::-1].copy()


def best_of(scores: Floats, allowed: Mask, count: int) -> Ordinals:
    """Return the `count` allowed items of the highest positive scores, by ordinal, int32."""
    return np.sort((TURNED - (best_entries(scores, allowed, count) & TURNED)).astype(np.int32))

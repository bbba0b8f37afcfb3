"""Kernels for growing sets of (key → one or two numbers), many of them in one pool of memory.

A table has one row per user or item. The header of a row lies in three neighbouring columns of an int64
array: where its block starts in the pool, how many entries it has, and its level (a block of level L > 0 has
room for 2^(L + 1) entries; level 0 is no block). Entries lie densely from the start of the block on, in
the order in which they came. Rows of more than eight entries have a hash index (open addressing, linear
probing) in a second pool, at twice the block's position and of twice its length. Freed blocks wait in a list
per level, chained through their first entry.

"""

import numpy as np

from foretaste.domain.arrays import Int64s, Ordinals
from foretaste.domain.kernel import inner_kernel

LEVELS = 30
_SCANNED = 2
"""Rows up to this level (8 entries) are searched by scanning."""


@inner_kernel
def room(level: int) -> int:
    """Return how many entries a block of `level` holds."""
    return 2 << level if level > 0 else 0


@inner_kernel
def take_block(first: Int64s, blocks: Int64s, level: int) -> int:
    """Return the start of a block; the caller has checked that there is room at the end of the pool.

    `first` int64 [pool] is the first number of each entry. `blocks` int64 [1 + LEVELS]: the used length of
    the pool, then per level the first free block or -1.
    """
    free: int = blocks[1 + level]
    if free >= 0:
        blocks[1 + level] = first[free]
        return free
    start: int = blocks[0]
    blocks[0] = start + room(level)
    return start


@inner_kernel
def give_block(first: Int64s, blocks: Int64s, start: int, level: int) -> None:
    """Put a block back; see `take_block`."""
    if level > 0:
        first[start] = blocks[1 + level]
        blocks[1 + level] = start


@inner_kernel
def _slot(key: int, mask: int) -> int:
    """Return the first slot to try (Fibonacci hashing)."""
    mixed = np.uint64(key) * np.uint64(0x9E3779B97F4A7C15)
    return int(mixed >> np.uint64(32)) & mask


@inner_kernel
def build_index(entries: Int64s, index: Ordinals, start: int, length: int, level: int) -> None:
    """Index the entries of a row anew."""
    if level <= _SCANNED:
        return
    size = 2 * room(level)
    base = 2 * start
    for slot in range(size):
        index[base + slot] = -1
    for entry in range(length):
        slot = _slot(entries[start + entry, 0], size - 1)
        while index[base + slot] >= 0:
            slot = (slot + 1) & (size - 1)
        index[base + slot] = entry


@inner_kernel
def position(entries: Int64s, index: Ordinals, start: int, length: int, level: int, key: int) -> int:
    """Return where `key` lies in the pool, -1 if the row lacks it."""
    found = -1
    if level <= _SCANNED:
        for place in range(start, start + length):
            if entries[place, 0] == key:
                found = place
                break
    else:
        mask = 2 * room(level) - 1
        slot = _slot(key, mask)
        entry = index[2 * start + slot]
        while entry >= 0 and entries[start + entry, 0] != key:
            slot = (slot + 1) & mask
            entry = index[2 * start + slot]
        if entry >= 0:
            found = start + entry
    return found


@inner_kernel
def _grow(entries: Int64s, index: Ordinals, blocks: Int64s, heads: Int64s, row: int, column: int) -> None:
    start, length, level = heads[row, column], heads[row, column + 1], heads[row, column + 2]
    bigger = take_block(entries[:, 0], blocks, level + 1)
    for entry in range(length):
        for part in range(entries.shape[1]):
            entries[bigger + entry, part] = entries[start + entry, part]
    give_block(entries[:, 0], blocks, start, level)
    build_index(entries, index, bigger, length, level + 1)
    heads[row, column] = bigger
    heads[row, column + 2] = level + 1


@inner_kernel
def insert(
    entries: Int64s, index: Ordinals, blocks: Int64s, heads: Int64s, row: int, column: int, key: int
) -> int:
    """Append `key`, which the row lacks, with zeros; return where it lies in the pool.

    Takes at most one block of the next level; the caller has checked that there is room.
    """
    if heads[row, column + 1] == room(heads[row, column + 2]):
        _grow(entries, index, blocks, heads, row, column)
    start, length, level = heads[row, column], heads[row, column + 1], heads[row, column + 2]
    place: int = start + length
    entries[place, 0] = key
    for part in range(1, entries.shape[1]):
        entries[place, part] = 0
    heads[row, column + 1] = length + 1
    if level > _SCANNED:
        mask = 2 * room(level) - 1
        slot = _slot(key, mask)
        while index[2 * start + slot] >= 0:
            slot = (slot + 1) & mask
        index[2 * start + slot] = length
    return place

"""Kernels for what happens near what: pairs of items within a window of a person's positive events.

The row of an item (see `keyed_rows`) holds per other item one int64: how much that one followed in the
upper 32 bits, how often both came together in the lower ones.
"""

import numpy as np

from foretaste.domain.arrays import Int64s, Ordinals
from foretaste.domain.kernel import inner_kernel
from foretaste.features.keyed_rows import build_index, insert, position
from foretaste.features.tables import ROW, ROW_LENGTH, ROW_LEVEL

FOLLOW_UNIT = 256
"""The weight of one direct succession; events d places apart count FOLLOW_UNIT / d, rounded."""

_FULL = (1 << 31) - 1


@inner_kernel
def _retain(items: Int64s, pairs: Int64s, index: Ordinals, item: int, threshold: int) -> None:
    """Keep the entries of a row that are not zero and stronger than `threshold`."""
    start, length = items[item, ROW], items[item, ROW_LENGTH]
    kept = start
    for place in range(start, start + length):
        together = pairs[place, 1] & _FULL
        if together > 0 and (together << 31 | pairs[place, 0]) > threshold:
            pairs[kept, 0], pairs[kept, 1] = pairs[place, 0], pairs[place, 1]
            kept += 1
    items[item, ROW_LENGTH] = kept - start
    build_index(pairs, index, start, kept - start, items[item, ROW_LEVEL])


@inner_kernel
def _make_room(items: Int64s, pairs: Int64s, index: Ordinals, item: int, bound: int) -> None:
    """Shorten a full row to its stronger half, unless dropping entries that became zero is enough.

    So a row that had zeros loses others at the same event as one restored from a snapshot, which has none.
    Strong is what came together often; among equals the younger item.
    """
    low, high = int(np.int64(-1)), int(np.int64(1 << 62))
    _retain(items, pairs, index, item, low)
    start, length = items[item, ROW], items[item, ROW_LENGTH]
    if length < bound:
        return
    while low < high:  # the least threshold that at most half of the row exceeds
        middle = low + (high - low) // 2
        stronger = 0
        for place in range(start, start + length):
            if ((pairs[place, 1] & _FULL) << 31 | pairs[place, 0]) > middle:
                stronger += 1
        if stronger > bound // 2:
            low = middle + 1
        else:
            high = middle
    _retain(items, pairs, index, item, low)


@inner_kernel
def add_pair(
    items: Int64s,
    pairs: Int64s,
    index: Ordinals,
    blocks: Int64s,
    first: int,
    then: int,
    follow: int,
    together: int,
    bound: int,
) -> None:
    """Add to what is known of item `first` being followed by item `then`, another one.

    Where a row lacks the other item, only a gain makes an entry. Counts stay from 0 to 2^31 - 1.
    """
    for direction in range(2):
        item, other = (first, then) if direction == 0 else (then, first)
        start, length, level = items[item, ROW], items[item, ROW_LENGTH], items[item, ROW_LEVEL]
        place = position(pairs, index, start, length, level, other)
        if place < 0 and together > 0:
            if length >= bound:
                _make_room(items, pairs, index, item, bound)
            place = insert(pairs, index, blocks, items, item, int(np.int64(ROW)), other)
        if place >= 0:
            followed = (pairs[place, 1] >> 32) + (follow if direction == 0 else 0)
            joined = (pairs[place, 1] & _FULL) + together
            pairs[place, 1] = max(0, min(_FULL, followed)) << 32 | max(0, min(_FULL, joined))

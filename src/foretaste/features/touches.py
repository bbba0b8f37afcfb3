"""Kernels for who touched an item lately: the way from an item to the sessions that hold it.

The row of an item (see `keyed_rows`; it has no index) holds one int64 per person: the minute of their latest
positive event with it in the upper 32 bits, their ordinal in the lower ones, so that the later is the
larger number. It keeps the largest ones, in no order: a function of the set of events, in whatever
order these came.
"""

import numpy as np

from foretaste.domain.arrays import Int64s
from foretaste.domain.kernel import inner_kernel
from foretaste.features.keyed_rows import give_block, room, take_block
from foretaste.features.tables import TOUCH, TOUCH_LENGTH, TOUCH_LEVEL

PERSON = (1 << 32) - 1
"""The bits of the person."""
MINUTE = 60_000_000
_LATEST_MINUTE = (1 << 31) - 1


@inner_kernel
def minute_of(time: int) -> int:
    """Return the minute of a moment in microseconds."""
    return max(-_LATEST_MINUTE, min(_LATEST_MINUTE, time // MINUTE))


@inner_kernel
def touch_of(user: int, time: int) -> int:
    """Return the entry of a person and a moment in microseconds."""
    return int(np.int64(minute_of(time)) << 32 | user)


@inner_kernel
def add_touch(items: Int64s, touches: Int64s, blocks: Int64s, item: int, touch: int, most: int) -> None:
    """Note a touch; a row of `most` entries loses its earliest one to a later one.

    Takes at most one block of the next level; the caller has checked that there is room.
    """
    start, length, level = items[item, TOUCH], items[item, TOUCH_LENGTH], items[item, TOUCH_LEVEL]
    own, earliest = int(np.int64(-1)), touch
    for place in range(start, start + length):  # without branches: several entries in one instruction
        own = max(own, place if (touches[place] ^ touch) & PERSON == 0 else int(np.int64(-1)))
        earliest = min(earliest, touches[place])
    if own >= 0:
        touches[own] = max(touches[own], touch)
    elif length < most:
        if length == room(level):
            _move(items, touches, blocks, item)
        touches[items[item, TOUCH] + length] = touch
        items[item, TOUCH_LENGTH] = length + 1
    elif earliest < touch:
        while touches[start] != earliest:
            start += 1
        touches[start] = touch


@inner_kernel
def _move(items: Int64s, touches: Int64s, blocks: Int64s, item: int) -> None:
    """Move a full row to a block of the next level."""
    start, length, level = items[item, TOUCH], items[item, TOUCH_LENGTH], items[item, TOUCH_LEVEL]
    bigger = take_block(touches, blocks, level + 1)
    for entry in range(length):
        touches[bigger + entry] = touches[start + entry]
    give_block(touches, blocks, start, level)
    items[item, TOUCH], items[item, TOUCH_LEVEL] = bigger, level + 1

"""The arrays that a state is made of, addressed by ordinals, and how they grow."""

from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from foretaste.domain.arrays import Floats, Int64s, Mask, Ordinals
from foretaste.features import keyed_rows, popularity

# Columns of `Arrays.users`
HISTORY, HISTORY_LENGTH, HISTORY_LEVEL, HISTORY_OFFSET = 0, 1, 2, 3
TALLY, TALLY_LENGTH, TALLY_LEVEL = 4, 5, 6
EVENTS, FIRST, LAST, USER_SEQ = 7, 8, 9, 10
USER_COLUMNS = 11

# Columns of `Arrays.items`
ROW, ROW_LENGTH, ROW_LEVEL = 0, 1, 2
INTERACTIONS, NEWEST = 3, 4
TOUCH, TOUCH_LENGTH, TOUCH_LEVEL = 5, 6, 7
ITEM_COLUMNS = 8

# Columns of a history entry and of a tally entry
TIME, KEY, CODE = 0, 1, 2
COUNT, LAST_TIME = 1, 2

# Rows of `Arrays.blocks`
HISTORIES, TALLIES, PAIRS, TOUCHES = 0, 1, 2, 3

# Places in `Arrays.counts`
N_USERS, N_ITEMS, SEQ, LATEST, N_STALE = 0, 1, 2, 3, 4
NEEDED = 5
"""From here on: how long users, items, histories, tallies, pairs and touches must be for the next event."""
COUNTS = 11

TYPE_BITS = 16
"""A code is `item << 16 | type`, one number for what was done with what."""


class Arrays(NamedTuple):
    """All arrays of a state, as the kernels take them.

    `users` int64 [users, USER_COLUMNS] and `items` int64 [items, ITEM_COLUMNS] hold one row per ordinal.
    Histories are windows of (time, key, code) in `history` int64 [pool, 3], with their weights in
    `weight`; tallies rows of (code, count, last time) in `tally` int64 [pool, 3]; neighbours rows of (item,
    follow and together) in `pairs` int64 [pool, 2], see `neighbours`; touches rows of `touches` int64
    [pool], see there. For rows, indexes and `blocks` see `keyed_rows`.
    `buckets` int32 [items, SLOTS] is popularity's; `stale` marks items whose sums must be read anew.
    `near` int64 [2, window] and `plan` int64 [(window + 2) · window, 4] serve while an event is applied.
    """

    users: Int64s
    history: Int64s
    weight: Floats
    tally: Int64s
    tally_index: Ordinals
    items: Int64s
    buckets: Ordinals
    stale: Mask
    pairs: Int64s
    pair_index: Ordinals
    touches: Int64s
    blocks: Int64s
    counts: Int64s
    near: Int64s
    plan: Int64s


_Any = TypeVar("_Any", bound=np.generic)


def new_arrays(
    window: int,
    *,
    users: int = 64,
    items: int = 64,
    history: int = 256,
    tally: int = 256,
    pairs: int = 256,
    touches: int = 256,
) -> Arrays:
    """Return arrays of no users and no items, with room for the numbers given."""
    counts = np.zeros(COUNTS, np.int64)
    counts[LATEST] = popularity.NEVER
    blocks = np.full((4, 1 + keyed_rows.LEVELS), -1, np.int64)
    blocks[:, 0] = 0
    rows = np.zeros((items, ITEM_COLUMNS), np.int64)
    rows[:, NEWEST] = popularity.NEVER
    return Arrays(
        users=np.zeros((users, USER_COLUMNS), np.int64),
        history=np.empty((history, 3), np.int64),
        weight=np.empty(history, np.float32),
        tally=np.empty((tally, 3), np.int64),
        tally_index=np.empty(2 * tally, np.int32),
        items=rows,
        buckets=np.zeros((items, popularity.SLOTS), np.int32),
        stale=np.zeros(items, np.bool_),
        pairs=np.empty((pairs, 2), np.int64),
        pair_index=np.empty(2 * pairs, np.int32),
        touches=np.empty(touches, np.int64),
        blocks=blocks,
        counts=counts,
        near=np.empty((2, window), np.int64),
        plan=np.empty(((window + 2) * window, 4), np.int64),
    )


def grown(arrays: Arrays) -> Arrays:
    """Return arrays with at least what `counts[NEEDED:]` asks for, doubling whatever is too short."""
    users, items, history, tally, pairs, touches = (int(need) for need in arrays.counts[NEEDED:])
    if users > len(arrays.users):
        arrays = arrays._replace(users=_longer(arrays.users, users))
    if items > len(arrays.items):
        old = len(arrays.items)
        rows = _longer(arrays.items, items)
        rows[old:, NEWEST] = popularity.NEVER
        arrays = arrays._replace(
            items=rows, buckets=_longer(arrays.buckets, items), stale=_longer(arrays.stale, items)
        )
    if history > len(arrays.history):
        arrays = arrays._replace(
            history=_longer(arrays.history, history), weight=_longer(arrays.weight, history)
        )
    if tally > len(arrays.tally):
        arrays = arrays._replace(
            tally=_longer(arrays.tally, tally), tally_index=_longer(arrays.tally_index, 2 * tally)
        )
    if pairs > len(arrays.pairs):
        arrays = arrays._replace(
            pairs=_longer(arrays.pairs, pairs), pair_index=_longer(arrays.pair_index, 2 * pairs)
        )
    if touches > len(arrays.touches):
        arrays = arrays._replace(touches=_longer(arrays.touches, touches))
    return arrays


def copied(arrays: Arrays) -> Arrays:
    """Return a copy of what a snapshot is made of, as it lies in memory: the fastest that can be had."""
    users, items = arrays.counts[[N_USERS, N_ITEMS]]
    histories, tallies, pairs, touches = arrays.blocks[:, 0]
    return arrays._replace(
        users=arrays.users[:users].copy(),
        items=arrays.items[:items].copy(),
        buckets=arrays.buckets[:items].copy(),
        history=arrays.history[:histories].copy(),
        weight=arrays.weight[:histories].copy(),
        tally=arrays.tally[:tallies].copy(),
        pairs=arrays.pairs[:pairs].copy(),
        touches=arrays.touches[:touches].copy(),
        counts=arrays.counts.copy(),
    )


def with_room(arrays: Arrays) -> Arrays:
    """Return arrays of which at least a third is free, so that none has to be copied for the next events."""
    used = (*arrays.counts[[N_USERS, N_ITEMS]], *arrays.blocks[:, 0])
    arrays.counts[NEEDED:] = [with_spare(length) for length in used]
    return grown(arrays)


def with_spare(length: int) -> int:
    """Return a length of which a third is free if `length` of it are used."""
    return int(length) * 3 // 2


def _longer(array: NDArray[_Any], needed: int) -> NDArray[_Any]:
    """Return a copy with at least `needed` rows, at least twice as many as before, new ones zero."""
    shape: tuple[Any, ...] = (max(needed, 2 * len(array)), *array.shape[1:])
    longer = np.zeros(shape, array.dtype)
    longer[: len(array)] = array
    return longer

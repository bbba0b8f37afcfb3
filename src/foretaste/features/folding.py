"""The kernel that folds events into the arrays of a state, one after the other."""

import numpy as np

from foretaste.domain.arrays import Floats, Int64s, Mask, Ordinals
from foretaste.domain.kernel import kernel
from foretaste.features.keyed_rows import give_block, insert, position, room, take_block
from foretaste.features.neighbours import add_pair
from foretaste.features.popularity import UNIT, WEIGHT_UNIT, count_event
from foretaste.features.tables import (
    CODE,
    COUNT,
    EVENTS,
    FIRST,
    HISTORIES,
    HISTORY,
    HISTORY_LENGTH,
    HISTORY_LEVEL,
    HISTORY_OFFSET,
    INTERACTIONS,
    KEY,
    LAST,
    LAST_TIME,
    LATEST,
    N_ITEMS,
    N_STALE,
    N_USERS,
    NEEDED,
    NEWEST,
    PAIRS,
    ROW_LEVEL,
    SEQ,
    TALLIES,
    TALLY,
    TALLY_LENGTH,
    TALLY_LEVEL,
    TIME,
    TYPE_BITS,
    USER_SEQ,
    Arrays,
)

# Columns of a batch
B_SEQ, B_USER, B_ITEM, B_TYPE, B_TIME, B_KEY = 0, 1, 2, 3, 4, 5
BATCH_COLUMNS = 6


@kernel
def _place_of(history: Int64s, start: int, length: int, time: int, key: int, code: int) -> int:
    """Return how many events of a history come before the given one by (time, key, code)."""
    place = length
    while place > 0:
        row = start + place - 1
        if history[row, TIME] != time:
            later = history[row, TIME] > time
        elif history[row, KEY] != key:
            later = history[row, KEY] > key
        else:
            later = history[row, CODE] > code
        if not later:
            break
        place -= 1
    return place


@kernel
def _find_positives(weight: Floats, start: int, place: int, end: int, scratch: Int64s) -> tuple[int, int]:
    """Note in `scratch` the nearest positive events before and after `place`; return how many there are."""
    window = scratch.shape[1]
    before, after = 0, 0
    row = start + place - 1
    while row >= start and before < window:
        if weight[row] > 0.0:
            scratch[0, before] = row
            before += 1
        row -= 1
    row = start + place
    while row < end and after < window:
        if weight[row] > 0.0:
            scratch[1, after] = row
            after += 1
        row += 1
    return before, after


@kernel
def _pair_room(items: Int64s, history: Int64s, item: int, before: int, after: int, scratch: Int64s) -> int:
    """Return an upper bound of the pool that the rows touched by an event may take.

    A row gains at most 2 · window + 1 entries, so it takes at most one block of twice its size, or those
    up to the level that holds as many.
    """
    slack = 16 * scratch.shape[1] + 16
    needed: int = 2 * room(items[item, ROW_LEVEL]) + slack
    for side in range(2):
        for i in range(before if side == 0 else after):
            other = history[scratch[side, i], CODE] >> TYPE_BITS
            needed += 2 * room(items[other, ROW_LEVEL]) + slack
    return needed


@kernel
def _add_pairs(
    items: Int64s,
    pairs: Int64s,
    index: Ordinals,
    blocks: Int64s,
    history: Int64s,
    scratch: Int64s,
    before: int,
    after: int,
    item: int,
    time: int,
    falloff: Int64s,
    gap: int,
    bound: int,
) -> None:
    """Count the pairs of a new event with `before` positive events before it and `after` ones after it.

    `scratch[0]` and `scratch[1]` hold their places in the history, the nearest first. `falloff` [window + 2]
    is the weight at each distance, zero beyond the window. What stood on both sides is now one further apart.
    """
    window = len(falloff) - 2
    for i in range(before):
        left, left_time = history[scratch[0, i], CODE] >> TYPE_BITS, history[scratch[0, i], TIME]
        for j in range(min(after, window - i)):
            right = scratch[1, j]
            if history[right, TIME] - left_time <= gap:
                less = falloff[i + j + 2] - falloff[i + j + 1]
                lost = -1 if i + j + 1 == window else 0
                then = history[right, CODE] >> TYPE_BITS
                add_pair(items, pairs, index, blocks, left, then, less, lost, bound)
    once = int(np.int64(1))
    for side in range(2):
        for i in range(before if side == 0 else after):
            other = history[scratch[side, i], CODE] >> TYPE_BITS
            if abs(history[scratch[side, i], TIME] - time) <= gap:
                first, then = (other, item) if side == 0 else (item, other)
                add_pair(items, pairs, index, blocks, first, then, falloff[i + 1], once, bound)


@kernel
def _insert_history(
    users: Int64s,
    history: Int64s,
    weights: Floats,
    blocks: Int64s,
    user: int,
    place: int,
    time: int,
    key: int,
    code: int,
    weight: float,
    longest: int,
) -> None:
    """Insert an event at `place`, dropping the oldest where the history is `longest` already.

    The history is a window that moves through its block; at the block's end it slides back to the start.
    """
    length, level = users[user, HISTORY_LENGTH], users[user, HISTORY_LEVEL]
    block, offset = users[user, HISTORY], users[user, HISTORY_OFFSET]
    if length == longest:
        offset += 1
        length -= 1
        place -= 1
    if offset + length == room(level):
        old = block
        grows = room(level) < longest + longest // 4
        if grows:
            level += 1
            block = take_block(history, blocks, level)
        for i in range(length):
            for part in range(3):
                history[block + i, part] = history[old + offset + i, part]
            weights[block + i] = weights[old + offset + i]
        if grows:
            give_block(history, blocks, old, level - 1)
        offset = 0
    start = block + offset
    for row in range(start + length, start + place, -1):
        for part in range(3):
            history[row, part] = history[row - 1, part]
        weights[row] = weights[row - 1]
    history[start + place, TIME] = time
    history[start + place, KEY] = key
    history[start + place, CODE] = code
    weights[start + place] = weight
    users[user, HISTORY], users[user, HISTORY_OFFSET] = block, offset
    users[user, HISTORY_LENGTH], users[user, HISTORY_LEVEL] = length + 1, level


@kernel
def _count_for_user(
    users: Int64s, tally: Int64s, index: Ordinals, blocks: Int64s, user: int, code: int, time: int
) -> None:
    level = users[user, TALLY_LEVEL]
    place = position(tally, index, users[user, TALLY], users[user, TALLY_LENGTH], level, code)
    if place < 0:
        place = insert(tally, index, blocks, users, user, int(np.int64(TALLY)), code)
        tally[place, LAST_TIME] = time
    tally[place, COUNT] += 1
    tally[place, LAST_TIME] = max(tally[place, LAST_TIME], time)
    if users[user, EVENTS] == 0:
        users[user, FIRST] = time
        users[user, LAST] = time
    users[user, EVENTS] += 1
    users[user, FIRST] = min(users[user, FIRST], time)
    users[user, LAST] = max(users[user, LAST], time)


@kernel
def _count_for_item(
    items: Int64s, buckets: Ordinals, stale: Mask, counts: Int64s, item: int, time: int, weight: float
) -> None:
    amount = int(np.rint(min(weight, 1e6) * WEIGHT_UNIT))
    items[item, NEWEST] = count_event(buckets, item, items[item, NEWEST], time // UNIT, amount)
    items[item, INTERACTIONS] += 1
    counts[LATEST] = max(counts[LATEST], time)
    if not stale[item]:
        stale[item] = True
        counts[N_STALE] += 1


@kernel
def fold_events(
    a: Arrays,
    batch: Int64s,
    batch_weights: Floats,
    begin: int,
    longest: int,
    falloff: Int64s,
    gap: int,
    bound: int,
) -> int:
    """Apply the events of `batch` from `begin` on; return how far it came.

    Short of the end, the arrays are too short for the event returned, of which nothing was applied: grow
    them (`tables.grown`) and call again. `longest` is the length of histories, `bound` that of neighbour
    rows, `gap` the most microseconds between the events of a pair.
    """
    users, history, weights, tally, tally_index = a.users, a.history, a.weight, a.tally, a.tally_index
    items, pairs, pair_index, counts, scratch = a.items, a.pairs, a.pair_index, a.counts, a.scratch
    history_blocks, tally_blocks, pair_blocks = a.blocks[HISTORIES], a.blocks[TALLIES], a.blocks[PAIRS]
    needed = counts[NEEDED:]
    for e in range(begin, len(batch)):
        user, item, time, key = batch[e, B_USER], batch[e, B_ITEM], batch[e, B_TIME], batch[e, B_KEY]
        code, weight = (item << TYPE_BITS) | batch[e, B_TYPE], batch_weights[e]
        needed[0], needed[1], needed[2], needed[3], needed[4] = user + 1, item + 1, 0, 0, 0
        if user >= len(users) or item >= len(items):
            return e
        needed[2] = history_blocks[0] + room(users[user, HISTORY_LEVEL] + 1)
        needed[3] = tally_blocks[0] + room(users[user, TALLY_LEVEL] + 1)
        if needed[2] > len(history) or needed[3] > len(tally):
            return e
        start, length = users[user, HISTORY] + users[user, HISTORY_OFFSET], users[user, HISTORY_LENGTH]
        place = _place_of(history, start, length, time, key, code) if weight != 0.0 else 0
        remembered = weight != 0.0 and (place > 0 or length < longest)
        if remembered and weight > 0.0:
            before, after = _find_positives(weights, start, place, start + length, scratch)
            needed[4] = pair_blocks[0] + _pair_room(items, history, item, before, after, scratch)
            if needed[4] > len(pairs):
                return e
            _add_pairs(
                items,
                pairs,
                pair_index,
                pair_blocks,
                history,
                scratch,
                before,
                after,
                item,
                time,
                falloff,
                gap,
                bound,
            )
        if remembered:
            _insert_history(
                users, history, weights, history_blocks, user, place, time, key, code, weight, longest
            )
        _count_for_user(users, tally, tally_index, tally_blocks, user, code, time)
        if weight > 0.0:
            _count_for_item(items, a.buckets, a.stale, counts, item, time, weight)
        counts[N_USERS], counts[N_ITEMS] = max(counts[N_USERS], user + 1), max(counts[N_ITEMS], item + 1)
        users[user, USER_SEQ] = counts[SEQ] = batch[e, B_SEQ]
    return len(batch)

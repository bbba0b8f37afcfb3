"""The kernel that folds events into the arrays of a state, one after the other."""

import numpy as np

from foretaste.domain.arrays import Floats, Int64s, Mask, Ordinals
from foretaste.domain.kernel import inner_kernel, inplace_kernel
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
    TOUCH_LEVEL,
    TOUCHES,
    TYPE_BITS,
    USER_SEQ,
    Arrays,
)
from foretaste.features.touches import add_touch, touch_of

# Columns of a batch
B_SEQ, B_USER, B_ITEM, B_TYPE, B_TIME, B_KEY = 0, 1, 2, 3, 4, 5
BATCH_COLUMNS = 6


@inner_kernel
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


@inner_kernel
def _find_positives(weight: Floats, start: int, place: int, end: int, near: Int64s) -> tuple[int, int]:
    """Note in `near` the closest positive events before and after `place`; return how many there are."""
    window = near.shape[1]
    before, after = 0, 0
    row = start + place - 1
    while row >= start and before < window:
        if weight[row] > 0.0:
            near[0, before] = row
            before += 1
        row -= 1
    row = start + place
    while row < end and after < window:
        if weight[row] > 0.0:
            near[1, after] = row
            after += 1
        row += 1
    return before, after


@inner_kernel
def _plan_pairs(
    history: Int64s,
    near: Int64s,
    before: int,
    after: int,
    item: int,
    time: int,
    falloff: Int64s,
    gap: int,
    plan: Int64s,
) -> int:
    """Write to `plan` what a new event changes: (first, then, follow, together) rows; return how many.

    `near` holds the places in the history of `before` positive events before it and `after` ones after it,
    the closest first. `falloff` [window + 2] is the weight at each distance, zero beyond the window. What
    stands on both sides is now one further apart.
    """
    window, steps = near.shape[1], 0
    for i in range(before + 1):
        # Left of a pair stands an earlier event, and in the last round the new event itself.
        left = history[near[0, i], CODE] >> TYPE_BITS if i < before else item
        left_time = history[near[0, i], TIME] if i < before else time
        if i < before and left != item and time - left_time <= gap:
            plan[steps, 0], plan[steps, 1], plan[steps, 2], plan[steps, 3] = left, item, falloff[i + 1], 1
            steps += 1
        for j in range(min(after, window - i) if i < before else after):
            right = history[near[1, j], CODE] >> TYPE_BITS
            if left == right or history[near[1, j], TIME] - left_time > gap:
                continue
            plan[steps, 0], plan[steps, 1] = left, right
            if i < before:
                plan[steps, 2] = falloff[i + j + 2] - falloff[i + j + 1]
                plan[steps, 3] = -1 if i + j + 1 == window else 0
            else:
                plan[steps, 2], plan[steps, 3] = falloff[j + 1], 1
            steps += 1
    return steps


@inner_kernel
def _pair_room(items: Int64s, plan: Int64s, steps: int) -> int:
    """Return how much of the pool a plan takes at most: a bigger block for each row of each step."""
    needed = 0
    for step in range(steps):
        needed += room(items[plan[step, 0], ROW_LEVEL] + 1) + room(items[plan[step, 1], ROW_LEVEL] + 1)
        needed += 4 * steps
    return needed


@inner_kernel
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
            block = take_block(history[:, TIME], blocks, level)
        for i in range(length):
            for part in range(3):
                history[block + i, part] = history[old + offset + i, part]
            weights[block + i] = weights[old + offset + i]
        if grows:
            give_block(history[:, TIME], blocks, old, level - 1)
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


@inner_kernel
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


@inner_kernel
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


@inplace_kernel
def fold_events(
    a: Arrays,
    batch: Int64s,
    batch_weights: Floats,
    begin: int,
    longest: int,
    falloff: Int64s,
    gap: int,
    bound: int,
    most_touches: int,
    counted: bool,
) -> int:
    """Apply the events of `batch` from `begin` on; return how far it came.

    Short of the end, the arrays are too short for the event returned, of which nothing was applied: grow
    them (`tables.grown`) and call again. `longest` is the length of histories, `bound` that of neighbour
    rows, `gap` the most microseconds between the events of a pair, `most_touches` the length of rows of
    touches. With `counted` off people remember the events, but items learn nothing from them.
    """
    users, history, weights, tally, tally_index = a.users, a.history, a.weight, a.tally, a.tally_index
    items, pairs, pair_index, counts, plan = a.items, a.pairs, a.pair_index, a.counts, a.plan
    history_blocks, tally_blocks, pair_blocks = a.blocks[HISTORIES], a.blocks[TALLIES], a.blocks[PAIRS]
    touches, touch_blocks = a.touches, a.blocks[TOUCHES]
    needed, near, buckets, stale = counts[NEEDED:], a.near, a.buckets, a.stale
    for e in range(begin, len(batch)):
        user, item, time, key = batch[e, B_USER], batch[e, B_ITEM], batch[e, B_TIME], batch[e, B_KEY]
        code, weight = (item << TYPE_BITS) | batch[e, B_TYPE], batch_weights[e]
        needed[0], needed[1], needed[2], needed[3], needed[4], needed[5] = user + 1, item + 1, 0, 0, 0, 0
        if user >= len(users) or item >= len(items):
            return e
        needed[2] = history_blocks[0] + room(users[user, HISTORY_LEVEL] + 1)
        needed[3] = tally_blocks[0] + room(users[user, TALLY_LEVEL] + 1)
        needed[5] = touch_blocks[0] + room(items[item, TOUCH_LEVEL] + 1)
        if needed[2] > len(history) or needed[3] > len(tally) or needed[5] > len(touches):
            return e
        start, length = users[user, HISTORY] + users[user, HISTORY_OFFSET], users[user, HISTORY_LENGTH]
        place = _place_of(history, start, length, time, key, code) if weight != 0.0 else 0
        remembered = weight != 0.0 and (place > 0 or length < longest)
        if remembered and weight > 0.0 and counted:
            before, after = _find_positives(weights, start, place, start + length, near)
            steps = _plan_pairs(history, near, before, after, item, time, falloff, gap, plan)
            needed[4] = pair_blocks[0] + _pair_room(items, plan, steps)
            if needed[4] > len(pairs):
                return e
            for step in range(steps):
                first, then, follow, together = plan[step, 0], plan[step, 1], plan[step, 2], plan[step, 3]
                add_pair(items, pairs, pair_index, pair_blocks, first, then, follow, together, bound)
        if remembered:
            _insert_history(
                users, history, weights, history_blocks, user, place, time, key, code, weight, longest
            )
        _count_for_user(users, tally, tally_index, tally_blocks, user, code, time)
        if weight > 0.0 and counted:
            _count_for_item(items, buckets, stale, counts, item, time, weight)
            add_touch(items, touches, touch_blocks, item, touch_of(user, time), most_touches)
        counts[N_USERS], counts[N_ITEMS] = max(counts[N_USERS], user + 1), max(counts[N_ITEMS], item + 1)
        users[user, USER_SEQ] = counts[SEQ] = batch[e, B_SEQ]
    return len(batch)

"""The kernel of session kNN: sessions that share items with a history vote for what they hold."""

import numpy as np

from foretaste.domain.arrays import Floats, Int64s, Ordinals
from foretaste.domain.kernel import inner_kernel, inplace_kernel, kernel
from foretaste.features.tables import (
    CODE,
    HISTORY,
    HISTORY_LENGTH,
    HISTORY_OFFSET,
    TIME,
    TYPE_BITS,
)
from foretaste.features.touches import MINUTE, PERSON

_HASH = np.uint64(0x9E3779B97F4A7C15)
VOTE_UNIT = 1 << 32
"""Votes are added up as whole numbers of this fraction, so that their sum does not depend on the order in
which a state happens to hold the voters."""


@kernel
def neighbours_of(
    event: Ordinals,
    weight: Floats,
    own: int,
    most: int,
    start: Int64s,
    length: Int64s,
    touch: Int64s,
) -> tuple[Int64s, Floats]:
    """Return the people who touched most of what the events are about, and how much of it.

    A hash table: `person` int64 [2^b], -1 where free, and `alike` float32 [2^b], the sum of the sizes of
    the weights of the events whose items that person touched; 0 where the person is not among the `most` most
    alike. Among equals those with the latest touch come first. `own` has no vote.
    """
    total = 0
    for h in range(len(event)):
        total += length[event[h]]
    size = 16
    while size < 2 * total:
        size *= 2
    person = np.full(size, -1, np.int64)
    alike = np.zeros(size, np.float32)
    latest = np.empty(size, np.int64)
    used = np.empty(total, np.int64)
    n = 0
    for h in range(len(event)):
        size_of_weight = abs(weight[h])
        for place in range(start[event[h]], start[event[h]] + length[event[h]]):
            who = touch[place] & PERSON
            if who == own:
                continue
            slot = np.int64((np.uint64(who) * _HASH) >> np.uint64(32)) & (size - 1)
            while person[slot] >= 0 and person[slot] != who:
                slot = (slot + 1) & (size - 1)
            if person[slot] < 0:
                person[slot] = who
                latest[slot] = touch[place]
                used[n] = slot
                n += 1
            alike[slot] += size_of_weight
            latest[slot] = max(latest[slot], touch[place])
    if n > most:
        _leave_most_alike(alike, latest, used[:n], most)
    return person, alike


@kernel
def _leave_most_alike(alike: Floats, latest: Int64s, used: Int64s, most: int) -> None:
    """Set `alike` to 0 at the slots `used` but for the `most` largest; of equals the latest are kept."""
    n = len(used)
    bound = np.partition(alike[used], n - most)[n - most]
    tied = latest[used[alike[used] == bound]]
    spare = most - np.sum(alike[used] > bound)
    since = np.partition(tied, len(tied) - spare)[len(tied) - spare]
    for slot in used:
        if alike[slot] < bound or (alike[slot] == bound and latest[slot] < since):
            alike[slot] = np.float32(0.0)


@inplace_kernel
def add_votes(
    event: Ordinals,
    weight: Floats,
    own: int,
    person: Int64s,
    alike: Floats,
    after: Floats,
    before: Floats,
    start: Int64s,
    length: Int64s,
    touch: Int64s,
    users: Int64s,
    history: Int64s,
    history_weight: Floats,
    votes: Int64s,
) -> None:
    """Add the votes that the given events bring about to `votes`, int64 [n_items], in `VOTE_UNIT`ths.

    Each neighbour (`person` and `alike`, of all events of the history: see `neighbours_of`) who touched an
    event's item votes with the event's weight for what came `d` positive events later, times `after[d - 1]`,
    and for what came as much earlier, times `before[d - 1]`.
    """
    mask = len(person) - 1
    for h in range(len(event)):
        for place in range(start[event[h]], start[event[h]] + length[event[h]]):
            who = touch[place] & PERSON
            if who == own:
                continue
            slot = np.int64((np.uint64(who) * _HASH) >> np.uint64(32)) & mask
            while person[slot] != who:
                slot = (slot + 1) & mask
            if alike[slot] == np.float32(0.0):
                continue
            first = users[who, HISTORY] + users[who, HISTORY_OFFSET]
            end = first + users[who, HISTORY_LENGTH]
            row = _row_of(history, history_weight, first, end, event[h], touch[place] >> 32)
            if row < 0:
                continue
            for step in (1, -1):
                fade = after if step == 1 else before
                _hear(
                    history,
                    history_weight,
                    row,
                    step,
                    first,
                    end,
                    fade,
                    weight[h],
                    votes,
                )


@inner_kernel
def _hear(
    history: Int64s,
    history_weight: Floats,
    row: int,
    step: int,
    first: int,
    end: int,
    fade: Floats,
    vote: float,
    votes: Int64s,
) -> None:
    """Add the votes of one person for what stands on one side of a place of their history."""
    shared, other, distance = history[row, CODE] >> TYPE_BITS, row + step, 0
    while first <= other < end and distance < len(fade):
        if history_weight[other] > 0.0:
            item = history[other, CODE] >> TYPE_BITS
            if item != shared:
                votes[item] += np.int64(np.rint(np.float64(vote) * fade[distance] * VOTE_UNIT))
            distance += 1
        other += step


@inner_kernel
def _row_of(history: Int64s, weight: Floats, first: int, end: int, item: int, minute: int) -> int:
    """Return where a person had to do with `item` in that minute, the latest such row; -1 if forgotten."""
    low, high, begin = first, end, minute * MINUTE
    while low < high:
        middle = (low + high) // 2
        if history[middle, TIME] >= begin + MINUTE:
            high = middle
        else:
            low = middle + 1
    row = low - 1
    while row >= first and history[row, TIME] >= begin:
        if history[row, CODE] >> TYPE_BITS == item and weight[row] > 0.0:
            return row
        row -= 1
    return -1

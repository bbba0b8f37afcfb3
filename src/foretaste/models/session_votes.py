"""The kernel of session kNN: sessions that share items with a history vote for what they hold."""

import numpy as np

from foretaste.domain.arrays import Floats, Int64s, Ordinals
from foretaste.domain.kernel import inner_kernel, kernel
from foretaste.features.tables import (
    CODE,
    HISTORY,
    HISTORY_LENGTH,
    HISTORY_OFFSET,
    TIME,
    TYPE_BITS,
    USER_SEQ,
)
from foretaste.features.touches import PERSON, minute_of
from foretaste.models.entries import TURNED, entry_of
from foretaste.models.sorting import keep_best, mth_largest

TOUCHED, BY_EVENT, DIGEST = 0, 1, 2
"""Columns of `voters`: the touch by which somebody was asked, by which event, a digest of what was heard."""
_HASH = np.uint64(0x9E3779B97F4A7C15)
_PLACE = (1 << 32) - 1
VOTE_UNIT = 1 << 32
"""Votes are added up as whole numbers of this fraction, so that their sum does not depend on the order in
which a state happens to hold the voters."""


@kernel
def vote(
    event: Ordinals,
    weight: Floats,
    own: int,
    most: int,
    after: Floats,
    before: Floats,
    start: Int64s,
    length: Int64s,
    touch: Int64s,
    users: Int64s,
    history: Int64s,
    history_weight: Floats,
    lines: Ordinals,
    read: Int64s,
    discount: Floats,
    interactions: Int64s,
    votes: Int64s,
) -> tuple[Int64s, Int64s, Int64s, Int64s]:
    """Return what was heard, the votes it stands for, the entries of what is voted for, and the voters.

    The neighbours are the `most` people who touched most of what the events are about, by the sizes of the
    events' weights; of equals those with the latest touch. `own` has no vote. Each neighbour who touched an
    event's item votes with the event's weight for what came `d` positive events later, times `after[d - 1]`,
    and for what came as much earlier, times `before[d - 1]`. A score is the sum of the votes, times the
    item's discount.

    What was heard are numbers `item << 32 | place`, with the votes at these places, in `VOTE_UNIT`ths.
    The voters are rows of `TOUCHED`, `BY_EVENT` and `DIGEST`.
    `votes` holds a zero for every item, before and after.
    """
    slot, alike = _neighbours_of(event, weight, own, most, start, length, touch)
    reach, sides = len(after) + len(before), (len(after), len(before))
    value = np.empty(len(event) * reach, np.int64)
    for h in range(len(event)):
        for d in range(reach):
            fade = after[d] if d < len(after) else before[d - len(after)]
            value[h * reach + d] = np.int64(np.rint(np.float64(weight[h]) * fade * VOTE_UNIT))
    heard, voters = np.empty(len(slot) * reach, np.int64), np.empty((len(slot), 3), np.int64)
    n, touched, n_voters = 0, 0, 0
    for h in range(len(event)):
        for place in range(start[event[h]], start[event[h]] + length[event[h]]):
            where = slot[touched]
            touched += 1
            if where < 0 or alike[where] == np.float32(0.0):
                continue
            begin, base = n, h * reach
            _bring_up(touch[place] & PERSON, users, history, history_weight, lines, read)
            n = _listen(touch[place], event[h], base, sides, users, lines, read, heard, n)
            voters[n_voters, TOUCHED], voters[n_voters, BY_EVENT] = touch[place], h
            voters[n_voters, DIGEST] = _digest(heard, begin, n)
            n_voters += 1
    entries = _counted(heard[:n], value, discount, interactions, votes)
    return heard[:n], value, entries, voters[:n_voters].copy()


@kernel
def still_vote_so(
    seq: int,
    touched: Ordinals,
    event: Ordinals,
    sides: tuple[int, int],
    voters: Int64s,
    entries: Int64s,
    users: Int64s,
    history: Int64s,
    history_weight: Floats,
    lines: Ordinals,
    read: Int64s,
    are_discounted: bool,
) -> bool:
    """Return whether `vote` would return the same `entries` and `voters` after the events after `seq`.

    These were about the items `touched`, rising. As long as none of the own history is among them nor, where
    votes are discounted, one that was voted for, the same people are asked, and only those who did something
    since are heard again. `sides` are the numbers of fades after and before.
    """
    for item in event:
        if _is_among(item, touched):
            return False
    for entry in entries[: len(entries) if are_discounted else 0]:
        if _is_among(TURNED - (entry & TURNED), touched):
            return False
    reach = sides[0] + sides[1]
    heard = np.empty(reach, np.int64)
    for k in range(len(voters)):
        touch, h = voters[k, TOUCHED], voters[k, BY_EVENT]
        if users[touch & PERSON, USER_SEQ] > seq:
            _bring_up(touch & PERSON, users, history, history_weight, lines, read)
            n = _listen(touch, event[h], h * reach, sides, users, lines, read, heard, 0)
            if _digest(heard, 0, n) != voters[k, DIGEST]:
                return False
    return True


@inner_kernel
def _is_among(item: int, rising: Ordinals) -> bool:
    low, high = 0, len(rising)
    while low < high:
        middle = (low + high) // 2
        if rising[middle] < item:
            low = middle + 1
        else:
            high = middle
    return low < len(rising) and rising[low] == item


@inner_kernel
def _digest(heard: Int64s, begin: int, end: int) -> int:
    """Return 64 bits that differ, as good as certainly, where something else was heard."""
    digest = np.uint64(end - begin)
    for k in range(begin, end):  # a sum of independent terms: several in one instruction
        mixed = np.uint64(heard[k]) * _HASH
        digest += mixed ^ (mixed >> np.uint64(29))
    return int(np.int64(digest))


@inner_kernel
def _bring_up(
    who: int, users: Int64s, history: Int64s, history_weight: Floats, lines: Ordinals, read: Int64s
) -> None:
    """Write the lines of a person anew if there was an event since (see `features.people.Sessions`)."""
    if read[who, 0] == users[who, USER_SEQ]:
        return
    first, n = users[who, HISTORY] + users[who, HISTORY_OFFSET], 0
    for row in range(first, first + users[who, HISTORY_LENGTH]):
        lines[0, first + n] = history[row, CODE] >> TYPE_BITS
        lines[1, first + n] = minute_of(history[row, TIME])
        n += history_weight[row] > np.float32(0.0)
    read[who, 0], read[who, 1] = users[who, USER_SEQ], n


@inner_kernel
def _listen(
    touch: int,
    item: int,
    base: int,
    sides: tuple[int, int],
    users: Int64s,
    lines: Ordinals,
    read: Int64s,
    heard: Int64s,
    n: int,
) -> int:
    """Note after the first `n` of `heard` what the person of a touch of `item` had to do with around it."""
    who = touch & PERSON
    first = users[who, HISTORY] + users[who, HISTORY_OFFSET]
    line, minutes = lines[0, first : first + read[who, 1]], lines[1, first : first + read[who, 1]]
    at = _place_of(line, minutes, item, touch >> 32)
    if at < 0:
        return n
    after, before = min(sides[0], len(line) - at - 1), min(sides[1], at)
    return _hear(line, at, after, before, base, base + sides[0], heard, n)


@kernel
def _counted(heard: Int64s, value: Int64s, discount: Floats, interactions: Int64s, votes: Int64s) -> Int64s:
    """Return the entries of the items that what was heard has votes for; see `vote`."""
    items, n = np.empty(len(heard) + 1, np.int64), 0
    for k in range(len(heard)):
        item = heard[k] >> 32
        items[n] = item  # without a branch: whether an item comes up for the first time cannot be guessed
        n += votes[item] == 0
        votes[item] += value[heard[k] & _PLACE]
    entries, kept, last = np.empty(n, np.int64), 0, len(discount) - 1
    for item in items[:n]:
        if votes[item] != 0:
            score = np.float32(votes[item] / VOTE_UNIT) * discount[min(interactions[item], last)]
            entries[kept] = entry_of(score, item)
            votes[item] = 0
            kept += 1
    return entries[:kept]


@kernel
def find_shares(
    heard: Int64s,
    value: Int64s,
    n_events: int,
    discount: Floats,
    interactions: Int64s,
    asked: Ordinals,
    shares: Floats,
) -> None:
    """Write what each event brought about for each item asked for to `shares`, [len(asked), n_events]."""
    votes = np.zeros((len(asked), n_events), np.int64)
    reach = len(value) // n_events
    maybe = np.uint64(0)
    for k in range(len(asked)):
        maybe |= np.uint64(1) << np.uint64(asked[k] & 63)
    for place in range(len(heard)):
        item = heard[place] >> 32
        if (maybe >> np.uint64(item & 63)) & np.uint64(1):
            for k in range(len(asked)):
                if asked[k] == item:
                    at = heard[place] & _PLACE
                    votes[k, at // reach] += value[at]
    last = len(discount) - 1
    for k in range(len(asked)):
        if 0 <= asked[k] < len(interactions):
            held = discount[min(interactions[asked[k]], last)]
            for h in range(n_events):
                shares[k, h] = np.float32(votes[k, h] / VOTE_UNIT) * held


@kernel
def _neighbours_of(
    event: Ordinals,
    weight: Floats,
    own: int,
    most: int,
    start: Int64s,
    length: Int64s,
    touch: Int64s,
) -> tuple[Ordinals, Floats]:
    """Return the people who touched what the events are about, and how much of it.

    `slot` int32: of every touch, in order, where its person is in `alike` float32, -1 for `own`. There are
    sums of sizes of weights; 0 where the person is not among the `most` most alike.
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
    slots = np.full(total, -1, np.int32)
    n, touched = 0, -1
    for h in range(len(event)):
        size_of_weight = abs(weight[h])
        for place in range(start[event[h]], start[event[h]] + length[event[h]]):
            touched += 1
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
            slots[touched] = slot
            alike[slot] += size_of_weight
            latest[slot] = max(latest[slot], touch[place])
    if n > most:
        _leave_most_alike(alike, latest, used[:n], most)
    return slots, alike


@kernel
def _leave_most_alike(alike: Floats, latest: Int64s, used: Int64s, most: int) -> None:
    """Set `alike` to 0 at the slots `used` but for the `most` largest; of equals the latest are kept."""
    bound = mth_largest(alike[used], most)
    tied, n, spare = np.empty(len(used), np.int64), 0, most
    for slot in used:
        spare -= alike[slot] > bound
        tied[n] = latest[slot]
        n += alike[slot] == bound
    since = keep_best(tied, n, spare)
    for slot in used:
        if alike[slot] < bound or (alike[slot] == bound and latest[slot] < since):
            alike[slot] = np.float32(0.0)


@inner_kernel
def _hear(
    line: Ordinals, at: int, after: int, before: int, base: int, base_before: int, heard: Int64s, n: int
) -> int:
    """Note so many items on either side of a place of a line, but for what stands there; return how many."""
    end, again = n + after + before, 0
    for k in range(after):  # without branches: many places in one instruction
        heard[n + k] = np.int64(line[at + 1 + k]) << 32 | (base + k)
        again += line[at + 1 + k] == line[at]
    for k in range(before):
        heard[n + after + k] = np.int64(line[at - 1 - k]) << 32 | (base_before + k)
        again += line[at - 1 - k] == line[at]
    if not again:
        return end
    for k in range(n, end):
        heard[n] = heard[k]
        n += heard[k] >> 32 != line[at]
    return n


@inner_kernel
def _place_of(line: Ordinals, minutes: Ordinals, item: int, minute: int) -> int:
    """Return where a line has `item` in that minute, the last such place; -1 if that is forgotten."""
    found, wanted = np.int32(-1), np.int32(item)
    for k in range(len(line)):  # as in `_hear`
        found = max(found, np.int32(k) if line[k] == wanted else np.int32(-1))
    at = int(found)
    while at >= 0 and (line[at] != wanted or minutes[at] > minute):
        at -= 1
    return at if at >= 0 and minutes[at] == minute else int(np.int64(-1))

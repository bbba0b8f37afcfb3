"""Arrangement: which candidate takes which place, under rules about the slate as a whole.

Each place goes to the one that MMR (see `policy.mmr`) likes best of those whom the rules let take it.
"""

from dataclasses import dataclass

import numpy as np

from foretaste.domain.arrays import Doubles, Floats, Int64s, Mask
from foretaste.domain.kernel import kernel
from foretaste.policy.mix import Mix, closeness

NOBODY = -1
"""In place of a candidate or of a group: none."""

NO_LIMIT = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True, eq=False)
class Bounds:
    """Groups of the n candidates, and what a slate may hold of each.

    `members` bool [groups, n]; `at_least` and `at_most` int64 [groups] count places. `pinned` int64 [places]
    is the candidate that has a place for certain. `kept_for` int64 [places] is the group that has the first
    claim to a place. Both are `NOBODY` where there is none. `turn` int64 [n], codes below n, are those that
    take turns with each other; empty where nobody does.
    """

    members: Mask
    at_least: Int64s
    at_most: Int64s
    pinned: Int64s
    kept_for: Int64s
    turn: Int64s


@dataclass(frozen=True, slots=True, eq=False)
class Variety:
    """What makes a slate various: `trade_off` and `threshold` as in `policy.mmr`.

    `alike` float32 [n, n] in [0, 1] is how alike candidates are, `nearest` float32 [n] how like each is to
    the likest of what was shown before this slate.
    """

    alike: Floats
    nearest: Floats
    trade_off: float
    threshold: float


@kernel
def _in_any(members: Mask, groups: Mask) -> Mask:
    """Return which candidates are in one of the groups, bool [n]."""
    found = np.zeros(members.shape[1], np.bool_)
    for group in range(len(groups)):
        if groups[group]:
            found |= members[group]
    return found


@kernel
def _over_fewest(waiting: Mask, members: Mask, full: Mask) -> Mask:
    """Return who is waiting and in the fewest full groups: in none, as long as there are such."""
    over = np.zeros(len(waiting), np.int64)
    for group in range(len(full)):
        if full[group]:
            over += members[group]
    fewest = np.int64(NO_LIMIT)
    for i in range(len(waiting)):
        if waiting[i]:
            fewest = min(fewest, over[i])
    found: Mask = waiting & (over == fewest)
    return found


@kernel
def _shortage(members: Mask, placed: Int64s, at_least: Int64s, coming: Int64s, open_to: Mask) -> Int64s:
    """Return how many places each group needs beside those kept for it, as far as there is somebody."""
    short = np.zeros(len(placed), np.int64)
    for group in range(len(placed)):
        missing = at_least[group] - placed[group]
        if missing > 0:
            there = np.count_nonzero(members[group] & open_to)
            short[group] = max(0, min(missing, there) - coming[group])
    return short


@kernel
def _narrowed(open_to: Mask, to: Mask) -> Mask:
    """Return who is open of `to` as well, or all that are open where nobody is."""
    both = open_to & to
    return both if both.any() else open_to


@kernel
def _in_turn(open_to: Mask, turn: Int64s, had: Int64s) -> Mask:
    """Return who is open of those that had the fewest turns."""
    fewest = np.int64(NO_LIMIT)
    for i in range(len(turn)):
        if open_to[i]:
            fewest = min(fewest, had[turn[i]])
    found: Mask = open_to & (had[turn] == fewest)
    return found


@kernel
def _best(open_to: Mask, worth: Floats, nearest: Floats, trade_off: float, nearest_allowed: float) -> int:
    best, best_value, best_apart = -1, -np.inf, False
    for i in range(len(worth)):
        if open_to[i]:
            apart = nearest[i] <= nearest_allowed
            value = trade_off * worth[i] - (1.0 - trade_off) * nearest[i]
            if best < 0 or (apart and not best_apart) or (apart == best_apart and value > best_value):
                best, best_value, best_apart = i, value, apart
    return best


@kernel
def _may_take(
    waiting: Mask,
    members: Mask,
    placed: Int64s,
    at_least: Int64s,
    at_most: Int64s,
    coming: Int64s,
    kept: int,
    free: int,
) -> Mask:
    """Return who may take a place, kept for a group or not, where `free` ones that are not are left."""
    open_to = _over_fewest(waiting, members, placed >= at_most)
    short = _shortage(members, placed, at_least, coming, open_to)
    if kept >= 0:
        open_to = _narrowed(open_to, members[kept])
    if short.sum() >= free + (kept >= 0):
        open_to = _narrowed(open_to, _in_any(members, short > 0))
    return open_to


@kernel
def _arrange(
    worth: Floats,
    alike: Floats,
    nearest: Floats,
    trade_off: float,
    nearest_allowed: float,
    members: Mask,
    at_least: Int64s,
    at_most: Int64s,
    pinned: Int64s,
    kept_for: Int64s,
    turn: Int64s,
    own: Doubles,
    share: Doubles,
    exchange: float,
) -> Int64s:
    slate, shown, total = pinned.copy(), 0, np.zeros(len(own))
    waiting = np.ones(len(worth), np.bool_)
    placed, coming = np.zeros(len(at_least), np.int64), np.zeros(len(at_least), np.int64)
    had = np.zeros(len(worth), np.int64)
    free = int(np.count_nonzero((pinned < 0) & (kept_for < 0)))
    for candidate in pinned[pinned >= 0]:
        waiting[candidate] = False
        placed += members[:, candidate]
    for group in kept_for[(pinned < 0) & (kept_for >= 0)]:
        coming[group] += 1
    for place in range(len(pinned)):
        if pinned[place] < 0:
            if not waiting.any():
                continue
            kept = int(kept_for[place])
            if kept >= 0:
                coming[kept] -= 1
            open_to = _may_take(waiting, members, placed, at_least, at_most, coming, kept, free)
            free -= kept < 0
            if len(turn):
                open_to = _in_turn(open_to, turn, had)
            value = worth + np.float32(exchange) * closeness(own, share, total, shown)
            slate[place] = _best(open_to, value, nearest, trade_off, nearest_allowed)
            waiting[slate[place]] = False
            placed += members[:, slate[place]]
        shown += 1
        total += share[slate[place]]
        if len(turn):
            had[turn[slate[place]]] += 1
        if len(alike):
            nearest = np.maximum(nearest, alike[slate[place]])
    return slate


def arrange(worth: Floats, bounds: Bounds, variety: Variety | None = None, mix: Mix | None = None) -> Int64s:
    """Return the candidates that a slate shows, in its order; as many as it has places, or all there are.

    `worth` float32 [n] falls from candidate to candidate; with a `mix`, what brings the slate closer to it is
    worth more. Where rules cannot all hold, the later one in this list gives way:

    1. what is pinned stands where it is pinned, unless places before it stay empty;
    2. no group has more than `at_most` places: nobody who would break that has a place while anybody else
       waits, and then those do who break it for the fewest groups;
    3. a place kept for a group goes to one of it;
    4. a group has `at_least` places, as far as it has candidates. Groups that overlap are counted as if they
       did not, so that a slate may hold more of them than needed;
    5. those who had fewer turns come first.
    """
    n, nothing = len(worth), np.empty(0)
    slate = _arrange(
        worth,
        np.empty((0, 0), np.float32) if variety is None else variety.alike,
        np.zeros(n, np.float32) if variety is None else variety.nearest,
        1.0 if variety is None else variety.trade_off,
        1.0 - variety.threshold if variety is not None and variety.threshold > 0.0 else np.inf,
        bounds.members,
        bounds.at_least,
        bounds.at_most,
        bounds.pinned,
        bounds.kept_for,
        bounds.turn,
        nothing if mix is None else mix.own,
        np.empty((n, 0)) if mix is None else mix.share,
        0.0 if mix is None else mix.exchange,
    )
    return np.asarray(slate[slate >= 0])

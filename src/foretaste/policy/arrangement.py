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
    claim to a place. Both are `NOBODY` where there is none.
    """

    members: Mask
    at_least: Int64s
    at_most: Int64s
    pinned: Int64s
    kept_for: Int64s


@kernel
def _in_any(members: Mask, groups: Mask) -> Mask:
    """Return which candidates are in one of the groups, bool [n]."""
    found = np.zeros(members.shape[1], np.bool_)
    for group in range(len(groups)):
        if groups[group]:
            found |= members[group]
    return found


@kernel
def _still_needed(members: Mask, placed: Int64s, at_least: Int64s, open_to: Mask) -> int:
    """Return for how many places groups are short, as far as there is somebody to fill them."""
    needed = 0
    for group in range(len(placed)):
        short = at_least[group] - placed[group]
        if short > 0:
            needed += min(short, np.count_nonzero(members[group] & open_to))
    return needed


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
def _narrowed(open_to: Mask, to: Mask) -> Mask:
    """Return who is open of `to` as well, or all that are open where nobody is."""
    both = open_to & to
    return both if both.any() else open_to


@kernel
def _arrange(
    worth: Floats,
    alike: Floats,
    trade_off: float,
    nearest_allowed: float,
    members: Mask,
    at_least: Int64s,
    at_most: Int64s,
    pinned: Int64s,
    kept_for: Int64s,
    own: Doubles,
    share: Doubles,
    exchange: float,
) -> Int64s:
    slate, shown, total = pinned.copy(), 0, np.zeros(len(own))
    waiting = np.ones(len(worth), np.bool_)
    nearest = np.zeros(len(worth), np.float32)
    placed = np.zeros(len(at_least), np.int64)
    for candidate in pinned[pinned >= 0]:
        waiting[candidate] = False
        placed += members[:, candidate]
    left = np.count_nonzero(pinned < 0)
    for place in range(len(pinned)):
        if pinned[place] < 0:
            open_to = waiting & ~_in_any(members, placed >= at_most)
            needed = open_to & _in_any(members, placed < at_least)
            if kept_for[place] >= 0:
                open_to = _narrowed(open_to, members[kept_for[place]])
            if _still_needed(members, placed, at_least, needed) >= left:
                open_to = _narrowed(open_to, needed)
            left -= 1
            value = worth + np.float32(exchange) * closeness(own, share, total, shown)
            slate[place] = _best(open_to, value, nearest, trade_off, nearest_allowed)
            if slate[place] >= 0:
                waiting[slate[place]] = False
                placed += members[:, slate[place]]
        if slate[place] >= 0:
            shown += 1
            total += share[slate[place]]
            if len(alike):
                nearest = np.maximum(nearest, alike[slate[place]])
    return slate


def arrange(
    worth: Floats,
    alike: Floats | None,
    bounds: Bounds,
    trade_off: float = 1.0,
    threshold: float = 0.0,
    mix: Mix | None = None,
) -> Int64s:
    """Return the candidates that a slate shows, in its order; at most as many as it has places.

    `worth` float32 [n] falls from candidate to candidate; `alike` float32 [n, n] in [0, 1], None if variety
    does not count; `trade_off` and `threshold` as in `policy.mmr`; with a `mix`, what brings the slate closer
    to it is worth more. What is pinned stands where it is pinned,
    unless places before it stay empty. No group has more than `at_most` places, but for what is pinned; where
    that leaves nobody, the slate is shorter. A group has `at_least` places if it has so many candidates and
    the other rules leave room; groups that overlap are counted as if they did not, so that a slate may
    hold more of them than needed. A place kept for a group goes to another only if nobody of it may take it.
    """
    nearest_allowed = 1.0 - threshold if threshold > 0.0 else np.inf
    slate = _arrange(
        worth,
        np.empty((0, 0), np.float32) if alike is None else alike,
        trade_off,
        nearest_allowed,
        bounds.members,
        bounds.at_least,
        bounds.at_most,
        bounds.pinned,
        bounds.kept_for,
        np.empty(0) if mix is None else mix.own,
        np.empty((len(worth), 0)) if mix is None else mix.share,
        0.0 if mix is None else mix.exchange,
    )
    return np.asarray(slate[slate >= 0])

"""Arrangement: which candidate takes which place, under rules about the slate as a whole.

Each place goes to the one that MMR (see `policy.mmr`) likes best of those whom the rules let take it.
"""

from dataclasses import dataclass

import numpy as np

from foretaste.domain.arrays import Doubles, Floats, Int64s, Mask
from foretaste.domain.kernel import inner_kernel, inplace_kernel, variable
from foretaste.policy.mix import Mix, closeness

NOBODY = -1
"""In place of a candidate or of a group: none."""

NO_LIMIT = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True, eq=False)
class Bounds:
    """Groups of the n candidates, and what a slate may hold of each.

    The i-th candidate is in the groups `group[start[i]:start[i + 1]]`, int64 both. `at_least` and `at_most`
    int64 [groups] count places. `pinned` int64 [places] is the candidate that has a place for certain,
    `kept_for` int64 [places] the group that has the first claim to it; both are `NOBODY` where there is none.
    `turn` int64 [n], codes below n, are those that take turns with each other; empty where nobody does.
    """

    start: Int64s
    group: Int64s
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


@inner_kernel
def _over(start: Int64s, group: Int64s, at_most: Int64s, placed: Int64s, i: int) -> int:
    """Return how many full groups a candidate is in."""
    over = 0
    for at in range(start[i], start[i + 1]):
        over += placed[group[at]] >= at_most[group[at]]
    return over


@inner_kernel
def _open_to_fewest(
    start: Int64s, group: Int64s, at_most: Int64s, placed: Int64s, waiting: Mask, open_to: Mask
) -> None:
    """Leave open who is waiting and in the fewest full groups: in none, as long as there are such."""
    fewest = len(at_most) + 1
    for i in range(len(waiting)):
        if waiting[i]:
            fewest = min(fewest, _over(start, group, at_most, placed, i))
    for i in range(len(waiting)):
        open_to[i] = waiting[i] and _over(start, group, at_most, placed, i) == fewest


@inner_kernel
def _shortage(
    start: Int64s,
    group: Int64s,
    at_least: Int64s,
    placed: Int64s,
    coming: Int64s,
    open_to: Mask,
    short: Int64s,
) -> int:
    """Write how many places each group needs beside those kept for it, as far as there is somebody.

    Returns their sum.
    """
    for g in range(len(short)):
        short[g] = 0
    for i in range(len(open_to)):
        if open_to[i]:
            for at in range(start[i], start[i + 1]):
                short[group[at]] += 1
    needed = 0
    for g in range(len(short)):
        short[g] = max(0, min(short[g], at_least[g] - placed[g]) - coming[g])
        needed += short[g]
    return needed


@inner_kernel
def _is_wanted(start: Int64s, group: Int64s, short: Int64s, kept: int, i: int) -> bool:
    """Return whether a candidate is in the group `kept` or, where that is none, in one that is short."""
    wanted = False
    for at in range(start[i], start[i + 1]):
        wanted = wanted or group[at] == kept or (kept < 0 and short[group[at]] > 0)
    return wanted


@inner_kernel
def _narrow(start: Int64s, group: Int64s, short: Int64s, kept: int, open_to: Mask) -> None:
    """Leave open only who is wanted, where there is anybody."""
    found = False
    for i in range(len(open_to)):
        found = found or (open_to[i] and _is_wanted(start, group, short, kept, i))
    if found:
        for i in range(len(open_to)):
            open_to[i] = open_to[i] and _is_wanted(start, group, short, kept, i)


@inner_kernel
def _in_turn(turn: Int64s, had: Int64s, open_to: Mask) -> None:
    """Leave open only who had the fewest turns."""
    fewest = len(open_to) + 1
    for i in range(len(turn)):
        if open_to[i]:
            fewest = min(fewest, had[turn[i]])
    for i in range(len(turn)):
        open_to[i] = open_to[i] and had[turn[i]] == fewest


@inplace_kernel
def _best(
    open_to: Mask,
    worth: Floats,
    nearest: Floats,
    trade_off: float,
    nearest_allowed: float,
    own: Doubles,
    share: Doubles,
    total: Doubles,
    shown: int,
    exchange: float,
) -> int:
    best, best_value, best_apart = -1, -np.inf, False
    for i in range(len(worth)):
        if open_to[i]:
            apart = nearest[i] <= nearest_allowed
            value = worth[i] + exchange * closeness(own, share, total, shown, i)
            value = trade_off * value - (1.0 - trade_off) * nearest[i]
            if best < 0 or (apart and not best_apart) or (apart == best_apart and value > best_value):
                best, best_value, best_apart = i, value, apart
    return best


@inplace_kernel
def _may_take(
    start: Int64s,
    group: Int64s,
    at_least: Int64s,
    at_most: Int64s,
    placed: Int64s,
    coming: Int64s,
    turn: Int64s,
    had: Int64s,
    waiting: Mask,
    short: Int64s,
    kept: int,
    free: int,
    open_to: Mask,
) -> None:
    """Write who may take a place, kept for a group or not, where `free` ones that are not are left."""
    _open_to_fewest(start, group, at_most, placed, waiting, open_to)
    needed = _shortage(start, group, at_least, placed, coming, open_to, short)
    if kept >= 0:
        _narrow(start, group, short, kept, open_to)
    if needed > 0 and needed >= free + (kept >= 0):
        _narrow(start, group, short, variable(NOBODY), open_to)
    if len(turn):
        _in_turn(turn, had, open_to)


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
    return _arranged(worth, bounds, variety or _no_variety(len(worth)), mix or _no_mix(len(worth)))


def _arranged(worth: Floats, bounds: Bounds, variety: Variety, mix: Mix) -> Int64s:
    filling = _Filling(worth, bounds, variety, mix)
    for place, (here, kept) in enumerate(zip(bounds.pinned.tolist(), bounds.kept_for.tolist(), strict=True)):
        if here >= 0:
            filling.show(here)
        elif filling.left:
            chosen = filling.chosen(kept)
            filling.give(place, chosen)
            filling.show(chosen)
    return np.asarray(filling.slate[filling.slate >= 0])


class _Filling:
    """A slate while it fills, place after place: who is in it, and what the rules have counted so far."""

    def __init__(self, worth: Floats, bounds: Bounds, variety: Variety, mix: Mix) -> None:
        n, groups = len(worth), len(bounds.at_least)
        self.slate = np.full(len(bounds.pinned), NOBODY, np.int64)
        self.left = n
        self._worth, self._bounds, self._variety, self._mix = worth, bounds, variety, mix
        self._waiting, self._open_to = np.ones(n, np.bool_), np.empty(n, np.bool_)
        self._placed, self._coming, self._short = np.zeros((3, groups), np.int64)
        self._had, self._nearest = np.zeros(n, np.int64), variety.nearest
        self._total, self._shown = np.zeros(len(mix.own)), 0
        self._nearest_allowed = 1.0 - variety.threshold if variety.threshold > 0.0 else np.inf
        for place, candidate in enumerate(bounds.pinned.tolist()):
            if candidate >= 0:
                self.give(place, candidate)
        open_places = self.slate < 0
        self._free = int(np.count_nonzero(open_places & (bounds.kept_for < 0)))
        np.add.at(self._coming, bounds.kept_for[open_places & (bounds.kept_for >= 0)], 1)

    def give(self, place: int, candidate: int) -> None:
        """Give a place to a candidate, who waits no more."""
        bounds = self._bounds
        self.slate[place] = candidate
        self._waiting[candidate] = False
        self._placed[bounds.group[bounds.start[candidate] : bounds.start[candidate + 1]]] += 1
        self.left -= 1

    def chosen(self, kept: int) -> int:
        """Return who takes the next place, which is kept for a group or for `NOBODY`."""
        bounds, variety, mix = self._bounds, self._variety, self._mix
        if kept >= 0:
            self._coming[kept] -= 1
        rules = (bounds.start, bounds.group, bounds.at_least, bounds.at_most)
        counts, turns = (self._placed, self._coming), (bounds.turn, self._had)
        _may_take(*rules, *counts, *turns, self._waiting, self._short, kept, self._free, self._open_to)
        self._free -= kept < 0
        liked = (self._worth, self._nearest, variety.trade_off, self._nearest_allowed)
        best = _best(self._open_to, *liked, mix.own, mix.share, self._total, self._shown, mix.exchange)
        return int(best)

    def show(self, candidate: int) -> None:
        """Take note that a candidate comes next on the slate."""
        turn, alike = self._bounds.turn, self._variety.alike
        self._shown += 1
        self._total += self._mix.share[candidate]
        if len(turn):
            self._had[turn[candidate]] += 1
        if len(alike):
            self._nearest = np.maximum(self._nearest, alike[candidate])


def _no_variety(n: int) -> Variety:
    return Variety(np.empty((0, 0), np.float32), np.zeros(n, np.float32), 1.0, 0.0)


def _no_mix(n: int) -> Mix:
    return Mix(own=np.empty(0), share=np.empty((n, 0)), weight=0.0)

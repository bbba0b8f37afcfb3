"""What is known of items at this moment: popularity, interactions, what follows and accompanies what."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from foretaste.domain.arrays import MICROS_PER_SECOND, Doubles, Floats, Int64s, Ordinals
from foretaste.features import tables
from foretaste.features.neighbours import FOLLOW_UNIT
from foretaste.features.popularity import LEVELS, NEVER, UNIT, decayed_sums, decayed_to
from foretaste.features.recent_items import RecentItems
from foretaste.features.tables import Arrays, new_arrays

_QUIET_HALVINGS = 20.0


@dataclass(frozen=True, slots=True, eq=False)
class Neighbours:
    """All neighbour rows as they lie in memory, for kernels: views that the next event may change.

    Row i is the places `start[i]` to before `start[i] + length[i]` of `item`, `follow` and `together`
    (int32), in no order, each item once, never i itself. `follow` is the weight of going from i to `item` in
    steps of 1 / FOLLOW_UNIT, `together` how often both met. Either may be zero. `start`, `length` and
    `interactions` (how many positive events i had) are int64 [n_items].
    Some views are strided: pass them to a kernel as they are, do not make them contiguous.
    """

    start: Int64s
    length: Int64s
    interactions: Int64s
    item: Ordinals
    follow: Ordinals
    together: Ordinals


class TableHolder:
    """Holds the arrays of a state in one place, since growing replaces them."""

    def __init__(self, arrays: Arrays) -> None:
        self.arrays = arrays
        self.breaks = 0


class ItemState:
    """The item side of a state. Read it while no event is applied (under `State.lock` where events arrive).

    `half_lives` are in seconds; infinity means no decay.
    """

    def __init__(self, holder: TableHolder, half_lives: Sequence[float]) -> None:
        self._holder = holder
        self.half_lives = tuple(float(half_life) for half_life in half_lives)
        self._rates = np.array([UNIT / MICROS_PER_SECOND / half_life for half_life in self.half_lives])
        self._means = _mean_decays(self._rates)
        self._grids = [
            (max(1, int(0.25 / rate)), rate) if rate > 0.0 else (0, rate) for rate in self._rates.tolist()
        ]
        self._quiet = [
            0 if math.isinf(half_life) else int(_QUIET_HALVINGS * half_life * MICROS_PER_SECOND)
            for half_life in self.half_lives
        ]
        self._sums = np.zeros((len(self.half_lives), 0))
        self._values = np.zeros((len(self.half_lives), 0), np.float32)
        self._moments = [math.nan] * len(self.half_lives)
        self._interactions = np.zeros(0, np.int64)
        self._counted = (0, 0)
        self._views: tuple[Arrays, Int64s, int, Neighbours | None] = (
            holder.arrays,
            self._interactions,
            0,
            None,
        )
        self.recent = RecentItems()

    @property
    def n_items(self) -> int:
        """One more than the highest ordinal of an item with events."""
        return int(self._holder.arrays.counts[tables.N_ITEMS])

    @property
    def seq(self) -> int:
        """The sequence number of the last event applied."""
        return int(self._holder.arrays.counts[tables.SEQ])

    @property
    def breaks(self) -> int:
        """How often what is known changed otherwise than by an event: by people merged, or restored."""
        return self._holder.breaks

    def touched_since(self, seq: int) -> Ordinals | None:
        """Return the items that events after `seq` were about, rising; None where that is long ago.

        Of all others what is known is what it was then. Nobody may write to them.
        """
        return self.recent.since(seq, self.seq)

    @property
    def interactions(self) -> Int64s:
        """How many positive events each item had, int64 [n_items]; a view that the next event may change."""
        now, n_items = (self.seq, self.breaks), self.n_items
        if self._counted != now or n_items > len(self._interactions):
            self._count(n_items)
            self._counted = now
        return self._interactions[:n_items]

    def interactions_of(self, items: Ordinals) -> Int64s:
        """Return how many positive events each of `items` had, int64; 0 for one without events."""
        counts = np.zeros(len(items), np.int64)
        known = items < self.n_items
        counts[known] = self._holder.arrays.items[items[known], tables.INTERACTIONS]
        return counts

    @property
    def newest(self) -> Int64s:
        """When each item had its latest positive event, rounded down to the minute; int64 [n_items].

        In microseconds; the least int64 where there was none.
        """
        newest = self._holder.arrays.items[: self.n_items, tables.NEWEST]
        return np.where(newest == NEVER, np.iinfo(np.int64).min, newest * UNIT)

    def popularity(self, half_life_index: int, now: int) -> Floats:
        """Return the sum of positive weights, each halved every half-life since its event; float32 [n_items].

        A moment before an item's latest event counts as that event's moment, within a half-life. A
        function of the events and `now` only, whatever was asked before. In long silence the common
        decay stops after twenty half-lives, so that the order of items is not lost in rounding.
        """
        values = self.decayed(half_life_index, now)
        return np.asarray(values * np.float32(self.stage(half_life_index, now)[1]))

    def stage(self, half_life_index: int, now: int) -> tuple[float, float]:
        """Return the moment for which `decayed` gives `popularity`, and the decay from then to `now`."""
        grid, rate = self._grids[half_life_index]
        if not grid:
            return 0.0, 1.0
        latest = int(self._holder.arrays.counts[tables.LATEST])
        if latest != NEVER:
            now = min(now, latest + self._quiet[half_life_index])
        moment = float(now // UNIT // grid * grid)
        return moment, math.exp2(-(now / UNIT - moment) * rate)

    def decayed(self, half_life_index: int, now: int) -> Floats:
        """Return `popularity` as of the moment of `stage`, which has the same order, float32 [n_items].

        A view that the next event or reading may change.
        """
        n_items, moment = self.n_items, self.stage(half_life_index, now)[0]
        self._refresh()
        if self._moments[half_life_index] != moment:
            self._decay(half_life_index, moment, np.arange(n_items))
            self._moments[half_life_index] = moment
        return self._values[half_life_index, :n_items]

    def followers(self, item: int) -> tuple[Ordinals, Floats]:
        """Return what came after `item` within the window, by ordinal, and its weight.

        A direct succession weighs 1, one d places on 1 / d. Empty for an unknown item.
        """
        others, follow, _ = self._row(item)
        kept = follow > 0
        return others[kept], (follow[kept] / FOLLOW_UNIT).astype(np.float32)

    def together(self, item: int) -> tuple[Ordinals, Floats]:
        """Return what came near `item` within the window, by ordinal, and how often; empty if unknown."""
        others, _, together = self._row(item)
        kept = together > 0
        return others[kept], together[kept].astype(np.float32)

    @property
    def neighbours(self) -> Neighbours:
        """The rows behind `followers` and `together`, for kernels; the same views while these lie there."""
        arrays, n_items = self._holder.arrays, self.n_items
        interactions = self.interactions
        held, counted, known, views = self._views
        if views is None or held is not arrays or counted is not self._interactions or known != n_items:
            rows, halves = arrays.items[:n_items], arrays.pairs.view(np.int32)
            views = Neighbours(
                start=rows[:, tables.ROW],
                length=rows[:, tables.ROW_LENGTH],
                interactions=interactions,
                item=halves[:, 0],
                follow=halves[:, 3],
                together=halves[:, 2],
            )
            self._views = arrays, self._interactions, n_items, views
        return views

    def _row(self, item: int) -> tuple[Ordinals, Ordinals, Ordinals]:
        """Return copies of an item's neighbours, sorted by ordinal."""
        arrays = self._holder.arrays
        if not 0 <= item < self.n_items:
            empty = np.empty(0, np.int32)
            return empty, empty, empty
        start, length = arrays.items[item, tables.ROW], arrays.items[item, tables.ROW_LENGTH]
        row = arrays.pairs[start : start + length]
        halves = row[np.argsort(row[:, 0])].view(np.int32)
        return halves[:, 0].copy(), halves[:, 3], halves[:, 2]

    def _count(self, n_items: int) -> None:
        """Bring the interactions up to date: in the table they lie far apart."""
        (seq, breaks), counts = self._counted, self._holder.arrays.items[:, tables.INTERACTIONS]
        touched = self.touched_since(seq) if breaks == self.breaks else None
        if touched is None or n_items > len(self._interactions):
            self._interactions = counts.copy()
        else:
            known = touched[touched < n_items]
            self._interactions[known] = counts[known]

    def _refresh(self) -> None:
        """Bring the sums of items that had events since the last reading up to date."""
        arrays = self._holder.arrays
        n_items = self.n_items
        if n_items > self._sums.shape[1]:
            self._widen(len(arrays.items))
        if arrays.counts[tables.N_STALE] == 0:
            return
        items = np.flatnonzero(arrays.stale[:n_items])
        newest = arrays.items[:, tables.NEWEST]
        decayed_sums(arrays.buckets, newest, items, self._rates, self._means, self._sums)
        for half_life_index, moment in enumerate(self._moments):
            if not math.isnan(moment):
                self._decay(half_life_index, moment, items)
        arrays.stale[items] = False
        arrays.counts[tables.N_STALE] = 0

    def _decay(self, half_life_index: int, moment: float, items: Int64s) -> None:
        newest = self._holder.arrays.items[:, tables.NEWEST]
        rate, values = self._rates[half_life_index], self._values[half_life_index]
        decayed_to(self._sums[half_life_index], newest, items, moment, rate, values)

    def _widen(self, n_items: int) -> None:
        known = self._sums.shape[1]
        sums, values = np.zeros((len(self.half_lives), n_items)), np.zeros((len(self.half_lives), n_items))
        sums[:, :known], values[:, :known] = self._sums, self._values
        self._sums, self._values = sums, values.astype(np.float32)


def no_items(half_lives: Sequence[float] = (3600.0, 86_400.0, 604_800.0, 2_592_000.0)) -> ItemState:
    """Return the item state of an empty log."""
    return ItemState(TableHolder(new_arrays(1)), half_lives)


def _mean_decays(rates: Doubles) -> Doubles:
    """Return the mean of 2^(-rate · x) for x from 0 to 2^level; float64 [half-lives, LEVELS]."""
    exponents = np.outer(rates, np.exp2(np.arange(LEVELS))) * math.log(2.0)
    return np.divide(-np.expm1(-exponents), exponents, out=np.ones_like(exponents), where=exponents > 0.0)

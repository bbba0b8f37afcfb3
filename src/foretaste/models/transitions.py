"""Transitions: what others did next, or at the same time, after what this person did last."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import msgspec
import numpy as np

from foretaste.domain.arrays import Floats, Int64s, Ordinals
from foretaste.domain.history import History
from foretaste.domain.interactions import Interactions
from foretaste.domain.kernel import kernel
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.features.item_state import Neighbours
from foretaste.features.recency import Recency
from foretaste.models.entries import entry_of
from foretaste.models.foremost import Foremost
from foretaste.models.interface import Moment
from foretaste.models.live_model import Sparse
from foretaste.models.popular import discounted, discounts
from foretaste.models.recency import spoken
from foretaste.models.zeros import Zeros


class TransitionsConfig(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="transitions"):
    """How the counts of the state become scores.

    `relation`: `follow` is what came after, `together` what came near, in either order. A neighbour's
    weight is divided by `item popularity ** damping` of the event's item (1: a probability; 0: a count) and
    by `popularity ** discount` of the neighbour's own (0 leaves popular neighbours their lead).
    `recency` says how loudly the events of the history speak, of which at most the latest `events` do.
    """

    relation: Literal["follow", "together"] = "follow"
    damping: float = 1.0
    discount: float = 0.0
    events: int = 12
    recency: Recency = Recency(half_life_events=3.0)

    def fit(self, interactions: Interactions, seed: int, catalog: CatalogColumns) -> "Transitions":  # noqa: ARG002 - nothing is learnt: the state counts every event
        """Return the model; nothing is learnt, since the state counts every event as it comes."""
        return Transitions(self)


@dataclass(frozen=True, slots=True, eq=False)
class _Counted:
    """The events of a history that count where so many items are known: places, items and weights."""

    n_items: int
    place: Int64s
    event: Ordinals
    weight: Floats

    @property
    def nbytes(self) -> int:
        """How many bytes they take."""
        return self.place.nbytes + self.event.nbytes + self.weight.nbytes


class Transitions(Sparse[TransitionsConfig], Foremost):
    """What others did next (or near in time) after each of the last events, weighted and added up."""

    name: ClassVar[str] = "transitions"
    config_type = TransitionsConfig

    def __init__(self, config: TransitionsConfig) -> None:
        super().__init__(config)
        self._discount = discounts(config.discount)
        self._sums = Zeros(np.float32)

    @property
    def fades_with_time(self) -> bool:
        """Whether the events of a history speak more quietly with the time."""
        return self._config.recency.half_life_seconds is not None

    def made(self, history: History, moment: Moment) -> tuple[Int64s, None]:
        """Return the sums over the events' neighbours in the state; see `Sparse`."""
        used, event, weight = self._spoken(history, moment)
        if not len(used):
            return np.empty(0, np.int64), None
        rows, count = self._rows(moment)
        where = (rows.start, rows.length, rows.item, count)
        held = (rows.interactions, self._discount, self._sums.of(moment.n_items))
        return np.asarray(_row_entries(event, weight, *where, self._config.damping, *held)), None

    def explain(self, history: History, item: int, moment: Moment) -> Floats:
        """Return each event's part of the sum; see `Model`."""
        return np.asarray(self.explain_each(history, np.array([item], np.int32), moment)[0])

    def explain_each(self, history: History, items: Ordinals, moment: Moment) -> Floats:
        """Return each event's part of the sum for each item; see `Model`."""
        shares = np.zeros((len(items), len(history)), np.float32)
        used, event, weight = self._spoken(history, moment)
        if len(used):
            found = np.zeros((len(items), len(used)), np.float32)
            rows, count = self._rows(moment)
            where = (rows.start, rows.length, rows.item, count)
            _find_shares(event, weight, *where, self._config.damping, items, found)
            held = discounted(moment.items.interactions_of(items), self._discount)
            found *= held[:, np.newaxis]
            shares[:, used] = found
        return shares

    def foremost(self, history: History, items: Ordinals, moment: Moment) -> Ordinals:
        """Return the past item whose row adds most to each item; see `Foremost`."""
        _, event, weight = self._spoken(history, moment)
        rows, count = self._rows(moment)
        where = (rows.start, rows.length, rows.item, count)
        return np.asarray(_foremost(event, weight, *where, self._config.damping, items))

    def _rows(self, moment: Moment) -> tuple[Neighbours, Ordinals]:
        """Return the rows of neighbours, and what is counted of each."""
        rows = moment.items.neighbours
        return rows, rows.follow if self._config.relation == "follow" else rows.together

    def _spoken(self, history: History, moment: Moment) -> tuple[Int64s, Ordinals, Floats]:
        """Return places, items and weights of the events that count; kept with the history while they do."""
        config, n_items = self._config, moment.items.n_items
        kept: _Counted | None = None if self.fades_with_time else history.memo.get((_Counted, self))
        if kept is None or kept.n_items != n_items:
            place, event, weight = spoken(
                history, config.recency, moment.now, n_items=n_items, most=config.events
            )
            kept = _Counted(n_items, place.copy(), event.copy(), weight.copy())
            if not self.fades_with_time:
                history.memo[_Counted, self] = kept
        return kept.place, kept.event, kept.weight


@kernel
def _row_entries(
    events: Ordinals,
    weight: Floats,
    start: Int64s,
    length: Int64s,
    item: Ordinals,
    count: Ordinals,
    damping: float,
    interactions: Int64s,
    discount: Floats,
    sums: Floats,
) -> Int64s:
    """Return the sum of each event's neighbours, times its weight over the row's sum to the power `damping`.

    Each is held back by its item's discount. `sums` holds zeros, before and after. What cannot be guessed is
    done without branches: a wrong guess costs as much as five cells.
    """
    events, weight = _each_once(events, weight)
    most = 1
    for h in range(len(events)):
        most += length[events[h]]
    entries, n, last = np.empty(most, np.int64), 0, len(discount) - 1
    for h in range(len(events)):
        begin = start[events[h]]
        end = begin + length[events[h]]
        total = 0
        for place in range(begin, end):
            total += count[place]
        if total > 0:
            factor = np.float32(weight[h] / np.float64(total) ** damping)
            for place in range(begin, end):
                one = item[place]
                before = sums[one]
                entries[n] = one
                n += before == np.float32(0.0)
                sums[one] = before + factor * np.float32(count[place])
    kept = 0
    for k in range(n):
        one = entries[k]
        found = sums[one]
        sums[one] = np.float32(0.0)
        held = discount[min(interactions[one], last)] if last > 0 else np.float32(1.0)
        entries[kept] = entry_of(found * held, one)
        kept += found != np.float32(0.0)
    return entries[:kept]


@kernel
def _each_once(events: Ordinals, weight: Floats) -> tuple[Ordinals, Floats]:
    """Return every event's item once, in the order of first sight, with the sum of its weights."""
    once, sums, n = np.empty(len(events), np.int32), np.zeros(len(events), np.float32), 0
    for h in range(len(events)):
        k = 0
        while k < n and once[k] != events[h]:
            k += 1
        once[k] = events[h]
        sums[k] += weight[h]
        n = max(n, k + 1)
    return once[:n], sums[:n]


@kernel
def _find_shares(
    events: Ordinals,
    weight: Floats,
    start: Int64s,
    length: Int64s,
    item: Ordinals,
    count: Ordinals,
    damping: float,
    asked: Ordinals,
    shares: Floats,
) -> None:
    """Write to `shares` [asked, events] what each event's row adds."""
    found, maybe = np.empty(len(asked), np.int32), _pattern(asked)
    for first in range(len(events)):
        if (events[:first] == events[first]).any():
            continue
        begin = start[events[first]]
        total = _look_up(item, count, begin, begin + length[events[first]], asked, maybe, found)
        for h in range(first, len(events)):
            if events[h] == events[first] and total > 0:
                factor = np.float32(weight[h] / np.float64(total) ** damping)
                for k in range(len(asked)):
                    shares[k, h] = factor * np.float32(found[k])


@kernel
def _foremost(
    events: Ordinals,
    weight: Floats,
    start: Int64s,
    length: Int64s,
    item: Ordinals,
    count: Ordinals,
    damping: float,
    asked: Ordinals,
) -> Ordinals:
    """Return for each item the event's item of the largest share, -1 where none is above 0.

    An item's own discount changes none of it.
    """
    past, shares = np.full(len(asked), -1, np.int32), np.zeros((len(asked), len(events)), np.float32)
    _find_shares(events, weight, start, length, item, count, damping, asked, shares)
    for k in range(len(asked)):
        most = np.float32(0.0)
        for h in range(len(events)):
            if shares[k, h] > most:
                most, past[k] = shares[k, h], events[h]
    return past


@kernel
def _pattern(asked: Ordinals) -> np.uint64:
    """Return bits by which most items that are not asked about are told."""
    maybe = np.uint64(0)
    for k in range(len(asked)):
        maybe |= np.uint64(1) << np.uint64(asked[k] & 63)
    return maybe


@kernel
def _look_up(
    item: Ordinals, count: Ordinals, begin: int, end: int, asked: Ordinals, maybe: np.uint64, found: Ordinals
) -> int:
    """Write what a row counts of each item asked about, 0 for none, and return what it counts in all."""
    total, found[:] = 0, 0
    for place in range(begin, end):
        total += count[place]
        if (maybe >> np.uint64(item[place] & 63)) & np.uint64(1):
            for k in range(len(asked)):
                if item[place] == asked[k]:
                    found[k] = count[place]
    return total

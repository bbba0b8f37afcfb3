"""Items that came after training, in a model that was trained without them.

From its first second an item is what its words and vector say: a mixture of the trained items most alike,
or, in a factor model, the vector that a ridge regression from content to factors foretells. With each event
on it, who took it speaks more: after n events its companions (the trained items taken near it) have the
part n / (n + patience).
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foretaste.domain.arrays import Doubles, Int64s, Mask, Ordinals
from foretaste.domain.item import Item
from foretaste.domain.kernel import kernel
from foretaste.features.item_state import ItemState
from foretaste.models.cold_knowledge import Knowledge, digests_of_guests, is_as_before
from foretaste.models.companions import companions
from foretaste.models.guests import Guests
from foretaste.models.interface import Model, Moment
from foretaste.models.item_features import Described
from foretaste.models.likeness import Mixtures
from foretaste.models.remembered import RememberedRows, Rows
from foretaste.models.terms import replaced

BASE = "base_"
MOST_REMEMBERED = 2_048
"""The rows of so many guests are remembered: clients ask about the same ones for one person after another."""
MOST_COLD = 50_000
"""Of more untrained items the youngest take part: what a score costs is bounded."""

_NO_ITEMS: Ordinals = np.empty(0, np.int32)
_NO_COUNTS: Int64s = np.empty(0, np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Foretold:
    """The rows that content gives to cold items: `item` int32, rising, and the rows in its order."""

    item: Ordinals
    rows: Rows

    def replaced(self, item: Ordinals, rows: Rows, gone: Ordinals) -> "Foretold":
        """Return these with other rows for `item` (rising) and without `gone`."""
        kept = ~np.isin(self.item, np.concatenate((item, gone)))
        joined = np.concatenate((self.item[kept], item))
        order = np.argsort(joined, kind="stable")
        both = zip(self.rows, rows, strict=True)
        return Foretold(joined[order], tuple(np.concatenate((old[kept], new))[order] for old, new in both))


@dataclass(slots=True, eq=False)
class Live:
    """The rows as of one moment; replaced piece by piece as the catalog changes and events come.

    `cold` are the items that have a row; `silent` those that have none only because nobody took them yet.
    """

    items: Sequence[Item | None]
    foretold: Foretold
    state: ItemState | None
    seq: int
    cold: Ordinals
    taken: Int64s
    rows: Rows
    n_items: int = -1
    silent: Ordinals = field(default_factory=lambda: _NO_ITEMS)


@dataclass(frozen=True, slots=True, eq=False)
class Visitors:
    """The guests of a moment that were not trained and say something: places among the guests, and rows."""

    place: Int64s
    rows: Rows


class ColdItems(ABC):
    """What `FactorsOfCold` and `RowsOfCold` share: which items are cold, and their rows at a moment."""

    def __init__(
        self, base: Model, knowledge: Knowledge, stored: Foretold, digest: Int64s, config: Any
    ) -> None:
        self._base = base
        self.knowledge = knowledge
        """What was learnt of content; other models may hold the same."""
        self._stored = stored
        self._digest = digest
        self._config = config
        self._live: Live | None = None
        self._remembered = RememberedRows(MOST_REMEMBERED)

    @property
    def name(self) -> str:
        """The base model's name."""
        return self._base.name

    @property
    def config(self) -> Any:
        """The configuration, nothing left open."""
        return self._config

    @property
    def base(self) -> Model:
        """The model that was trained."""
        return self._base

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """Return the base's arrays, prefixed, what was learnt of content and what it foretells."""
        arrays: dict[str, NDArray[Any]] = {BASE + name: array for name, array in self._base.arrays().items()}
        arrays |= self.knowledge.arrays()
        arrays |= {"cold": self._stored.item, "cold_digest": self._digest}
        return arrays | {f"cold_{place}": array for place, array in enumerate(self._stored.rows)}

    def at(self, moment: Moment) -> Live:
        """Return the rows as of `moment`; costs something only for what changed since the last one."""
        live = self._live
        if live is None or live.items is not moment.catalog.items:
            foretold = self._followed(live, moment.catalog.items)
            live = Live(moment.catalog.items, foretold, None, -1, _NO_ITEMS, _NO_COUNTS, foretold.rows)
        if live.state is not moment.items or live.seq != moment.seq:
            self._let_in(live, moment)
        self._live = live
        return live

    def visitors(self, moment: Moment) -> Visitors:
        """Return the rows of the moment's guests, kept with them; as if the catalog described them."""
        found: Visitors | None = moment.guests.kept.get(self)
        if found is None:
            found = moment.guests.kept[self] = self._visiting(moment)
        return found

    def visiting(self, items: Ordinals, moment: Moment) -> tuple[Int64s, Int64s]:
        """Return which of `items` are visitors, as places in `items`, and their places among the visitors."""
        places, guest = moment.guests.among(items)
        if not len(places):
            return places, guest
        visitors = self.visitors(moment).place
        row, there = _found(visitors, guest)
        return places[there], row[there]

    @abstractmethod
    def made(self, about: Described, kept: dict[Any, Any]) -> Rows:
        """Return the rows that content gives to items described by `about`.

        What other models may need too is kept in `kept`.
        """

    @abstractmethod
    def joined(self, companions: Mixtures, share: Doubles, foretold: Rows) -> Rows:
        """Return rows: `share`, float64 [n], of what was foretold of each, the rest from its companions."""

    @abstractmethod
    def changed(self, live: Live) -> None:
        """Take notice that the rows are others than before, or of other items."""

    @abstractmethod
    def followed(self, live: Live, places: Int64s) -> None:
        """Take notice that the rows at `places` are others than before, and only these."""

    def _followed(self, live: Live | None, items: Sequence[Item | None]) -> Foretold:
        """Return what content says of the cold ones of `items`; only what changed is read."""
        trained = self.knowledge.count
        if live is None:
            known = dict(zip(self._stored.item.tolist(), self._digest.tolist(), strict=True))
            changed = [
                ordinal
                for ordinal, item in enumerate(items)
                if (ordinal >= len(trained) or not trained[ordinal])
                and not is_as_before(item, known.get(ordinal, (0, 0)))
            ]
            start = self._stored
        else:
            changed = [
                ordinal
                for ordinal in replaced(live.items, items)
                if ordinal >= len(trained) or not trained[ordinal]
            ]
            start = live.foretold
        about = self.knowledge.features.describe([items[ordinal] for ordinal in changed])
        told = np.flatnonzero(about.told)
        ordinals = np.array(changed, np.int32)
        beyond = start.item[start.item >= len(items)]
        rows = self.made(about.take(told), {})
        return start.replaced(ordinals[told], rows, np.concatenate((ordinals, beyond)))

    def _visiting(self, moment: Moment) -> Visitors:
        guests = moment.guests
        place = np.flatnonzero(~is_taken(guests.item, self.knowledge.count))
        keys = digests_of_guests(guests)
        told, *rows = self._remembered.of(
            [keys[at] for at in place.tolist()], lambda missing: self._foretell(guests, place[missing])
        )
        place, rows = place[told], [array[told] for array in rows]
        taken = moment.items.interactions_of(guests.item[place])
        known = np.flatnonzero(taken)
        if len(known):
            near = companions(moment.items, guests.item[place[known]], self.knowledge.count)
            joined = self.joined(near, self._share(taken[known]), tuple(array[known] for array in rows))
            for array, own in zip(rows, joined, strict=True):
                array[known] = own
        return Visitors(place, tuple(rows))

    def _foretell(self, guests: Guests, places: Int64s) -> Rows:
        """Return whether content says something of the guests at `places`, and their rows."""
        about = self.knowledge.described(guests, places)
        return about.told, *self.made(about, guests.kept)

    def _let_in(self, live: Live, moment: Moment) -> None:
        """Bring `live` up to the events of `moment`."""
        same = live.state is moment.items and live.n_items == moment.n_items
        touched = moment.items.touched_since(live.seq) if same else None
        if touched is not None and self._followed_up(live, moment.items, touched):
            return
        now = moment.items.interactions_of(live.cold)
        if not same or (now < live.taken).any() or moment.items.interactions_of(live.silent).any():
            same = self._look_through(live, moment)
            now = moment.items.interactions_of(live.cold)
        places = np.flatnonzero(now > 0)  # who was taken beside them may be others too
        self._join(live, moment.items, places, now[places])
        live.taken, live.state, live.seq = now, moment.items, moment.seq
        if len(places) or not same:
            self.changed(live)

    def _followed_up(self, live: Live, items: ItemState, touched: Ordinals) -> bool:
        """Let in what is new of `touched` items and those near them; False where all must be looked at."""
        silent = _places(live.silent, touched)
        if len(silent) and items.interactions_of(live.silent[silent]).any():
            return False
        if not len(live.cold):
            live.seq = items.seq
            return True
        rows = items.neighbours
        places = _places_near(live.cold, touched, rows.start, rows.length, rows.item, rows.together)
        now = items.interactions_of(live.cold[places])
        if (now < live.taken[places]).any():
            return False
        new = places[now > 0]
        self._join(live, items, new, now[now > 0])
        live.taken[places] = now
        live.seq = items.seq
        if len(new):
            self.followed(live, new)
        return True

    def _look_through(self, live: Live, moment: Moment) -> bool:
        """Find the cold items among all; return whether they are the same as before."""
        taken = np.zeros(moment.n_items, np.int64)
        seen = moment.items.interactions
        taken[: len(seen)] = seen
        untrained = np.ones(moment.n_items, np.bool_)
        untrained[: len(self.knowledge.count)] = self.knowledge.count[: moment.n_items] == 0
        told = np.zeros(moment.n_items, np.bool_)
        told[live.foretold.item] = True
        cold = np.flatnonzero(untrained & (told | (taken > 0)))[-MOST_COLD:].astype(np.int32)
        same = live.state is moment.items and np.array_equal(cold, live.cold)
        if not same:
            live.rows = self._first_rows(live.foretold, cold)
            live.cold, live.taken = cold, np.zeros(len(cold), np.int64)
        live.n_items = moment.n_items
        live.silent = np.flatnonzero(untrained & ~told & (taken == 0)).astype(np.int32)
        return same

    def _first_rows(self, foretold: Foretold, cold: Ordinals) -> Rows:
        """Return what content says of `cold`, zeros where it says nothing."""
        place, has = _found(foretold.item, cold)
        rows = tuple(np.zeros((len(cold), *array.shape[1:]), array.dtype) for array in foretold.rows)
        for array, source in zip(rows, foretold.rows, strict=True):
            array[has] = source[place[has]]
        return rows

    def _join(self, live: Live, items: ItemState, places: Int64s, taken: Int64s) -> None:
        """Let in who was taken near the cold items at `places`, which were taken so often."""
        if not len(places):
            return
        cold = live.cold[places]
        foretold = self._first_rows(live.foretold, cold)
        share = np.where(_found(live.foretold.item, cold)[1], self._share(taken), 0.0)
        joined = self.joined(companions(items, cold, self.knowledge.count), share, foretold)
        for array, rows in zip(live.rows, joined, strict=True):
            array[places] = rows

    def _share(self, taken: Int64s) -> Doubles:
        """Return the part of content for items that were taken so often, float64 [n]."""
        return np.asarray(self.knowledge.patience / (taken + self.knowledge.patience), np.float64)


def _found(rising: Ordinals | Int64s, items: Ordinals | Int64s) -> tuple[Int64s, Mask]:
    """Return where `items` would be in `rising`, and whether they are there."""
    place = np.searchsorted(rising, items)
    has = place < len(rising)
    has[has] = rising[place[has]] == items[has]
    return place, has


def is_taken(items: Ordinals, count: Int64s) -> Mask:
    """Return which of `items` have a `count`, int64 [n_items]; bool [len(items)]."""
    return np.asarray((items < len(count)) & (count[np.minimum(items, len(count) - 1)] > 0))


@kernel
def _places_near(
    rising: Ordinals,
    items: Ordinals,
    start: Int64s,
    length: Int64s,
    neighbour: Ordinals,
    together: Ordinals,
) -> Int64s:
    """Return the places in `rising` of `items` and of what came near them (see `Neighbours`), in order."""
    is_near = np.zeros(len(rising), np.bool_)
    first, last = rising[0], rising[-1]
    for item in items:
        begin = start[item] if item < len(start) else 0
        end = begin + length[item] if item < len(start) else 0
        for at in range(begin - 1, end):
            other = item if at < begin else neighbour[at]
            if first <= other <= last and (at < begin or together[at] > 0):
                place = np.searchsorted(rising, other)
                is_near[place] |= rising[place] == other
    return np.flatnonzero(is_near)


@kernel
def _places(rising: Ordinals, items: Ordinals) -> Int64s:
    """Return the places in `rising` of those of `items`, rising too, that are there."""
    places, n = np.empty(len(items), np.int64), 0
    for item in items:
        place = np.searchsorted(rising, item)
        if place < len(rising) and rising[place] == item:
            places[n] = place
            n += 1
    return places[:n]

"""Items that came after training, in a model that was trained without them.

From its first second an item is what its words and vector say: a mixture of the trained items most alike,
or, in a factor model, the vector that a ridge regression from content to factors foretells. With each event
on it, who took it speaks more: after n events its companions (the trained items taken near it) have the
part n / (n + patience).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self, cast

import numpy as np
from numpy.typing import NDArray

from foretaste.domain.arrays import Floats, Int64s, Ordinals
from foretaste.domain.history import History
from foretaste.domain.item import Item
from foretaste.features.item_state import ItemState
from foretaste.models.content_index import digest_of, vector_digest
from foretaste.models.interface import Model, Moment
from foretaste.models.item_features import Described, Features, each_times
from foretaste.models.likeness import Anchors, blended, companions
from foretaste.models.padding import at

BASE = "base_"
MOST_COLD = 50_000
"""Of more untrained items the youngest take part: what a score costs is bounded."""

Rows = tuple[NDArray[Any], ...]
"""Equally long arrays, a row for each cold item."""


@dataclass(frozen=True, slots=True, eq=False)
class Knowledge:
    """What was learnt of content: the map from items to what they are about, and the trained items' places.

    `count` int64 [n_items] is how often each item was taken in training. `words` is the words' share of
    likeness, `gain` the factor of what is foretold, `patience` the number of events that count as much as
    content.
    """

    features: Features
    anchors: Anchors
    count: Int64s
    words: float
    gain: float
    patience: float

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """Return what `from_arrays` needs beside the three numbers."""
        about = self.anchors.about
        return {
            **self.features.arrays(),
            "anchor": self.anchors.item,
            "anchor_start": about.words.indptr.astype(np.int64),
            "anchor_term": about.words.indices.astype(np.int32),
            "anchor_weight": about.words.data,
            "anchor_dense": about.dense,
            "count": self.count,
        }


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
    """The rows as of one moment; replaced piece by piece as the catalog changes and events come."""

    items: Sequence[Item | None]
    foretold: Foretold
    state: ItemState | None
    seq: int
    cold: Ordinals
    taken: Int64s
    rows: Rows


class ColdItems:
    """What `FactorsOfCold` and `RowsOfCold` share: which items are cold, and their rows at a moment."""

    def __init__(
        self, base: Model, knowledge: Knowledge, stored: Foretold, digest: Int64s, config: Any
    ) -> None:
        self._base = base
        self._knowledge = knowledge
        self._stored = stored
        self._digest = digest
        self._config = config
        self._live: Live | None = None

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
        arrays |= self._knowledge.arrays()
        arrays |= {"cold": self._stored.item, "cold_digest": self._digest}
        return arrays | {f"cold_{place}": array for place, array in enumerate(self._stored.rows)}

    def at(self, moment: Moment) -> Live:
        """Return the rows as of `moment`; costs something only for what changed since the last one."""
        live = self._live
        if live is None or live.items is not moment.catalog.items:
            foretold = self._followed(live, moment.catalog.items)
            live = Live(moment.catalog.items, foretold, None, -1, _NO_ITEMS, _NO_COUNTS, foretold.rows)
        if live.state is not moment.items or live.seq != moment.items.seq:
            self._let_in(live, moment)
        self._live = live
        return live

    def made(self, about: Described) -> Rows:
        """Return the rows that content gives to items described by `about`."""
        raise NotImplementedError

    def joined(self, items: ItemState, item: int, share: float, foretold: Rows) -> Rows:
        """Return the row of `item`: `share` of what was foretold, the rest from its companions."""
        raise NotImplementedError

    def nothing(self) -> Rows:
        """Return the row of an item of which content says nothing."""
        return tuple(np.zeros(array.shape[1:], array.dtype) for array in self._stored.rows)

    def changed(self, live: Live) -> None:
        """Take notice that the rows are others than before."""

    def _followed(self, live: Live | None, items: Sequence[Item | None]) -> Foretold:
        """Return what content says of the cold ones of `items`; only what changed is read."""
        trained = self._knowledge.count
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
            before = live.items
            changed = [
                ordinal
                for ordinal, item in enumerate(items)
                if (ordinal >= len(before) or item is not before[ordinal])
                and (ordinal >= len(trained) or not trained[ordinal])
            ]
            start = live.foretold
        about = self._knowledge.features.describe([items[ordinal] for ordinal in changed])
        told = np.flatnonzero(about.told)
        ordinals = np.array(changed, np.int32)
        beyond = start.item[start.item >= len(items)]
        return start.replaced(ordinals[told], self.made(about.take(told)), np.concatenate((ordinals, beyond)))

    def _let_in(self, live: Live, moment: Moment) -> None:
        """Bring `live` up to the events of `moment`."""
        taken = np.zeros(moment.n_items, np.int64)
        seen = moment.items.interactions
        taken[: len(seen)] = seen
        untrained = np.ones(moment.n_items, np.bool_)
        untrained[: len(self._knowledge.count)] = self._knowledge.count[: moment.n_items] == 0
        told = np.zeros(moment.n_items, np.bool_)
        told[live.foretold.item] = True
        cold = np.flatnonzero(untrained & (told | (taken > 0)))[-MOST_COLD:].astype(np.int32)
        same = live.state is moment.items and np.array_equal(cold, live.cold)
        if not same:
            live.rows = self._first_rows(live.foretold, cold)
            live.cold, live.taken = cold, np.zeros(len(cold), np.int64)
        now = taken[cold]
        places = np.flatnonzero(now != live.taken)
        for place in places.tolist():
            self._join(live, moment.items, place, int(now[place]))
        live.taken, live.state, live.seq = now, moment.items, moment.items.seq
        if len(places) or not same:
            self.changed(live)

    def _first_rows(self, foretold: Foretold, cold: Ordinals) -> Rows:
        place = np.searchsorted(foretold.item, cold)
        has = place < len(foretold.item)
        has[has] = foretold.item[place[has]] == cold[has]
        rows = tuple(np.zeros((len(cold), *array.shape[1:]), array.dtype) for array in foretold.rows)
        for array, source in zip(rows, foretold.rows, strict=True):
            array[has] = source[place[has]]
        return rows

    def _join(self, live: Live, items: ItemState, place: int, taken: int) -> None:
        item = int(live.cold[place])
        where = int(np.searchsorted(live.foretold.item, item))
        told = where < len(live.foretold.item) and live.foretold.item[where] == item
        foretold = tuple(array[where] for array in live.foretold.rows) if told else self.nothing()
        share = self._knowledge.patience / (taken + self._knowledge.patience) if told else 0.0
        for array, row in zip(live.rows, self.joined(items, item, share, foretold), strict=True):
            array[place] = row


class FactorModel(Model, Protocol):
    """A model whose score of an item is linear in a vector of the item."""

    @property
    def item_factors(self) -> Floats:
        """The item vectors as trained, float32 [n_items, dim]."""
        ...

    def with_item_factors(self, factors: Floats) -> Self:
        """Return the same model with other or more item vectors."""
        ...


class FactorsOfCold(ColdItems):
    """A factor model in which cold items have vectors; all else (folding in, reasons) is the model's own."""

    def __init__(
        self,
        base: FactorModel,
        knowledge: Knowledge,
        stored: Foretold,
        digest: Int64s,
        config: Any,
        ridge: Floats | None,
    ) -> None:
        super().__init__(base, knowledge, stored, digest, config)
        self._trained = base
        self._ridge = ridge
        self._extended = base

    def score(self, history: History, moment: Moment, items: Ordinals | None = None) -> Floats:
        """Return the base's scores, cold items having vectors; see `Model`."""
        self.at(moment)
        return self._extended.score(history, moment, items)

    def explain(self, history: History, item: int, moment: Moment) -> Floats:
        """Return each event's exact share; see `Model`."""
        self.at(moment)
        return self._extended.explain(history, item, moment)

    def explain_each(self, history: History, items: Ordinals, moment: Moment) -> Floats:
        """Return each event's exact share for each item; see `Model`."""
        self.at(moment)
        return self._extended.explain_each(history, items, moment)

    def vectors(self, items: Ordinals) -> Floats | None:
        """Return the vectors at unit length, those of cold items as of the moment last asked about."""
        return self._extended.vectors(items)

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """Return the arrays, `ridge` among them where that is the way."""
        ridge = {} if self._ridge is None else {"ridge": self._ridge}
        return {**super().arrays(), **ridge}

    def made(self, about: Described) -> Rows:
        """Return vectors, float32 [n, dim]; see `ColdItems`."""
        knowledge = self._knowledge
        if self._ridge is not None:
            vectors = each_times(with_constant(about.dense), self._ridge)
        else:
            none = np.zeros(len(about.dense), np.int32)
            mixed = knowledge.anchors.mixtures(none, about, knowledge.words)
            vectors = mixed.of_rows(self._trained.item_factors)
        return ((vectors * np.float32(knowledge.gain)).astype(np.float32),)

    def joined(self, items: ItemState, item: int, share: float, foretold: Rows) -> Rows:
        """Return one vector; see `ColdItems`."""
        part, weight = companions(items, item, self._knowledge.count)
        own = weight @ self._trained.item_factors[part] * np.float32(self._knowledge.gain)
        return ((foretold[0] * np.float32(share) + own * np.float32(1.0 - share)).astype(np.float32),)

    def changed(self, live: Live) -> None:
        """Lay the vectors of trained and cold items out as one matrix."""
        trained = self._trained.item_factors
        n_items = max(len(trained), 1 + int(live.cold[-1]) if len(live.cold) else 0)
        factors = np.zeros((n_items, trained.shape[1]), np.float32)
        factors[: len(trained)] = trained
        factors[live.cold] = live.rows[0]
        self._extended = self._trained.with_item_factors(factors)


class RowsOfCold(ColdItems):
    """A linear item-to-item model; a cold item's score is a mixture of the scores of trained ones."""

    def score(self, history: History, moment: Moment, items: Ordinals | None = None) -> Floats:
        """Return the base's scores, and for cold items their mixtures; see `Model`."""
        live = self.at(moment)
        scores = self._base.score(history, moment)
        if len(live.cold):
            scores[live.cold] = _mixed(live.rows, scores)
        return scores if items is None else at(scores, items)

    def explain(self, history: History, item: int, moment: Moment) -> Floats:
        """Return each event's exact share; see `Model`."""
        return np.asarray(self.explain_each(history, np.array([item], np.int32), moment)[0])

    def explain_each(self, history: History, items: Ordinals, moment: Moment) -> Floats:
        """Return each event's exact share for each item; see `Model`."""
        live = self.at(moment)
        shares = self._base.explain_each(history, items, moment)
        place = np.searchsorted(live.cold, items)
        for row in np.flatnonzero(place < len(live.cold)).tolist():
            if live.cold[place[row]] == items[row]:
                part, weight = live.rows[0][place[row]], live.rows[1][place[row]]
                shares[row] = weight @ self._base.explain_each(history, part, moment)
        return shares

    def vectors(self, items: Ordinals) -> Floats | None:
        """Return what the base returns."""
        return self._base.vectors(items)

    def made(self, about: Described) -> Rows:
        """Return parts, int32 [n, PARTS], and their weights; see `ColdItems`."""
        knowledge = self._knowledge
        none = np.zeros(len(about.dense), np.int32)
        mixed = knowledge.anchors.mixtures(none, about, knowledge.words)
        return mixed.part, mixed.weight * np.float32(knowledge.gain)

    def joined(self, items: ItemState, item: int, share: float, foretold: Rows) -> Rows:
        """Return one mixture; see `ColdItems`."""
        own, weight = companions(items, item, self._knowledge.count)
        used = np.flatnonzero(foretold[1])
        told = (cast("Ordinals", foretold[0][used]), cast("Floats", foretold[1][used]))
        part, weight = blended(told, (own, weight * np.float32(self._knowledge.gain)), share)
        row = self.nothing()
        row[0][: len(part)], row[1][: len(part)] = part, weight
        return row


def digests_of(item: Item | None) -> tuple[int, int]:
    """Return 64 bits each of the item's words and of its vector; 0 for what there is not."""
    return digest_of(item), vector_digest(b"" if item is None else item.vector)


def is_as_before(item: Item | None, digests: Sequence[int]) -> bool:
    """Return whether an item is what it was. One whose vector is not at hand is judged by its words."""
    words, vector = digests_of(item)
    return words == digests[0] and vector in {0, digests[1]}


def with_constant(dense: Floats) -> Floats:
    """Return `dense` with a last column of ones."""
    return np.concatenate((dense, np.ones((len(dense), 1), np.float32)), axis=1)


def _mixed(rows: Rows, scores: Floats) -> Floats:
    mixed: Floats = np.einsum("rp,rp->r", rows[1], scores[rows[0]])
    return mixed


_NO_ITEMS: Ordinals = np.empty(0, np.int32)
_NO_COUNTS: Int64s = np.empty(0, np.int64)

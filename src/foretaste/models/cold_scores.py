"""Scores of cold items: by vectors in a model of factors, as mixtures in one from item to item."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, Self, cast

import numpy as np
from numpy.typing import NDArray

from foretaste.domain.arrays import Doubles, Floats, Int64s, Ordinals
from foretaste.domain.history import History
from foretaste.domain.kernel import kernel
from foretaste.models.changes import Changes, Followed, meet
from foretaste.models.cold_knowledge import Knowledge
from foretaste.models.cold_rows import ColdItems, Foretold, Live
from foretaste.models.companions import blended
from foretaste.models.interface import ManyScorer, Model, Moment
from foretaste.models.item_features import Described, each_times
from foretaste.models.likeness import Mixtures
from foretaste.models.padding import at
from foretaste.models.remembered import Rows
from foretaste.models.vector_model import VectorModel, VectorQuery


class FactorModel(Model, Protocol):
    """A model whose score of an item is linear in a vector of the item."""

    @property
    def item_factors(self) -> Floats:
        """All item vectors as trained, float32 [n_items, dim]."""
        ...

    def factors_of(self, items: Ordinals) -> Floats:
        """Return the vectors of `items`, float32 [len(items), dim]; 0 for items outside."""
        ...

    def with_factors(self, items: Ordinals, factors: Floats) -> Self:
        """Return the same model with other or more vectors of `items`."""
        ...

    def rewritten(self, items: Ordinals, factors: Floats) -> Self:
        """Do as `with_factors`, over vectors of this one, which `with_factors` gave and nobody asks again."""
        ...

    def alone(self, factors: Floats) -> Model:
        """Return a model that has items with these vectors only; people are to it what they are here."""
        ...


class FactorsOfCold(ColdItems, VectorModel, Followed):
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
        self._cold: Ordinals = np.empty(0, np.int32)

    def score(self, history: History, moment: Moment, items: Ordinals | None = None) -> Floats:
        """Return the base's scores, cold items having vectors; see `Model`."""
        self.at(moment)
        return self._extended.score(history, moment, items)

    def query(self, history: History, moment: Moment) -> VectorQuery | None:
        """Return the base's query, cold items being among those asked; see `VectorModel`."""
        self.at(moment)
        return self._extended.query(history, moment) if isinstance(self._extended, VectorModel) else None

    def score_many(self, histories: Sequence[History], moment: Moment) -> Floats:
        """Return `score` of each history, at once where the base can; see `ManyScorer`."""
        self.at(moment)
        if isinstance(self._extended, ManyScorer):
            return self._extended.score_many(histories, moment)
        return np.stack([self._extended.score(history, moment) for history in histories])

    def basis(self, moment: Moment) -> object | None:
        """Return what stands for the vectors as of the moment; see `Model`."""
        self.at(moment)
        return self._extended.basis(moment)

    def rescored(
        self,
        history: History,
        moment: Moment,
        changed: Ordinals,
        scores: Callable[[Ordinals], Floats],  # noqa: ARG002 - the vectors say all
    ) -> Floats | None:
        """Return the inner products of `changed` items, unless the person's vector hangs on them too."""
        self.at(moment)
        if meet(history.item, changed):
            return None
        return self._extended.score(history, moment, changed)

    def explain(self, history: History, item: int, moment: Moment) -> Floats:
        """Return each event's exact share; see `Model`."""
        self.at(moment)
        return self._extended.explain(history, item, moment)

    def explain_each(self, history: History, items: Ordinals, moment: Moment) -> Floats:
        """Return each event's exact share for each item; see `Model`."""
        self.at(moment)
        shares = self._extended.explain_each(history, items, moment)
        place, row = self.visiting(items, moment)
        if len(place):
            shares[place] = self._alone(moment).explain_each(history, row.astype(np.int32), moment)
        return shares

    def score_guests(self, history: History, moment: Moment) -> Floats:
        """Return their vectors' inner products with the history's; see `Host`."""
        self.at(moment)
        visitors = self.visitors(moment)
        scores = self._extended.score(history, moment, moment.guests.item)
        if len(visitors.place):
            rows = np.arange(len(visitors.place), dtype=np.int32)
            scores[visitors.place] = self._alone(moment).score(history, moment, rows)
        return scores

    def guest_vectors(self, moment: Moment) -> Floats | None:
        """Return their vectors at unit length; see `Host`."""
        self.at(moment)
        visitors, found = self.visitors(moment), self._extended.vectors(moment.guests.item)
        if len(visitors.place) and found is not None:
            rows = np.arange(len(visitors.place), dtype=np.int32)
            found[visitors.place] = self._alone(moment).vectors(rows)
        return found

    def vectors(self, items: Ordinals) -> Floats | None:
        """Return the vectors at unit length, those of cold items as of the moment last asked about."""
        return self._extended.vectors(items)

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """Return the arrays, `ridge` among them where that is the way."""
        ridge = {} if self._ridge is None else {"ridge": self._ridge}
        return {**super().arrays(), **ridge}

    def made(self, about: Described, kept: dict[Any, Any]) -> Rows:
        """Return vectors, float32 [n, dim]; see `ColdItems`."""
        knowledge = self.knowledge
        if self._ridge is not None:
            vectors = each_times(_with_constant(about.dense), self._ridge)
        else:
            vectors = knowledge.mixtures(about, kept).of_rows(self._trained.factors_of)
        return ((vectors * np.float32(knowledge.gain)).astype(np.float32),)

    def joined(self, companions: Mixtures, share: Doubles, foretold: Rows) -> Rows:
        """Return vectors; see `ColdItems`."""
        own = companions.of_rows(self._trained.factors_of) * np.float32(self.knowledge.gain)
        told, rest = share.astype(np.float32), (1.0 - share).astype(np.float32)
        vectors: Floats = foretold[0] * told[:, np.newaxis] + own * rest[:, np.newaxis]
        return (vectors,)

    def _alone(self, moment: Moment) -> Model:
        """Return a model of the moment's visitors alone; item n is the nth of them."""
        return self._extended.alone(self.visitors(moment).rows[0])

    def changed(self, live: Live) -> None:
        """Put the vectors of cold items beside those of trained ones."""
        if self._extended is self._trained:
            self._extended = self._trained.with_factors(live.cold, live.rows[0])
        else:
            gone = np.setdiff1d(self._cold, live.cold)
            vectors = np.concatenate((live.rows[0], self._trained.factors_of(gone)))
            self._extended = self._extended.rewritten(np.concatenate((live.cold, gone)), vectors)
        self._cold = live.cold

    def followed(self, live: Live, places: Int64s) -> None:
        """Put other vectors in the place of those at `places`."""
        if self._extended is self._trained:
            self.changed(live)
        else:
            self._extended = self._extended.rewritten(live.cold[places], live.rows[0][places])


class RowsOfCold(ColdItems, Followed):
    """A linear item-to-item model; a cold item's score is a mixture of the scores of trained ones."""

    def __init__(
        self, base: Model, knowledge: Knowledge, stored: Foretold, digest: Int64s, config: Any
    ) -> None:
        super().__init__(base, knowledge, stored, digest, config)
        self._mixtures = Changes()

    def score(self, history: History, moment: Moment, items: Ordinals | None = None) -> Floats:
        """Return the base's scores, and for cold items their mixtures; see `Model`."""
        live = self.at(moment)
        scores = self._base.score(history, moment)
        if len(live.cold):
            scores[live.cold] = _mixed(live.rows[0], live.rows[1], scores)
        return scores if items is None else at(scores, items)

    def basis(self, moment: Moment) -> object | None:
        """Return what stands for the mixtures as of the moment; see `Model`."""
        self.at(moment)
        return None if self._base.basis(moment) is None else self._mixtures

    def explain(self, history: History, item: int, moment: Moment) -> Floats:
        """Return each event's exact share; see `Model`."""
        return np.asarray(self.explain_each(history, np.array([item], np.int32), moment)[0])

    def explain_each(self, history: History, items: Ordinals, moment: Moment) -> Floats:
        """Return each event's exact share for each item; see `Model`."""
        live = self.at(moment)
        shares = self._base.explain_each(history, items, moment)
        place = np.searchsorted(live.cold, items)
        there = np.flatnonzero(place < len(live.cold))
        there = there[live.cold[place[there]] == items[there]]
        self._explain(history, moment, live.rows, (there, place[there]), shares)
        visiting = self.visiting(items, moment)
        if len(visiting[0]):
            self._explain(history, moment, self.visitors(moment).rows, visiting, shares)
        return shares

    def score_guests(self, history: History, moment: Moment) -> Floats:
        """Return the mixtures of the scores of trained items; see `Host`."""
        visitors, scores = self.visitors(moment), self.score(history, moment)
        found = at(scores, moment.guests.item)
        if len(visitors.place):
            found[visitors.place] = _mixed(visitors.rows[0], visitors.rows[1], scores)
        return found

    def guest_vectors(self, moment: Moment) -> Floats | None:
        """Return what the base has for them; see `Host`."""
        return self._base.vectors(moment.guests.item)

    def vectors(self, items: Ordinals) -> Floats | None:
        """Return what the base returns."""
        return self._base.vectors(items)

    def made(self, about: Described, kept: dict[Any, Any]) -> Rows:
        """Return parts, int32 [n, PARTS], and their weights; see `ColdItems`."""
        knowledge = self.knowledge
        mixed = knowledge.mixtures(about, kept)
        return mixed.part, mixed.weight * np.float32(knowledge.gain)

    def _explain(
        self, history: History, moment: Moment, rows: Rows, places: tuple[Int64s, Int64s], shares: Floats
    ) -> None:
        """Write to `shares`, at the first of `places`, those of the mixtures in `rows` at the second."""
        for row, own in zip(*(each.tolist() for each in places), strict=True):
            shares[row] = rows[1][own] @ self._base.explain_each(history, rows[0][own], moment)

    def changed(self, live: Live) -> None:  # noqa: ARG002 - they are read where they are
        """Take notice that the mixtures are others."""
        self._mixtures = Changes()

    def followed(self, live: Live, places: Int64s) -> None:
        """Take notice that the mixtures at `places` are others."""
        self._mixtures.note(live.cold[places])

    def rescored(
        self,
        history: History,  # noqa: ARG002 - mixtures are of the scores of trained items, which stay
        moment: Moment,
        changed: Ordinals,
        scores: Callable[[Ordinals], Floats],
    ) -> Floats:
        """Return the mixtures of `changed` items; see `Followed`."""
        live = self.at(moment)
        place = np.searchsorted(live.cold, changed)
        part, weight = live.rows[0][place], live.rows[1][place]
        each = np.arange(part.size, dtype=np.int32).reshape(part.shape)
        return _mixed(each, weight, scores(part.ravel()))

    def joined(self, companions: Mixtures, share: Doubles, foretold: Rows) -> Rows:
        """Return mixtures; see `ColdItems`."""
        item, gain = companions.item, np.float32(self.knowledge.gain)
        told = Mixtures(item, cast("Ordinals", foretold[0]), cast("Floats", foretold[1]))
        mixed = blended(told, Mixtures(item, companions.part, companions.weight * gain), share)
        return mixed.part, mixed.weight


def _with_constant(dense: Floats) -> Floats:
    """Return `dense` with a last column of ones."""
    return np.concatenate((dense, np.ones((len(dense), 1), np.float32)), axis=1)


@kernel
def _mixed(part: Ordinals, weight: Floats, scores: Floats) -> Floats:
    """Return the sum of each row's parts' scores times their weights, float32 [len(part)]."""
    mixed = np.zeros(len(part), np.float32)
    for row in range(len(part)):
        for p in range(part.shape[1]):
            mixed[row] += weight[row, p] * scores[part[row, p]]
    return mixed

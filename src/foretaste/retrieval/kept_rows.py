"""Rows of sources, kept from one answer to the next as long as nothing changes them."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any
from weakref import ref

import numpy as np

from foretaste.domain.arrays import Floats, Int64s, Mask
from foretaste.domain.history import History
from foretaste.models.changes import Changes, Followed, edition_of
from foretaste.models.finishing import LOGARITHMIC, PLAIN, TIMES
from foretaste.models.interface import Model, Moment
from foretaste.models.live_model import SameForEveryone, Sparse, Told, basis_of
from foretaste.models.vector_model import VectorModel, VectorQuery
from foretaste.models.vector_search import best_vectors
from foretaste.retrieval.packed_keys import LEAST_PACKED, PackedKeys
from foretaste.retrieval.rows import Row
from foretaste.retrieval.selection import best_entries

MOST_KEPT = 131_072
"""Scores of all items that take no more bytes are kept with the history that they were worked out of."""
WORTH_PACKING = 0.5
"""Scores are packed where that takes no more than this part of their memory."""
PLACES = 128
"""Of what is kept for one history so many are at hand, beside as many as the person had."""
PLACES_FOR_ALL = 256
"""Of what is the same for everyone so many are at hand: more than most people had."""
MOST_AUDIENCES, SCORES_FOR_AUDIENCES = 64, 4_000_000
"""What a model says to an audience is kept for so many of them, and so many scores in all."""
MOST_FOLLOWED = 64
"""Rows follow the events about so many items; after more they are made anew."""

_NO_ENTRIES: Int64s = np.empty(0, np.int64)
_NO_SCORES: Floats = np.empty(0, np.float32)


@dataclass(slots=True, eq=False)
class Kept:
    """A row and what it holds for: this basis, in this edition, and what can be shown.

    Of what can be shown there is one mask for all: people who are kept do not keep an old one alive.
    """

    basis: object
    edition: int
    available: ref[Mask]
    row: Row

    @property
    def nbytes(self) -> int:
        """How many bytes the row takes."""
        return self.row.nbytes

    def follows(self, model: Model, history: History, moment: Moment, basis: object, available: Mask) -> bool:
        """Bring the row up to what `basis` is now; return False where it must be made anew."""
        if self.basis is not basis or self.available() is not available:
            return False
        if not isinstance(basis, Changes) or basis.edition == self.edition:
            return True
        changed = basis.since(self.edition)
        if changed is None or len(changed) > MOST_FOLLOWED or not isinstance(model, Followed):
            return False
        keys = model.rescored(history, moment, changed, self.row.keys_of)
        if keys is None:
            return False
        query = None
        if self.row.query is not None and isinstance(model, VectorModel):
            query = model.query(history, moment)
        if not self.row.follow(changed, keys, available, query):
            return False
        self.edition = basis.edition
        return True


@dataclass(frozen=True, slots=True, eq=False)
class _Put:
    """Scores of all items, float32 [n_items], that hold for this basis, in this edition."""

    basis: object
    edition: int
    scores: Floats

    @property
    def nbytes(self) -> int:
        """How many bytes they take."""
        return self.scores.nbytes


@dataclass(slots=True, eq=False)
class Common:
    """A row that is the same for everyone, up to the event `seq`, of this stage, and what can be shown."""

    seq: int
    stage: Hashable
    available: Mask
    row: Row

    def follows(self, model: SameForEveryone[Any], moment: Moment, stage: Hashable, available: Mask) -> bool:
        """Bring the row up to the last event; return False where it must be made anew."""
        if self.available is not available or self.stage != stage or len(self.row.dense) != moment.n_items:
            return False
        if self.seq != moment.seq:
            items = moment.items.touched_since(self.seq)
            if items is None or len(items) > MOST_FOLLOWED:
                return False
            if not self.row.follow(items, model.keys_of(items, moment), available):
                return False
            self.seq = moment.seq
        return True


def put_scores(history: History, model: Model, basis: object, scores: Floats) -> None:
    """Keep scores of all items, float32 [n_items], that were worked out with those of others.

    `basis` is that of the model (see `Model.basis`).
    """
    history.memo[_Put, model] = _Put(basis, edition_of(basis), scores)


def row_of(
    model: Model, history: History, moment: Moment, available: Mask, had: int, shared: dict[Any, Any]
) -> Row:
    """Return what a model says of all items.

    `available` bool [n_items] is what can be shown to anybody now, the same object until that changes; `had`
    is how many items the person had, at most. What is the same for everyone is kept in `shared`, what
    follows from the history alone in its memo.
    """
    if isinstance(model, SameForEveryone):
        return _for_everyone(model, moment, available, shared)
    basis = basis_of(model, history, moment)
    if isinstance(basis, Told):
        return _all_told(basis)
    if isinstance(model, Sparse):
        return Row(_NO_SCORES, model.entries(history, moment))
    kept: Kept | None = None if basis is None else history.memo.get(model)
    if kept is not None and kept.follows(model, history, moment, basis, available):
        return kept.row
    if (query := _query(model, history, moment, basis)) is not None:
        count = PLACES + had
        searched = best_vectors(query, available, moment.n_items, count)
        few = len(searched.entries) < count
        row = Row(_NO_SCORES, searched.entries, count, are_all=few, query=query, searched=searched)
    else:
        scores = _scores(model, history, moment, basis)
        kept_row = None if basis is None else _kept_row(scores, available, PLACES + had)
        if kept_row is None:
            return Row(scores, _NO_ENTRIES)
        row = kept_row
    if basis is not None:
        history.memo[model] = Kept(basis, edition_of(basis), ref(available), row)
    return row


def _all_told(told: Told) -> Row:
    row: Row | None = told.kept.get(Row)
    if row is None:
        row = told.kept[Row] = Row(_NO_SCORES, told.entries)
    return row


def _query(model: Model, history: History, moment: Moment, basis: object) -> VectorQuery | None:
    """Return what to search for instead of scoring all items; None where they are, or were, scored."""
    if basis is None or not isinstance(model, VectorModel) or (_Put, model) in history.memo:
        return None
    return model.query(history, moment)


def _scores(model: Model, history: History, moment: Moment, basis: object) -> Floats:
    put: _Put | None = history.memo.get((_Put, model))
    if put is None or put.basis is not basis or put.edition != edition_of(basis):
        return model.score(history, moment)
    return put.scores if len(put.scores) == moment.n_items else model.score(history, moment)


def _for_everyone(
    model: SameForEveryone[Any], moment: Moment, available: Mask, shared: dict[Any, Any]
) -> Row:
    stage, factor = model.stage(moment)
    rows: dict[Hashable, Common] = shared.setdefault(model, {})
    audience = model.audience(moment)
    kept = rows.get(audience)
    if kept is None or not kept.follows(model, moment, stage, available):
        keys = model.keys(moment).copy()  # a view: later moments are written over it
        how = LOGARITHMIC if model.is_logarithmic else TIMES
        row = _with_best(keys, available, PLACES_FOR_ALL, how)
        rows.pop(audience, None)
        if len(rows) >= min(MOST_AUDIENCES, 1 + SCORES_FOR_AUDIENCES // (1 + moment.n_items)):
            del rows[next(iter(rows))]
        kept = rows[audience] = Common(moment.seq, stage, available, row)
    kept.row.factor = factor
    return kept.row


def _kept_row(scores: Floats, shown: Mask, count: int) -> Row | None:
    """Return a row to be kept with a history; None where it would take too much."""
    if len(scores) < LEAST_PACKED:
        return _with_best(scores, shown, count)
    packed = PackedKeys.of(scores, min(MOST_KEPT, int(scores.nbytes * WORTH_PACKING)))
    if packed is None:
        return None if scores.nbytes > MOST_KEPT else _with_best(scores, shown, count)
    entries = packed.best_entries(shown, count)
    return Row(_NO_SCORES, entries, at_hand=count, are_all=len(entries) < count, packed=packed)


def _with_best(dense: Floats, shown: Mask, count: int, how: int = PLAIN) -> Row:
    entries = best_entries(dense, shown, count)
    return Row(dense, entries, at_hand=count, how=how, are_all=len(entries) < count)

"""What a source says of all items at one moment: the scores, the best of them at hand."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from struct import Struct
from weakref import ref

import numpy as np

from foretaste.domain.arrays import Floats, Int64s, Mask, Ordinals
from foretaste.domain.lent_arrays import address_of
from foretaste.models.entries import items_of, pick_scores, write_scores
from foretaste.models.finishing import PLAIN, finish
from foretaste.models.padding import at
from foretaste.models.vector_model import VectorQuery
from foretaste.models.vector_search import Searched, best_vectors, best_vectors_among
from foretaste.retrieval.masks import Passing
from foretaste.retrieval.packed_keys import PackedKeys
from foretaste.retrieval.selection import best_entries_among, replaced

PLACES_AMONG, MOST_FILTERS = 192, 16
"""Of what passes a filter at most so many are at hand, for so many filters."""

_NO_ENTRIES: Int64s = np.empty(0, np.int64)
_NO_SCORES: Floats = np.empty(0, np.float32)
_NO_VECTORS = (0, 0, 0, 0)
_THREE, _SEVEN = (Struct(f"={count}q") for count in (3, 7))


@dataclass(slots=True, eq=False)
class Row:
    """What orders items by one source, a key each, of which `factor` and `how` make scores (see `finishing`).

    `dense` float32 [n_items] holds all keys, or they are `packed`, or inner products with a `query`. Then
    `entries` (see `models.entries`) are the best `at_hand` of the items that can be shown at all, the best
    first. Where there is none of these, `entries` are all whose keys are not 0, in no order.
    """

    dense: Floats
    entries: Int64s
    at_hand: int = 0
    factor: float = 1.0
    how: int = PLAIN
    are_all: bool = False
    """Whether no other item has a key above 0."""
    query: VectorQuery | None = None
    """The keys are inner products with this, instead of `dense`."""
    packed: PackedKeys | None = None
    """All keys in less memory, instead of `dense`."""
    searched: Searched | None = None
    """How those at hand were found, where there is a `query`."""
    where: bytes = field(init=False)
    """What `retrieval.sources` is told, int64 by its `COLUMNS`: as bytes, which are soon put together."""
    _keys_at: bytes = field(init=False)
    _finish_at: bytes = field(init=False)
    _scaled: Floats = field(init=False)
    _among: dict[int, tuple[ref[Passing], "Row"]] = field(init=False, default_factory=dict)
    """By the identity of what passes, which the row does not keep alive: it is as large as the catalog."""

    def __post_init__(self) -> None:
        """Look up the addresses once."""
        self._scaled = _NO_SCORES if self.query is None else self.query.vector * self.query.vectors.column
        self._keys_at = _THREE.pack(address_of(self.dense), len(self.dense), 0)
        self._place_query()
        self._place()

    @property
    def tells_all(self) -> bool:
        """Whether the keys of all items are known, beside the entries at hand."""
        return len(self.dense) > 0 or self.packed is not None or self.query is not None

    @property
    def nbytes(self) -> int:
        """How many bytes it takes, with what is kept of it for filters."""
        keys = 0 if self.packed is None else self.packed.nbytes
        filtered = sum(row.entries.nbytes for _, row in self._among.values())
        return self.dense.nbytes + keys + self.entries.nbytes + filtered

    def _place_query(self) -> None:
        self._finish_at = _SEVEN.pack(
            self.tells_all,
            self.how,
            *(_NO_VECTORS if self.query is None else self.query.vectors.where),
            address_of(self._scaled),
        )

    def _place(self) -> None:
        entries = self.entries
        are_all = self.are_all or not self.tells_all
        keys_at = self._keys_at if self.packed is None else self.packed.where
        self.where = keys_at + _THREE.pack(address_of(entries), len(entries), are_all) + self._finish_at

    def follow(self, items: Ordinals, keys: Floats, shown: Mask, query: VectorQuery | None = None) -> bool:
        """Let `items` have these keys, float32 [len(items)]; return False where too little is left at hand.

        `shown` bool [n_items] is what the row was made for; `query` the same to the vectors of now.
        """
        if query is None and not self._put(items, keys):
            return False
        if not self._replace(items, keys, shown, query):
            return False
        for key, (filtered, row) in list(self._among.items()):
            passing = filtered()
            if passing is None or not row._replace(items, keys, passing.shown, query):
                del self._among[key]
        return True

    def _put(self, items: Ordinals, keys: Floats) -> bool:
        if self.packed is not None:
            return self.packed.put(items, keys)
        self.dense[items] = keys
        return True

    def _replace(self, items: Ordinals, keys: Floats, shown: Mask, query: VectorQuery | None) -> bool:
        least = max(1, self.at_hand // 2)
        if query is not None and self.searched is not None:  # at hand is what a search of now would find
            keys = np.where(self.searched.looked_at(query, items), keys, np.float32(0.0))
            least = self.at_hand
        entries, are_all = replaced(self.entries, items, keys, shown, self.at_hand, self.are_all)
        if len(entries) < least and not are_all:
            return False
        self.entries = entries
        self.are_all = are_all and len(entries) < self.at_hand
        if query is not None:
            self.query = query
            self._place_query()
        self._place()
        return True

    def among(self, passing: Passing) -> "Row":
        """Return the same row with the best of what passes a filter at hand, for who asks again too.

        `passing` is made of what the row was made for, the same object for the same filter.
        """
        if not self.at_hand:
            return self
        kept = self._among.get(id(passing))
        if kept is None or kept[0]() is not passing:
            if len(self._among) >= MOST_FILTERS:
                self._among.clear()
            count = min(self.at_hand, PLACES_AMONG)
            kept = ref(passing), self._with_best_of(passing, count)
            self._among[id(passing)] = kept
        row = kept[1]
        row.factor = self.factor
        return row

    def within(self, allowed: Mask, count: int) -> "Row":
        """Return the row with the best `count` of `allowed` at hand, if they have to be searched for."""
        if self.query is None or self.are_all:
            return self
        if np.count_nonzero(allowed[items_of(self.entries)]) >= count:
            return self
        order = self.searched and self.searched.order
        searched = best_vectors(self.query, allowed, int(np.count_nonzero(allowed)), count, order)
        return self._of(searched.entries, count, searched)

    def _with_best_of(self, passing: Passing, count: int) -> "Row":
        if self.packed is not None:
            return self._of(self.packed.best_entries(passing.shown, count), count)
        if self.query is None:
            return self._of(best_entries_among(self.dense, passing.items, count), count)
        order = self.searched and self.searched.order
        searched = best_vectors_among(self.query, passing.items, passing.shown, count, order)
        return self._of(searched.entries, count, searched)

    def _of(self, entries: Int64s, count: int, searched: Searched | None = None) -> "Row":
        """Return the row with these best `entries` at hand, of at most `count`."""
        few = len(entries) < count
        return Row(
            self.dense,
            entries,
            count,
            self.factor,
            self.how,
            are_all=few,
            query=self.query,
            packed=self.packed,
            searched=searched,
        )

    def write_keys(self, keys: Floats) -> None:
        """Write all keys over zeros, float32 [n_items]."""
        if self.query is not None:
            found = self.query.vectors.products(self.query.vector)[: len(keys)]
            keys[: len(found)] = found
        elif self.tells_all:
            dense = self.dense if self.packed is None else self.packed.all()
            keys[: len(dense)] = dense
        else:
            write_scores(self.entries, keys)

    def keys_of(self, items: Ordinals) -> Floats:
        """Return the keys of `items`, float32 [len(items)]; 0 for items beyond."""
        if self.query is not None:
            return self.query.vectors.products_of(items, self.query.vector)
        if self.packed is not None:
            return self.packed.at(items)
        if len(self.dense):
            return at(self.dense, items)
        keys = np.zeros(len(items), np.float32)
        order = np.argsort(items)
        pick_scores(self.entries, items[order], order, keys)
        return keys


def all_scores(rows: Sequence[Row], n_items: int) -> Floats:
    """Return the scores of all items by every row, float32 [len(rows), n_items]."""
    scores = np.zeros((len(rows), n_items), np.float32)
    for place, row in enumerate(rows):
        row.write_keys(scores[place])
        finish(scores[place], row.factor, row.how)
    return scores


def scores_at(row: Row, items: Ordinals) -> Floats:
    """Return the scores of `items` by a row, float32 [len(items)]; 0 for items beyond."""
    scores = row.keys_of(items)
    finish(scores, row.factor, row.how)
    return scores


def rows_within(rows: Sequence[Row], passing: Passing | None, allowed: Mask, count: int) -> list[Row]:
    """Return rows for the best `count` of `allowed` items, `passing` a filter that others may ask too."""
    if passing is not None:
        return [row.among(passing) for row in rows]
    return [row.within(allowed, count) for row in rows]


def rows_of_scores(scores: Floats) -> list[Row]:
    """Return rows that hold these scores, float32 [n_sources, n_items]."""
    return [Row(own, _NO_ENTRIES) for own in scores]

"""TF-IDF rows of all items of a catalog version, kept up to date as the catalog changes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np

from foretaste.domain.arrays import Floats, Int64s, Ordinals
from foretaste.domain.history import History
from foretaste.domain.item import Item
from foretaste.domain.kernel import kernel
from foretaste.models.item_rows import add_weighted_rows
from foretaste.models.term_rows import NO_TERMS, Row, TermRows, term_rows
from foretaste.models.terms import replaced, values
from foretaste.models.vocabulary import Vocabulary

CHANGED_SHARE = 0.05
FEW_CHANGED = 100
"""Once more rows than these changed since, all are laid out as postings anew."""


def digest_of(item: Item | None) -> int:
    """Return 64 bits that change with any part of the item that content reads; 0 for None."""
    if item is None:
        return 0
    text = "\0".join((item.title, item.text, *item.categories, *values(item))).encode(
        "utf-8", "surrogatepass"
    )
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "little", signed=True)


def vector_digest(vector: bytes) -> int:
    """Return 64 bits that change with an item's vector; 0 for none."""
    return int.from_bytes(blake2b(vector, digest_size=8).digest(), "little", signed=True) if vector else 0


@dataclass(frozen=True, slots=True, eq=False)
class Postings:
    """The same entries by term: term t is in the items `item[start[t]:start[t + 1]]`, with `weight`."""

    start: Int64s
    item: Ordinals
    weight: Floats


class ContentIndex:
    """The rows of one list of items; `updated` gives the index of the next list at the cost of what changed.

    Rows laid out as postings are scored term by term; `changed` ones, few, likewise by postings of their own.
    Sums go over rising terms and along the history either way, so what is scored does not depend on which
    versions of the catalog were seen before.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        items: Sequence[Item | None],
        laid_out: TermRows,
        postings: Postings,
        changed: Mapping[int, Row],
    ) -> None:
        self._vocabulary = vocabulary
        self._items = items
        self._laid_out = laid_out
        self._postings = postings
        self._changed = changed
        self._changed_items = np.array(sorted(changed), np.int64)
        rows = term_rows([changed[item] for item in self._changed_items.tolist()], ())
        self._changed_postings = (
            _postings(rows, len(vocabulary.idf), self._changed_items) if changed else None
        )

    @property
    def items(self) -> Sequence[Item | None]:
        """The list of items that is indexed."""
        return self._items

    def row(self, item: int) -> Row:
        """Return the terms, rising, and weights of an item; none for one that is not in the list."""
        if item in self._changed:
            return self._changed[item]
        return self._laid_out.row(item) if 0 <= item < len(self._laid_out.digest) else NO_TERMS

    def rows_of(self, items: Ordinals) -> tuple[Ordinals, TermRows]:
        """Return where the row of each of `items` is, int32, and in which rows; one outside has none."""
        if self._changed and np.isin(items, self._changed_items).any():
            own = term_rows([self.row(item) for item in items.tolist()], ())
            return np.arange(len(items), dtype=np.int32), own
        return items, self._laid_out

    def profile(self, history: History, weight: Floats) -> Floats:
        """Return the weighted sum of the events' rows, float32 [terms]."""
        profile = np.zeros(len(self._vocabulary.idf), np.float32)
        places, rows = self.rows_of(history.item)
        add_weighted_rows(places, weight, rows.start, rows.term, rows.weight, profile)
        return profile

    def score(self, profile: Floats, n_items: int) -> Floats:
        """Return every row's inner product with `profile`, float32 [terms]; float32 [n_items]."""
        scores = np.zeros(max(n_items, len(self._items), len(self._laid_out.digest)), np.float32)
        wanted = heard_terms(profile)
        rows = self._postings
        add_weighted_rows(wanted, profile[wanted], rows.start, rows.item, rows.weight, scores)
        if self._changed_postings is not None:
            rows = self._changed_postings
            scores[self._changed_items] = 0.0
            add_weighted_rows(wanted, profile[wanted], rows.start, rows.item, rows.weight, scores)
        return scores[:n_items]

    def updated(self, items: Sequence[Item | None]) -> "ContentIndex":
        """Return the index of `items`; an item is read anew only if it is another object than before."""
        if items is self._items:
            return self
        others = replaced(self._items, items)
        rows = self._vocabulary.rows([items[ordinal] for ordinal in others])
        changed = {
            **self._changed,
            **{
                ordinal: rows.row(place)
                for place, ordinal in enumerate(others)
                if items[ordinal] is not None or ordinal < len(self._items)
            },
        }
        if len(items) >= len(self._items) and _are_few(changed, items):
            return ContentIndex(self._vocabulary, items, self._laid_out, self._postings, changed)
        all_rows = [changed.get(ordinal) or self.row(ordinal) for ordinal in range(len(items))]
        return laid_out(self._vocabulary, items, all_rows)


@kernel
def heard_terms(profile: Floats) -> Ordinals:
    """Return the terms that are not 0 in `profile`, int32."""
    count = 0
    for t in range(len(profile)):
        count += profile[t] != np.float32(0.0)
    terms, n = np.empty(count + 1, np.int32), 0
    for t in range(len(profile)):  # without a branch
        terms[n] = t
        n += profile[t] != np.float32(0.0)
    return terms[:count]


def laid_out(vocabulary: Vocabulary, items: Sequence[Item | None], rows: Sequence[Row]) -> ContentIndex:
    """Return the index of `items` with these `rows`, all as postings."""
    flat = term_rows(rows, [0] * len(rows))
    return ContentIndex(vocabulary, items, flat, _postings(flat, len(vocabulary.idf)), {})


def first_index(vocabulary: Vocabulary, stored: TermRows, items: Sequence[Item | None]) -> ContentIndex:
    """Return the index of `items`, taking the `stored` rows of those whose text is what it was."""
    digest = np.fromiter(map(digest_of, items), np.int64, len(items))
    both = min(len(digest), len(stored.digest))
    is_known = np.zeros(len(digest), np.bool_)
    is_known[:both] = digest[:both] == stored.digest[:both]
    others = np.flatnonzero(~is_known).tolist()
    read = vocabulary.rows([items[ordinal] for ordinal in others])
    anew = {ordinal: read.row(place) for place, ordinal in enumerate(others)}
    if both == len(stored.digest) and _are_few(anew, items):
        own = TermRows(*map(np.array, (stored.start, stored.term, stored.weight, stored.digest)))
        return ContentIndex(vocabulary, items, own, _postings(own, len(vocabulary.idf)), anew)
    rows = [stored.row(place) if has else anew[place] for place, has in enumerate(is_known.tolist())]
    return laid_out(vocabulary, items, rows)


def _are_few(changed: Mapping[int, Row], items: Sequence[Item | None]) -> bool:
    """Return whether rows may stay beside those laid out as postings."""
    return len(changed) <= max(FEW_CHANGED, CHANGED_SHARE * len(items))


def _postings(rows: TermRows, n_terms: int, items: Int64s | None = None) -> Postings:
    """Return the entries of `rows` by term; row i is of item `items[i]`, or of item i."""
    order = np.argsort(rows.term, kind="stable")
    owner = np.repeat(np.arange(len(rows.start) - 1) if items is None else items, np.diff(rows.start))
    start = np.searchsorted(rows.term[order], np.arange(n_terms + 1))
    return Postings(start.astype(np.int64), owner[order].astype(np.int32), rows.weight[order])

"""Traits: what an item is made of, as a sparse vector of everything that is said of it."""

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from foretaste.domain.arrays import Doubles, Floats, Int64s, Mask, Ordinals
from foretaste.domain.errors import CorruptArtifactError
from foretaste.domain.item import Attribute, Item
from foretaste.models.terms import LONGEST_TERM, words
from foretaste.models.vocabulary import Vocabulary

MOST_TRAITS = 50_000
MOST_NUMBERS = 24
COMMON = 0.5
"""A trait of more than this share of the items tells nothing."""
WORD_WEIGHT = 0.4
"""A word of a text, or a whole number, counts so much beside a category or the text of an attribute."""
FEW_WORDS = 5
"""A value of no more words than this is a trait as a whole."""

_PARTS = re.compile(r"\s*[|;,]\s*")
_CODE_MARK, _WORD_MARK, _CATEGORY_MARK = "\x1d", "\x1e", "\x1f"


@dataclass(frozen=True, slots=True, eq=False)
class TraitRows:
    """Row i has the traits `term[start[i]:start[i + 1]]` with `weight`, float32, of unit length.

    `number` float64 [n_rows, n_numbers] holds the numeric attributes, NaN where there is none.
    """

    start: Int64s
    term: Ordinals
    weight: Floats
    number: Doubles

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self.start) - 1

    def take(self, items: Ordinals) -> "TraitRows":
        """Return the rows of `items`; empty ones for -1 and for what is beyond."""
        known = (items >= 0) & (items < len(self))
        inside = np.where(known, items, 0).astype(np.int64)
        if not len(self):
            return TraitRows(
                np.zeros(len(items) + 1, np.int64),
                np.empty(0, np.int32),
                np.empty(0, np.float32),
                np.full((len(items), self.number.shape[1]), np.nan),
            )
        sizes = np.where(known, self.start[inside + 1] - self.start[inside], 0)
        start = np.concatenate((np.zeros(1, np.int64), np.cumsum(sizes)))
        rows = np.arange(start[-1]) + np.repeat(self.start[inside] - start[:-1], sizes)
        number = np.where(known[:, None], self.number[inside], np.nan)
        return TraitRows(start, self.term[rows], self.weight[rows], number)

    def among(self, kept: Mask) -> "TraitRows":
        """Return the rows with only the terms `kept`, bool by term, which are numbered anew."""
        inside = kept[self.term]
        row = np.repeat(np.arange(len(self)), np.diff(self.start))[inside]
        term = (np.cumsum(kept) - 1)[self.term[inside]].astype(np.int32)
        weight = self.weight[inside].astype(np.float64)
        length = np.sqrt(np.bincount(row, weights=weight**2, minlength=len(self)))
        start = np.concatenate((np.zeros(1, np.int64), np.cumsum(np.bincount(row, minlength=len(self)))))
        return TraitRows(start, term, (weight / length[row]).astype(np.float32), self.number)


@dataclass(frozen=True, slots=True, eq=False)
class Traits:
    """Which traits there are, and those of every item by ordinal, as of one catalog."""

    vocabulary: Vocabulary
    number_names: tuple[str, ...]
    rows: TraitRows

    def without_codes(self) -> Self:
        """Return them without what whole numbers say; the same where these say nothing."""
        names = list(self.vocabulary.number)
        kept = np.array([not name.startswith(_CODE_MARK) for name in names], np.bool_)
        if kept.all():
            return self
        number = {name: place for place, name in enumerate(np.array(names, object)[kept].tolist())}
        vocabulary = Vocabulary(number, self.vocabulary.idf[kept])
        return type(self)(vocabulary, self.number_names, self.rows.among(kept))

    def of(self, items: Ordinals, given: Mapping[int, Item]) -> TraitRows:
        """Return the rows of `items`; `given` maps places in `items` to items to be read anew."""
        if not given:
            return self.rows.take(items)
        known = self.rows.take(items)
        pieces = [
            self.row(given[place]) if place in given else _row_at(known, place) for place in range(len(items))
        ]
        return _stacked(pieces, len(self.number_names))

    def row(self, item: Item) -> tuple[Ordinals, Floats, Doubles]:
        """Return traits, weights and numbers of one item."""
        number = self.vocabulary.number
        found = sorted((number[trait], weight) for trait, weight in said(item).items() if trait in number)
        term = np.array([number for number, _ in found], np.int32)
        weight = np.array([count for _, count in found], np.float32) * self.vocabulary.idf[term]
        length = np.sqrt(np.square(weight).sum())
        return term, (weight / length if length > 0.0 else weight).astype(np.float32), self._numbers(item)

    def _numbers(self, item: Item) -> Doubles:
        return np.array([number_of(item.attributes.get(name)) for name in self.number_names], np.float64)

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """Return all of it as arrays."""
        names = "\n".join(self.number_names).encode()
        return {
            **self.vocabulary.arrays(),
            "start": self.rows.start,
            "term": self.rows.term,
            "weight": self.rows.weight,
            "number": self.rows.number,
            "number_names": np.frombuffer(names, np.uint8),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Rebuild the traits; raise `CorruptArtifactError` where the rows point outside."""
        vocabulary = Vocabulary.from_arrays(arrays)
        start, term, number = arrays["start"], arrays["term"], arrays["number"]
        names = arrays["number_names"].tobytes().decode()
        rising = len(start) > 0 and start[0] == 0 and bool((np.diff(start) >= 0).all())
        inside = not len(term) or 0 <= term.min() <= term.max() < len(vocabulary.idf)
        shaped = len(arrays["weight"]) == len(term) and number.shape[0] == len(start) - 1
        if not (rising and inside and shaped and start[-1] == len(term)):
            raise CorruptArtifactError("the ranker's traits point outside; train again", field="ranker")
        rows = TraitRows(start, term, arrays["weight"], number)
        return cls(vocabulary, tuple(names.split("\n")) if names else (), rows)


def traits_of(items: Sequence[Item | None]) -> Traits:
    """Return the traits that at least two items share, but not most, and every item's."""
    frequency: Counter[str] = Counter()
    for item in items:
        if item is not None:
            frequency.update(said(item).keys())
    n_items = sum(item is not None for item in items)
    usable = [t for t, count in frequency.items() if 2 <= count <= max(2.0, COMMON * n_items)]
    kept = sorted(sorted(usable), key=lambda trait: -frequency[trait])[:MOST_TRAITS]
    documents = np.array([frequency[trait] for trait in kept], np.float64)
    idf = np.log((1.0 + n_items) / (1.0 + documents)) + 1.0
    vocabulary = Vocabulary({trait: number for number, trait in enumerate(kept)}, idf.astype(np.float32))
    empty = TraitRows(np.zeros(1, np.int64), np.empty(0, np.int32), np.empty(0, np.float32), np.empty((0, 0)))
    traits = Traits(vocabulary, _number_names(items), empty)
    nothing = (np.empty(0, np.int32), np.empty(0, np.float32), np.full(len(traits.number_names), math.nan))
    rows = [traits.row(item) if item is not None else nothing for item in items]
    return Traits(vocabulary, traits.number_names, _stacked(rows, len(traits.number_names)))


def said(item: Item) -> dict[str, float]:
    """Return the weight of each trait of an item: its categories, attribute values, and words.

    Whole numbers are traits too, of the weight of a word: they may be codes, as of a brand, or counts.
    An attribute of several values has them in one text, with `|`, `;` or `,` between.
    """
    weights = {_CATEGORY_MARK + category.casefold()[:LONGEST_TERM]: 1.0 for category in item.categories}
    texts = [item.title, item.text]
    for name, value in item.attributes.items():
        if not isinstance(value, str):
            number = number_of(value)
            if number.is_integer():
                weights[f"{_CODE_MARK}{name}={int(number)}"[:LONGEST_TERM]] = WORD_WEIGHT
            continue
        for part in _PARTS.split(value):
            if part and part.count(" ") < FEW_WORDS:
                weights[f"{name}={part.casefold()[:LONGEST_TERM]}"] = 1.0
        if value.count(" ") >= FEW_WORDS:
            texts.append(value)
    for word in _all_words(texts):
        weights[_WORD_MARK + word] = WORD_WEIGHT
    return weights


def number_of(value: Attribute | None) -> float:
    """Return an attribute as a number, NaN where it is none or not finite."""
    if isinstance(value, str) or value is None or not math.isfinite(value):
        return math.nan
    return float(value)


def _all_words(texts: Sequence[str]) -> Iterator[str]:
    for text in texts:
        yield from words(text)


def _number_names(items: Sequence[Item | None]) -> tuple[str, ...]:
    filled: Counter[str] = Counter()
    for item in items:
        if item is not None:
            numbers = {name: number_of(value) for name, value in item.attributes.items()}
            filled.update(name for name, number in numbers.items() if not math.isnan(number))
    names = sorted(sorted(filled), key=lambda name: -filled[name])
    return tuple(names[:MOST_NUMBERS])


def _row_at(rows: TraitRows, place: int) -> tuple[Ordinals, Floats, Doubles]:
    window = slice(rows.start[place], rows.start[place + 1])
    return rows.term[window], rows.weight[window], rows.number[place]


def _stacked(pieces: Sequence[tuple[Ordinals, Floats, Doubles]], n_numbers: int) -> TraitRows:
    return TraitRows(
        start=np.cumsum([0, *(len(term) for term, _, _ in pieces)], dtype=np.int64),
        term=np.concatenate([np.empty(0, np.int32), *(term for term, _, _ in pieces)]),
        weight=np.concatenate([np.empty(0, np.float32), *(weight for _, weight, _ in pieces)]),
        number=np.array([number for _, _, number in pieces], np.float64).reshape(len(pieces), n_numbers),
    )

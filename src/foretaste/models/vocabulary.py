"""Words and their weights: how a text becomes a sparse vector."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from foretaste.domain.arrays import Floats
from foretaste.domain.errors import CorruptArtifactError
from foretaste.domain.item import Item
from foretaste.models.guests import Guests
from foretaste.models.term_rows import TermRows
from foretaste.models.terms import terms
from foretaste.models.word_table import WordTable, counted_rows, word_table

COMMON = 0.5
"""A term in more than this share of the items says nothing of any of them."""
ENOUGH_TO_BE_COMMON = 20


@dataclass(frozen=True, slots=True, eq=False)
class Vocabulary:
    """Terms by number, each with its inverse document frequency, float32 [len(number)]."""

    number: Mapping[str, int]
    idf: Floats
    _table: list[WordTable] = field(default_factory=list, init=False)

    def rows(self, items: Sequence[Item | None]) -> TermRows:
        """Return the items' known terms, rising, and their TF-IDF weights at unit length; none for None."""
        if not self._table:
            self._table.append(word_table(self.number))
        return counted_rows(self._table[0], self.idf, items)

    def rows_of(self, guests: Guests) -> TermRows:
        """Return `rows` of guests, kept with them."""
        rows: TermRows | None = guests.kept.get(self)
        if rows is None:
            rows = guests.kept[self] = self.rows(guests.described)
        return rows

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """Return `idf`, and the terms as `term_bytes` (UTF-8) and `term_ends`."""
        encoded = [term.encode("utf-8", "surrogatepass") for term in self.number]
        ends = np.cumsum([len(term) for term in encoded], dtype=np.int64)
        return {
            "idf": self.idf,
            "term_bytes": np.frombuffer(b"".join(encoded), np.uint8),
            "term_ends": ends,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Rebuild the vocabulary; raise `CorruptArtifactError` where the terms cannot be read."""
        ends, idf = arrays["term_ends"], arrays["idf"]
        text = arrays["term_bytes"].tobytes()
        starts = [0, *ends[:-1].tolist()]
        try:
            spelled = [
                text[start:end].decode("utf-8", "surrogatepass")
                for start, end in zip(starts, ends.tolist(), strict=False)
            ]
        except UnicodeDecodeError as error:
            raise CorruptArtifactError("the vocabulary of the artifact is not text; train again") from error
        if len(set(spelled)) != len(idf):
            raise CorruptArtifactError("the vocabulary of the artifact has lost terms; train again")
        return cls({term: number for number, term in enumerate(spelled)}, idf)


def vocabulary_of(items: Iterable[Item | None], max_features: int) -> Vocabulary:
    """Return the `max_features` terms that most items have, but not nearly all; ties by spelling."""
    frequency: Counter[str] = Counter()
    n_items = 0
    for item in items:
        if item is not None:
            n_items += 1
            frequency.update(terms(item).keys())
    kept = _usable(frequency, n_items, max_features)
    documents = np.array([frequency[term] for term in kept], np.float64)
    idf = np.log((1.0 + n_items) / (1.0 + documents)) + 1.0
    return Vocabulary({term: number for number, term in enumerate(kept)}, idf.astype(np.float32))


def _usable(frequency: Mapping[str, int], n_items: int, max_features: int) -> Sequence[str]:
    most = COMMON * n_items if n_items >= ENOUGH_TO_BE_COMMON else n_items
    usable = [term for term, count in frequency.items() if count <= most]
    return sorted(sorted(usable), key=lambda term: -frequency[term])[:max_features]

"""Words and their weights: how a text becomes a sparse vector."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from foretaste.domain.arrays import Floats, Ordinals
from foretaste.domain.errors import CorruptArtifactError
from foretaste.domain.item import Item
from foretaste.domain.kernel import kernel
from foretaste.models.terms import terms

COMMON = 0.5
"""A term in more than this share of the items says nothing of any of them."""
ENOUGH_TO_BE_COMMON = 20


@dataclass(frozen=True, slots=True, eq=False)
class Vocabulary:
    """Terms by number, each with its inverse document frequency, float32 [len(number)]."""

    number: Mapping[str, int]
    idf: Floats

    def row(self, item: Item) -> tuple[Ordinals, Floats]:
        """Return the item's known terms, rising, and their TF-IDF weights at unit length."""
        counts, number = terms(item), self.number.get
        numbers = np.array(list(map(number, counts, repeat(-1))), np.int32)
        row: tuple[Ordinals, Floats] = _row(numbers, np.array(list(counts.values()), np.float32), self.idf)
        return row

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


@kernel
def _row(number: Ordinals, count: Floats, idf: Floats) -> tuple[Ordinals, Floats]:
    """Return the terms that have a number, rising, and their weights; see `Vocabulary.row`."""
    order = np.argsort(number)
    order = order[np.searchsorted(number[order], 0) :]
    term, weight, squares = np.empty(len(order), np.int32), np.empty(len(order), np.float32), np.float32(0.0)
    for k in range(len(order)):
        term[k] = number[order[k]]
        weight[k] = (np.float32(1.0) + np.log(count[order[k]])) * idf[term[k]]
        squares += weight[k] * weight[k]
    if squares > np.float32(0.0):
        scale = np.sqrt(squares)
        for k in range(len(weight)):
            weight[k] /= scale
    return term, weight


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

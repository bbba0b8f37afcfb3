"""A sparse item-to-item matrix and how it scores a live history."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from foretaste.domain.arrays import Floats, Int64s, Ordinals
from foretaste.domain.errors import CorruptArtifactError
from foretaste.domain.history import History
from foretaste.domain.kernel import kernel


@dataclass(frozen=True, slots=True, eq=False)
class ItemRows:
    """Row i says what an event on item i adds to the scores of `item[start[i]:start[i + 1]]`.

    `start` int64 [n + 1]; `item` int32, rising within a row, and `value` float32.
    """

    start: Int64s
    item: Ordinals
    value: Floats

    @property
    def n_items(self) -> int:
        """How many items there were at training."""
        return len(self.start) - 1

    def matrix(self) -> sparse.csr_matrix:
        """Return the rows as a matrix, float32 [n, n]."""
        return sparse.csr_matrix((self.value, self.item, self.start), shape=(self.n_items, self.n_items))

    def score(self, history: History, weight: Floats, n_items: int) -> Floats:
        """Return the weighted sum of the events' rows, float32 [max(n_items, items at training)]."""
        scores = np.zeros(max(n_items, self.n_items), np.float32)
        add_weighted_rows(history.item, weight, self.start, self.item, self.value, scores)
        return scores

    def shares(self, history: History, weight: Floats, items: Ordinals) -> Floats:
        """Return what each event adds to the score of each item, float32 [len(items), len(history)]."""
        shares = np.zeros((len(items), len(history)), np.float32)
        _find_shares(history.item, weight, self.start, self.item, self.value, items, shares)
        return shares

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """Return the three arrays by their names."""
        return {"start": self.start, "item": self.item, "value": self.value}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Rebuild the rows; raise `CorruptArtifactError` where they point outside."""
        start, item, value = arrays["start"], arrays["item"], arrays["value"]
        n_items = len(start) - 1
        rising = (
            n_items >= 0 and start[0] == 0 and start[-1] == len(item) and bool(np.all(np.diff(start) >= 0))
        )
        inside = not len(item) or (item.min() >= 0 and item.max() < n_items)
        if not (rising and inside and len(item) == len(value)):
            raise CorruptArtifactError("the item-to-item rows of the artifact point outside; train again")
        return cls(start, item, value)


@kernel
def add_weighted_rows(
    event: Ordinals, weight: Floats, start: Int64s, item: Ordinals, value: Floats, scores: Floats
) -> None:
    """Add each event's row times its weight to `scores`; an event on a younger item adds nothing."""
    for h in range(len(event)):
        if weight[h] != np.float32(0.0) and 0 <= event[h] < len(start) - 1:
            for place in range(start[event[h]], start[event[h] + 1]):
                scores[item[place]] += weight[h] * value[place]


@kernel
def _find_shares(
    event: Ordinals,
    weight: Floats,
    start: Int64s,
    item: Ordinals,
    value: Floats,
    asked: Ordinals,
    shares: Floats,
) -> None:
    for h in range(len(event)):
        if weight[h] != np.float32(0.0) and 0 <= event[h] < len(start) - 1:
            for k in range(len(asked)):
                low, high = start[event[h]], start[event[h] + 1]
                while low < high:
                    middle = (low + high) // 2
                    if item[middle] < asked[k]:
                        low = middle + 1
                    else:
                        high = middle
                if low < start[event[h] + 1] and item[low] == asked[k]:
                    shares[k, h] = weight[h] * value[low]

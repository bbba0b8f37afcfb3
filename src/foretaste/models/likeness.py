"""Items that nobody took to yet, as mixtures of those that people did take to."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from foretaste.domain.arrays import Floats, Int64s, Mask, Ordinals
from foretaste.domain.errors import CorruptArtifactError
from foretaste.domain.kernel import kernel
from foretaste.models.item_features import Described
from foretaste.models.nearest import Nearest

PARTS = 48
"""An item is a mixture of at most so many others."""
MOST_ANCHORS = 5_000
"""The trained items that may be in a mixture: those most taken to."""
POWER = 2
"""A part is its cosine to this power: what is nearest counts most."""
DOUBT = 0.5
"""Added to the sum of parts by which they are divided: what is like nothing weighs little."""


@dataclass(frozen=True, slots=True, eq=False)
class Mixtures:
    """Row r says that `item[r]` is the sum over p of `weight[r, p]` times the trained item `part[r, p]`.

    `item` int32 [rows], rising; `part` int32 and `weight` float32 [rows, PARTS], zeros where there are fewer.
    """

    item: Ordinals
    part: Ordinals
    weight: Floats

    def of(self, scores: Floats) -> Floats:
        """Return the mixtures of `scores`, one per row: float32 [rows]."""
        mixed: Floats = np.einsum("rp,rp->r", self.weight, scores[self.part])
        return mixed

    def of_rows(self, vectors_of: Callable[[Ordinals], Floats]) -> Floats:
        """Return the mixtures of the vectors that `vectors_of` gives items, float32 [rows, dim]."""
        used, place = np.unique(self.part, return_inverse=True)
        return _mixed(place.reshape(self.part.shape), self.weight, vectors_of(used))

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """Return the three arrays by their names."""
        return {"mixed": self.item, "part": self.part, "part_weight": self.weight}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], n_items: int) -> Self:
        """Rebuild the rows; raise `CorruptArtifactError` where they point outside."""
        item, part, weight = arrays["mixed"], arrays["part"], arrays["part_weight"]
        shaped = part.shape == weight.shape == (len(item), PARTS)
        if not shaped or (part.size and not 0 <= part.min() <= part.max() < n_items):
            raise CorruptArtifactError("the mixtures of the artifact point outside; train again")
        return cls(item, part, weight)


@dataclass(frozen=True, slots=True, eq=False)
class Anchors:
    """Trained items by which others are understood: ordinals, int32 [n], rising, and what they are about."""

    item: Ordinals
    about: Described
    _nearest: Nearest = field(init=False)

    def __post_init__(self) -> None:
        """Lay them out as others are compared with them."""
        object.__setattr__(self, "_nearest", Nearest.among(self.about))

    def mixtures(
        self, items: Ordinals, about: Described, words: float, kept: dict[Any, Any] | None = None
    ) -> Mixtures:
        """Return `items`, described by `about`, as mixtures of the anchors most alike.

        `words` is the share of the words' cosine in how alike two items are, from 0 to 1; the rest is that
        of the dense features. In `kept` stays what serves who asks with another share.
        """
        part = np.zeros((len(items), PARTS), np.int32)
        weight = np.zeros((len(items), PARTS), np.float32)
        most = min(PARTS, len(self.item))
        if most:
            nearest, alike = self._nearest.of(about, words, most, kept)
            parts = alike**POWER
            part[:, :most] = self.item[nearest]
            weight[:, :most] = parts / (parts.sum(axis=1, keepdims=True) + np.float32(DOUBT))
        return Mixtures(items, part, weight)


@kernel
def _mixed(part: Int64s, weight: Floats, vectors: Floats) -> Floats:
    """Return the sum over p of `weight[r, p]` times row `part[r, p]` of `vectors`, for every r."""
    mixed = np.zeros((len(part), vectors.shape[1]), np.float32)
    for row in range(len(part)):
        for p in range(part.shape[1]):
            share, vector = weight[row, p], vectors[part[row, p]]
            if share != np.float32(0.0):
                for d in range(len(vector)):
                    mixed[row, d] += share * vector[d]
    return mixed


def most_taken(count: Int64s, told: Mask) -> Ordinals:
    """Return the items most taken to (by `count`, int64 [n_items]) of those that are `told`, rising."""
    able = np.flatnonzero((count > 0) & told)
    most = able[np.argsort(-count[able], kind="stable")[:MOST_ANCHORS]]
    return np.sort(most).astype(np.int32)

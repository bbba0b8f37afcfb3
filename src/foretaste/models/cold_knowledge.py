"""What a model learnt of content, and how it tells an item that is as it was then."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foretaste.domain.arrays import Int64s
from foretaste.domain.item import Item
from foretaste.models.content_index import digest_of, vector_digest
from foretaste.models.guests import Guests
from foretaste.models.item_features import Described, Features
from foretaste.models.likeness import Anchors, Mixtures


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

    def with_parts_of(self, other: "Knowledge") -> "Knowledge":
        """Return this with the very objects that `other` holds, which are equal."""
        return replace(self, features=other.features, anchors=other.anchors, count=other.count)

    def described(self, guests: Guests, places: Int64s) -> Described:
        """Return what guests at `places` are about, kept with them."""
        asked = (self.features, places.tobytes())
        about: Described | None = guests.kept.get(asked)
        if about is None:
            items = [guests.described[place] for place in places.tolist()]
            are_all = len(places) == len(guests.item)
            rows = self.features.text.vocabulary.rows_of(guests) if are_all else None
            about = guests.kept[asked] = self.features.describe(items, rows)
        return about

    def mixtures(self, about: Described, kept: dict[Any, Any]) -> Mixtures:
        """Return items described by `about` as mixtures of the anchors, kept in `kept` for who asks too."""
        asked = (self.anchors, self.words, about)
        mixed: Mixtures | None = kept.get(asked)
        if mixed is None:
            none = np.zeros(len(about.dense), np.int32)
            mixed = kept[asked] = self.anchors.mixtures(none, about, self.words, kept)
        return mixed

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


def digests_of(item: Item | None) -> tuple[int, int]:
    """Return 64 bits each of the item's words and of its vector; 0 for what there is not."""
    return digest_of(item), vector_digest(b"" if item is None else item.vector)


def digests_of_guests(guests: Guests) -> Sequence[tuple[int, int]]:
    """Return the digests of guests, kept with them."""
    found: Sequence[tuple[int, int]] | None = guests.kept.get(digests_of)
    if found is None:
        found = guests.kept[digests_of] = [digests_of(item) for item in guests.described]
    return found


def is_as_before(item: Item | None, digests: Sequence[int]) -> bool:
    """Return whether an item is what it was. One whose vector is not at hand is judged by its words."""
    words, vector = digests_of(item)
    return words == digests[0] and vector in {0, digests[1]}

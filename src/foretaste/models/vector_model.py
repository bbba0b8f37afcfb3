"""Models whose scores are inner products: the best items can be searched for instead of scoring all."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from foretaste.domain.arrays import Floats
from foretaste.domain.history import History
from foretaste.models.coded_vectors import CodedVectors
from foretaste.models.interface import Moment
from foretaste.models.inverted_lists import InvertedLists


@dataclass(frozen=True, slots=True, eq=False)
class VectorQuery:
    """A history's `vector`, float32 [dim], and the items' `vectors`, which are in lists.

    The score of item i is the inner product with its vector, and 0 for items beyond. It holds as long as the
    model's `basis` is the same.
    """

    vectors: CodedVectors
    vector: Floats

    @property
    def lists(self) -> InvertedLists:
        """The lists that the vectors are in."""
        if self.vectors.lists is None:
            raise TypeError("vectors that are searched have to be in lists; see models.listing")
        return self.vectors.lists


class VectorModel(ABC):
    """A model whose score of an item is the inner product of a vector of the history with one of the item."""

    @abstractmethod
    def query(self, history: History, moment: Moment) -> VectorQuery | None:
        """Return what to search for a history; None where all items are better scored."""

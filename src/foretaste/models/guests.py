"""Items that exist for one question alone: what a client says of the candidates that it brings along."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

from foretaste.domain.arrays import Floats, Int64s, Ordinals
from foretaste.domain.history import History
from foretaste.domain.item import Item

if TYPE_CHECKING:
    from foretaste.models.interface import Moment


@dataclass(frozen=True, slots=True, eq=False)
class Guests:
    """Items by ordinal, int32, rising, and as they are described.

    The catalog says nothing of them: they are known from events at most, and most have ordinals beyond all
    others. In `kept` models keep what they work out of them, each for itself and for models that need the
    same.
    """

    item: Ordinals
    described: Sequence[Item]
    kept: dict[Any, Any] = field(default_factory=dict)

    def among(self, items: Ordinals) -> tuple[Int64s, Int64s]:
        """Return which of `items` are guests, as places in `items`, and their places among the guests."""
        place = np.searchsorted(self.item, items)
        there = np.flatnonzero(place < len(self.item))
        there = there[self.item[place[there]] == items[there]]
        return there, place[there]


NO_GUESTS = Guests(np.empty(0, np.int32), ())


@runtime_checkable
class Host(Protocol):
    """A model that reads what items say of themselves: it knows guests too.

    A guest scores as an item that the catalog describes alike, and `explain_each` tells what of.
    """

    def score_guests(self, history: History, moment: "Moment") -> Floats:
        """Return the scores of all guests of the moment, float32 [n_guests]."""
        ...

    def guest_vectors(self, moment: "Moment") -> Floats | None:
        """Return `Model.vectors` of all guests of the moment; None without vectors."""
        ...

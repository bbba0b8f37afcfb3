"""Which items a model scores by other rows by now: what was worked out of it follows these alone."""

from abc import ABC, abstractmethod
from collections.abc import Callable

import numpy as np

from foretaste.domain.arrays import Floats, Ordinals
from foretaste.domain.history import History
from foretaste.domain.kernel import kernel
from foretaste.features.recent_items import RecentItems
from foretaste.models.interface import Moment


class Changes:
    """Stands for the rows that a model scores items by: the same object until all of them are others.

    `edition` counts how often some of them became others.
    """

    def __init__(self) -> None:
        self.edition = 0
        self._items = RecentItems()

    def note(self, items: Ordinals) -> None:
        """Take note that the rows of `items`, int32, are others from now on."""
        if len(items):
            self._items.note(self.edition, self.edition + 1, items)
            self.edition += 1

    def since(self, edition: int) -> Ordinals | None:
        """Return the items whose rows are others than in `edition`, rising; None where that is long ago.

        Nobody may write to them.
        """
        return self._items.since(edition, self.edition)

    def concern(self, items: Ordinals, edition: int) -> bool:
        """Return whether the row of one of `items`, int32, may be another one than in `edition`."""
        if edition == self.edition:
            return False
        changed = self.since(edition)
        return changed is None or bool(meet(items, changed))


class Followed(ABC):
    """A model whose `basis` may be `Changes`: then what it said of a history can follow these."""

    @abstractmethod
    def rescored(
        self, history: History, moment: Moment, changed: Ordinals, scores: Callable[[Ordinals], Floats]
    ) -> Floats | None:
        """Return the scores of the `changed` items, float32; None where those of others are others too.

        `scores` tells those of any items before, float32 [len(items)].
        """


def edition_of(basis: object) -> int:
    """Return the edition of what a model's `basis` stands for; 0 where it never is another one."""
    return basis.edition if isinstance(basis, Changes) else 0


@kernel
def meet(items: Ordinals, rising: Ordinals) -> bool:
    """Return whether one of `items` is among `rising`."""
    for item in items:
        place = np.searchsorted(rising, item)
        if place < len(rising) and rising[place] == item:
            return True
    return False

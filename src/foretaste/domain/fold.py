"""A fold: state as a function of the log."""

from collections.abc import Mapping
from typing import Any, Protocol

from numpy.typing import NDArray

from foretaste.domain.event import EventColumns


class Fold(Protocol):
    """State that is what it is because of the events so far, in log order.

    Promises, each a test of `foretaste.testing.contracts.fold`:

    - `apply` takes what follows `seq`, ignores events it has seen, and raises `SequenceGapError` on a
      batch whose `previous_seq` is beyond `seq`: applying a batch equals applying its events singly.
    - `snapshot` followed by `restore` and the events since equals folding the whole log.
    - Events late by less than the lateness bound give the same snapshot as in order.
    """

    name: str

    @property
    def seq(self) -> int:
        """The sequence number of the last event applied."""
        ...

    def apply(self, events: EventColumns) -> int:
        """Fold events in; return how many were new."""
        ...

    def snapshot(self) -> Mapping[str, NDArray[Any]]:
        """Return the canonical state as arrays: equal states give bit-equal snapshots."""
        ...

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Become the state that `snapshot` returned; raise `CorruptSnapshotError` if it cannot be."""
        ...

"""What is worked out of people's own events, kept until their next one."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from foretaste.domain.arrays import Ordinals
from foretaste.domain.history import History
from foretaste.features.state import State
from foretaste.retrieval.masks import consumed
from foretaste.retrieval.rows import MOST_KEPT

ROOM = 48_000_000
"""What is kept of people takes about so many bytes, those asked about last; so does what is kept of items."""
OWN, SOURCES = 40_000, 4
"""What one person takes: so many bytes, and scores of all items by about so many sources."""

T = TypeVar("T")


@dataclass(slots=True, eq=False)
class Known:
    """One person up to the event `seq`, the last of `events`, and what that comes to."""

    seq: int
    events: int
    history: History
    _consumed: dict[frozenset[str], Ordinals] = field(default_factory=dict)

    def consumed(self, state: State, user: int, types: frozenset[str], type_names: Sequence[str]) -> Ordinals:
        """Return the items that they have an event of one of `types` with, int32."""
        found = self._consumed.get(types)
        if found is None:
            found = self._consumed[types] = consumed(state.tally(user), types, type_names)
        return found

    def left_out(self, types: frozenset[str]) -> int | None:
        """Return how many items `consumed` told last, None where it was not asked."""
        found = self._consumed.get(types)
        return None if found is None else len(found)


class KnownPeople:
    """Histories with what models worked out of them (`History.memo`), and what people had.

    A function of the state alone: an event of a person lets go of what was kept of them. Whoever asks holds
    `state.lock` where events arrive.
    """

    def __init__(self, room: int = ROOM) -> None:
        self._room = room
        self._state: State | None = None
        self._known: dict[int, Known] = {}
        self._of_items: dict[int, dict[Any, Any]] = {}
        self.of_everyone: dict[Any, Any] = {}
        """What follows from the events of all and the moment (see `retrieval.rows`)."""

    def of(self, state: State, user: int) -> Known:
        """Return what is known of a user of `state`; -1 is nobody."""
        self._start(state)
        seq, events = state.user_seq(user), state.events_of(user)
        known = self._known.pop(user, None)
        if known is None or known.seq != seq or known.events != events:
            known = Known(seq, events, state.history(user))
        if events:
            _keep(self._known, user, known, self._most(state))
        return known

    def left_out(self, user: int, types: frozenset[str]) -> int | None:
        """Return how many items the latest answer to `user` left out for an event of `types`, if kept."""
        known = self._known.get(user)
        return None if known is None else known.left_out(types)

    def memo_of_item(self, state: State, item: int) -> dict[Any, Any]:
        """Return the memo of histories of one event, on an item."""
        self._start(state)
        memo = self._of_items.pop(item, None)
        memo = {} if memo is None else memo
        _keep(self._of_items, item, memo, self._most(state))
        return memo

    def forget(self) -> None:
        """Let go of everybody: other models work out other things."""
        self._known, self._of_items, self.of_everyone = {}, {}, {}

    def _start(self, state: State) -> None:
        if state is not self._state:
            self._state = state
            self.forget()

    def _most(self, state: State) -> int:
        return self._room // (OWN + SOURCES * 4 * min(state.items.n_items, MOST_KEPT))


def _keep(kept: dict[int, T], key: int, value: T, most: int) -> None:
    """Put a value in as the last one asked for; the first one goes where there are more than `most`."""
    kept[key] = value
    if len(kept) > most:
        del kept[next(iter(kept))]

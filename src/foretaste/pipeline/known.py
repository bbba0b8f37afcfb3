"""What is worked out of people's own events, kept until their next one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from foretaste.domain.arrays import Ordinals
from foretaste.domain.history import History, bytes_of
from foretaste.features.state import State
from foretaste.retrieval.masks import consumed

ROOM, ROOM_FOR_ITEMS = 96_000_000, 48_000_000
"""What is kept takes about so many bytes: of the people, and of the items, that were asked about last."""
OWN = 16_000
"""One of them takes so many bytes beside their arrays."""
_WEIGHED = 16
"""One in so many is weighed: what they take on average differs little from one hour to the next."""

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

    @property
    def nbytes(self) -> int:
        """How many bytes are in arrays."""
        return self.history.nbytes + bytes_of(self._consumed)


class _Latest(Generic[T]):
    """The values asked for last: as many as take `room` bytes, by what they take on average, or `least`."""

    def __init__(self, room: int, nbytes: Callable[[T], int], least: int = 0) -> None:
        self._room, self._nbytes, self._least = room, nbytes, least
        self._kept: dict[int, T] = {}
        self._last: T | None = None
        self._asked = 0
        self._typical = float(OWN)

    def get(self, key: int) -> T | None:
        """Return the value of a key, None where it is not kept."""
        return self._kept.get(key)

    def keep(self, key: int, value: T) -> None:
        """Keep a value as the one asked for last; where there is no room, those asked for first go."""
        if self._asked % _WEIGHED == 1 and self._last is not None:  # all that was asked of it is worked out
            found = OWN + self._nbytes(self._last)
            self._typical += (found - self._typical) / (_WEIGHED if self._asked > 1 else 1)
        self._asked, self._last = self._asked + 1, value
        kept = self._kept
        kept.pop(key, None)
        kept[key] = value
        while len(kept) > self._least and len(kept) * self._typical > self._room:
            del kept[next(iter(kept))]


class KnownPeople:
    """Histories with what models worked out of them (`History.memo`), and what people had.

    A function of the state alone: an event of a person lets go of what was kept of them. Whoever asks holds
    `state.lock` where events arrive. `least` people are kept whatever they take.
    """

    def __init__(self, room: int = ROOM, *, least: int = 0) -> None:
        self._room, self._least = room, least
        self._state: State | None = None
        self._known, self._of_items = self._nobody()
        self.of_everyone: dict[Any, Any] = {}
        """What follows from the events of all and the moment (see `retrieval.kept_rows`)."""

    def of(self, state: State, user: int) -> Known:
        """Return what is known of a user of `state`; -1 is nobody."""
        self._start(state)
        seq, events = state.user_seq(user), state.events_of(user)
        known = self._known.get(user)
        if known is None or known.seq != seq or known.events != events:
            known = Known(seq, events, state.history(user))
        if events:
            self._known.keep(user, known)
        return known

    def left_out(self, user: int, types: frozenset[str]) -> int | None:
        """Return how many items the latest answer to `user` left out for an event of `types`, if kept."""
        known = self._known.get(user)
        return None if known is None else known.left_out(types)

    def memo_of_item(self, state: State, item: int) -> dict[Any, Any]:
        """Return the memo of histories of one event, on an item."""
        self._start(state)
        memo = self._of_items.get(item)
        memo = {} if memo is None else memo
        self._of_items.keep(item, memo)
        return memo

    def forget(self) -> None:
        """Let go of everybody: other models work out other things."""
        self._known, self._of_items = self._nobody()
        self.of_everyone = {}

    def _nobody(self) -> tuple[_Latest[Known], _Latest[dict[Any, Any]]]:
        people = _Latest[Known](self._room, lambda known: known.nbytes, self._least)
        return people, _Latest(ROOM_FOR_ITEMS, bytes_of)

    def _start(self, state: State) -> None:
        if state is not self._state:
            self._state = state
            self.forget()

"""State: all that is known of users and items, as a fold of the event log."""

import hashlib
import math
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from foretaste.domain.arrays import MICROS_PER_SECOND, Int16s, Int64s, Micros, Ordinals
from foretaste.domain.errors import InvalidInputError, SequenceGapError
from foretaste.domain.event import EventColumns
from foretaste.domain.history import History
from foretaste.events.vocabulary import MERGE_FROM
from foretaste.events.weights import EventWeights, weigh
from foretaste.features import tables
from foretaste.features.folding import (
    B_ITEM,
    B_KEY,
    B_SEQ,
    B_TIME,
    B_TYPE,
    B_USER,
    BATCH_COLUMNS,
    fold_events,
)
from foretaste.features.item_state import ItemState, TableHolder
from foretaste.features.merging import Aliases, marks, merge_people
from foretaste.features.neighbours import FOLLOW_UNIT
from foretaste.features.people import People
from foretaste.features.snapshots import arrays_of_snapshot, canonical, gathered_arrays
from foretaste.features.tables import TYPE_BITS, Arrays, copied, grown, new_arrays, with_room

_CHUNK = 1 << 15
_NOBODY = -1
_NO_GAP = 1 << 62


class StateConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a state remembers.

    `history_length`: weighted events kept per user. `window`: how many positive events apart two items of
    one person still count as neighbours; `pair_gap_seconds`: and how far apart in time (None: any).
    `half_lives`: of popularity, in seconds, infinity for none. `neighbours_per_item`: bound of a row; a
    row that reaches it keeps its stronger half. `touches_per_item`: of how many people it is known that they
    had to do with an item lately. `weights`: what events weigh.
    """

    history_length: int = 200
    window: int = 5
    pair_gap_seconds: float | None = None
    half_lives: tuple[float, ...] = (600.0, 3600.0, 86_400.0, 604_800.0, 2_592_000.0, math.inf)
    neighbours_per_item: int = 2048
    touches_per_item: int = 128
    weights: EventWeights = EventWeights()

    def __post_init__(self) -> None:
        """Check the ranges; raise `InvalidInputError` naming the setting."""
        for field, value, low, high in (
            ("history_length", self.history_length, 1, 1 << 20),
            ("window", self.window, 1, 32),
            ("neighbours_per_item", self.neighbours_per_item, 64, 1 << 20),
            ("touches_per_item", self.touches_per_item, 1, 1 << 20),
        ):
            if not low <= value <= high:
                raise InvalidInputError(
                    f"`{field}` is {value}; choose a number from {low} to {high}", field=field
                )
        if not self.half_lives or not all(half_life >= 60.0 for half_life in self.half_lives):
            raise InvalidInputError(
                "`half_lives` needs at least one number of seconds, none below 60", field="half_lives"
            )
        if self.pair_gap_seconds is not None and not 0.0 <= self.pair_gap_seconds <= 1e11:
            raise InvalidInputError(
                "`pair_gap_seconds` must be from 0 to 1e11, or absent", field="pair_gap_seconds"
            )


@dataclass(frozen=True, slots=True)
class Tally:
    """What one person did with what, in no order: each (item, type) once, weightless types too.

    `item` int32, `type` int16, `count` int64, `last` int64: the latest time of it in microseconds.
    """

    item: Ordinals
    type: Int16s
    count: Int64s
    last: Micros

    def __len__(self) -> int:
        """How many combinations there are."""
        return len(self.item)


@dataclass(frozen=True, slots=True)
class Summary:
    """One person's activity: number of events, first and last time in microseconds (None without events)."""

    events: int
    first: int | None
    last: int | None


@dataclass(frozen=True, slots=True, eq=False)
class LaidOut:
    """A snapshot in working arrays, and who was merged: what a state becomes."""

    arrays: Arrays
    aliases: Aliases
    leaving: int


class State:
    """The fold of the log that serves: implements `domain.Fold`.

    Order. Popularity, interactions, touches, tallies and summaries are functions of the set of events, in
    whatever order these came. So are histories: the latest `history_length` weighted events by (time, key).
    Neighbours are too, as long as every positive event, when it is applied, finds those around it in its
    user's history: of the user's weighted events applied before it, those later than it and those from it
    back to the `window`-th positive one before it must together be at most `history_length`; and until an
    item's row reaches `neighbours_per_item`. An event that is older still counts everywhere but among
    neighbours.

    `lock` is held while events are applied; hold it while reading what must belong together.
    `type_names` gives the names of event types by ordinal, as the id map has them.
    """

    name = "state"

    def __init__(self, config: StateConfig, type_names: Callable[[], Sequence[str]]) -> None:
        self.config = config
        self.lock = threading.RLock()
        self._type_names = type_names
        self._holder = TableHolder(new_arrays(config.window))
        self._aliases, self._leaving = Aliases(), _NOBODY
        self.items = ItemState(self._holder, config.half_lives)
        self.people = People(self._holder)
        self._falloff = _falloff(config.window)
        gap = config.pair_gap_seconds
        self._gap = _NO_GAP if gap is None else int(gap * MICROS_PER_SECOND)

    @property
    def seq(self) -> int:
        """The sequence number of the last event applied."""
        return int(self._holder.arrays.counts[tables.SEQ])

    @property
    def n_users(self) -> int:
        """One more than the highest ordinal of a user with events."""
        return int(self._holder.arrays.counts[tables.N_USERS])

    def apply(self, events: EventColumns) -> int:
        """Fold events in, in log order; return how many were new. See `domain.Fold`."""
        return self._apply(events, counted=True)

    def remember(self, events: EventColumns) -> int:
        """Fold events into their people's own histories, tallies and summaries alone, else as `apply`.

        For judging: a history then holds what the answers to others must not be learnt from. Of items nothing
        is learnt, and `people` stands still from then on.
        """
        if len(events) and not self.people.is_frozen:
            self.people = self.people.frozen()
        return self._apply(events, counted=False)

    def _apply(self, events: EventColumns, *, counted: bool) -> int:
        with self.lock:
            if events.previous_seq > self.seq:
                raise SequenceGapError(
                    f"events after {events.previous_seq} do not follow {self.seq}: read the log from there on"
                )
            before = self.seq
            begin = int(events.seq.searchsorted(before, side="right"))
            done = begin
            for mark in marks(events, self._type_names()).tolist():
                if mark >= begin:
                    self._fold_between(events, done, mark, counted=counted)
                    self._merge(events, mark)
                    done = mark + 1
            self._fold_between(events, done, len(events), counted=counted)
            self.items.recent.note(before, self.seq, events.item[begin:])
            return len(events) - begin

    def person(self, user: int) -> int:
        """Return who a user is now: another one, where they were merged."""
        return self._aliases.person(user)

    def persons(self, users: Ordinals) -> Ordinals:
        """Return who users are now, int32."""
        return self._aliases.people(users)

    def merged_into(self, person: int) -> list[int]:
        """Return the users that were merged into a person."""
        return self._aliases.of(person)

    def history(self, user: int) -> History:
        """Return a copy of the user's history; empty for an unknown user."""
        arrays = self._holder.arrays
        if not 0 <= user < self.n_users:
            return _NO_HISTORY
        row = arrays.users[user]
        start = int(row[tables.HISTORY] + row[tables.HISTORY_OFFSET])
        window = slice(start, start + int(row[tables.HISTORY_LENGTH]))
        code = arrays.history[window, tables.CODE]
        return History(
            item=(code >> TYPE_BITS).astype(np.int32),
            weight=arrays.weight[window].copy(),
            time=arrays.history[window, tables.TIME].copy(),
            type=code.astype(np.int16),
        )

    def tally(self, user: int) -> Tally:
        """Return a copy of the user's tally; empty for an unknown user."""
        arrays = self._holder.arrays
        entries = arrays.tally[:0]
        if 0 <= user < self.n_users:
            start = arrays.users[user, tables.TALLY]
            entries = arrays.tally[start : start + arrays.users[user, tables.TALLY_LENGTH]]
        return Tally(
            item=(entries[:, 0] >> TYPE_BITS).astype(np.int32),
            type=entries[:, 0].astype(np.int16),
            count=entries[:, tables.COUNT].copy(),
            last=entries[:, tables.LAST_TIME].copy(),
        )

    def summary(self, user: int) -> Summary:
        """Return the user's activity, events without weight included."""
        if not 0 <= user < self.n_users:
            return Summary(0, None, None)
        row = self._holder.arrays.users[user]
        if row[tables.EVENTS] == 0:
            return Summary(0, None, None)
        return Summary(int(row[tables.EVENTS]), int(row[tables.FIRST]), int(row[tables.LAST]))

    def active_since(self, moment: int) -> int:
        """Return how many people did something at `moment` (microseconds) or later."""
        return int((self._holder.arrays.users[: self.n_users, tables.LAST] >= moment).sum())

    def last_active(self, count: int) -> Int64s:
        """Return the `count` people who did something last, the last one first."""
        last = self._holder.arrays.users[: self.n_users, tables.LAST]
        active = np.flatnonzero(self._holder.arrays.users[: self.n_users, tables.EVENTS])
        if len(active) > count:
            active = active[np.argpartition(-last[active], count)[:count]]
        return active[np.lexsort((active, -last[active]))]

    def events_of(self, user: int) -> int:
        """Return how many events the user has, those without weight included."""
        return int(self._holder.arrays.users[user, tables.EVENTS]) if 0 <= user < self.n_users else 0

    def user_seq(self, user: int) -> int:
        """Return the sequence number of the user's last event applied, 0 for an unknown user.

        One who was merged into another has that of the last event under their own id. After `restore` it is
        the snapshot's, until the user's next event.
        """
        return int(self._holder.arrays.users[user, tables.USER_SEQ]) if 0 <= user < self.n_users else 0

    def snapshot(self) -> Mapping[str, NDArray[Any]]:
        """Return the canonical state: the order of arrival (see the class) and memory layout do not show.

        The lock is held for no longer than it takes to copy memory.
        """
        with self.lock:
            arrays, pairs, leaving = copied(self._holder.arrays), self._aliases.pairs(), self._leaving
        gathered = gathered_arrays(arrays, self._signature())
        del arrays  # as large as the state: what follows needs the room
        gathered["merging"] = np.concatenate(([leaving, len(pairs)], pairs.ravel()))
        return canonical(gathered)

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Become the state of a snapshot; raise `CorruptSnapshotError`, and change nothing, if it cannot be.

        A snapshot taken with another configuration is refused too: the state is then folded from the log.
        """
        self.become(self.laid_out(arrays))

    def laid_out(self, arrays: Mapping[str, NDArray[Any]]) -> "LaidOut":
        """Return what `become` takes of a snapshot; raise as `restore`.

        That is most of the work, and the state may be in use meanwhile.
        """
        working = arrays_of_snapshot(arrays, self._signature(), self.config.window)
        merging = arrays["merging"]
        return LaidOut(working, Aliases(merging[2:].reshape(-1, 2)), int(merging[0]))

    def become(self, laid_out: "LaidOut") -> None:
        """Become the state of a snapshot that it laid out, whose arrays are the state's from then on."""
        with self.lock:
            self._holder.arrays = laid_out.arrays
            self._holder.breaks += 1
            self._aliases, self._leaving = laid_out.aliases, laid_out.leaving

    def make_room(self) -> None:
        """Make room for many more events now, so that none of the next has to wait for it.

        What is restored or folded has no more than it needs; the room takes no memory until it is used.
        """
        with self.lock:
            self._holder.arrays = with_room(self._holder.arrays)

    def fingerprint(self) -> str:
        """Return a hash of the snapshot: equal states have equal ones."""
        digest = hashlib.sha256()
        for name, array in sorted(self.snapshot().items()):
            digest.update(f"{name} {array.dtype.str} {array.shape} ".encode())
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

    def _signature(self) -> bytes:
        return hashlib.sha256(msgspec.json.encode(self.config, order="sorted")).digest()

    def _merge(self, events: EventColumns, place: int) -> None:
        """Note who leaves, or let the one who left be the person of this event."""
        arrays, user = self._holder.arrays, self.person(int(events.user[place]))
        seq = int(events.seq[place])
        if self._type_names()[int(events.type[place])] == MERGE_FROM:
            self._leaving = user
        elif self._leaving not in {_NOBODY, user}:
            while not merge_people(arrays, self._leaving, user, seq, self.config.history_length):
                arrays = self._holder.arrays = grown(arrays)
            self._aliases.add(self._leaving, user)
            self._holder.breaks += 1
            arrays.counts[tables.N_USERS] = max(self.n_users, user + 1, self._leaving + 1)
            self._leaving = _NOBODY
        arrays.counts[tables.SEQ] = seq

    def _fold_between(self, events: EventColumns, start: int, stop: int, *, counted: bool) -> None:
        if start == 0 and stop == len(events) <= _CHUNK:
            self._fold(events, counted=counted)
            return
        for place in range(start, stop, _CHUNK):
            self._fold(events.take(place, min(place + _CHUNK, stop)), counted=counted)

    def _fold(self, events: EventColumns, *, counted: bool = True) -> None:
        batch = np.empty((len(events), BATCH_COLUMNS), np.int64)
        batch[:, B_SEQ], batch[:, B_TIME], batch[:, B_KEY] = events.seq, events.time, events.key
        batch[:, B_USER] = people = self._aliases.people(events.user)
        batch[:, B_ITEM], batch[:, B_TYPE] = events.item, events.type
        weights = weigh(self._type_names(), events.type, events.value, self.config.weights)
        longest, bound = self.config.history_length, self.config.neighbours_per_item
        touches, falloff, gap = self.config.touches_per_item, self._falloff, self._gap
        done = 0
        while done < len(batch):
            arrays = self._holder.arrays
            done = fold_events(arrays, batch, weights, done, longest, falloff, gap, bound, touches, counted)
            if done < len(batch):
                self._holder.arrays = grown(arrays)
        if self._aliases:
            renamed = people != events.user
            self._holder.arrays.users[events.user[renamed], tables.USER_SEQ] = events.seq[renamed]


def state_at(
    events: EventColumns,
    config: StateConfig,
    type_names: Callable[[], Sequence[str]],
    *,
    time: int | None = None,
    seq: int | None = None,
) -> State:
    """Return the state as of a past moment: the fold of the events with `timestamp <= time` and `seq <= seq`.

    `events` is the log from its start. In log order, whichever bound is given.
    """
    kept = np.ones(len(events), np.bool_)
    if time is not None:
        kept &= events.time <= time
    if seq is not None:
        kept &= events.seq <= seq
    state = State(config, type_names)
    state.apply(events.where(kept, events.previous_seq))
    return state


def _falloff(window: int) -> Int64s:
    """Return the weight of a pair at each distance from 0 (unused) to window + 1 (zero)."""
    distances = np.arange(1, window + 1)
    weights: Int64s = np.zeros(window + 2, np.int64)
    weights[1:-1] = (FOLLOW_UNIT + distances // 2) // distances
    return weights


_NO_HISTORY = History(
    item=np.empty(0, np.int32),
    weight=np.empty(0, np.float32),
    time=np.empty(0, np.int64),
    type=np.empty(0, np.int16),
)

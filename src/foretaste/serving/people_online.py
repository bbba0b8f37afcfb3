"""Read your writes on every replica: people's heads and records by way of the online store, or of the log."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, Protocol, TypeVar

import msgspec
import numpy as np

from foretaste.domain.arrays import Int64s
from foretaste.domain.errors import UnavailableError
from foretaste.domain.event import EventColumns
from foretaste.features.person import PersonLimits, people_events, person_of
from foretaste.features.state import State
from foretaste.ports.online_store import OnlineRecord, OnlineStore, PeopleEvents, Written
from foretaste.ports.telemetry import Telemetry
from foretaste.serving.breaker import Breaker
from foretaste.serving.names import Names
from foretaste.serving.trust import Belief, TrustKeeper

T = TypeVar("T")
Heads = Callable[[Sequence[str]], Sequence[int]]
"""Gives the sequence number of each person's last event in the log as it is now (not on a lagging copy), 0
for
none; raises `UnavailableError`."""


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How far a person's events go, as of a moment after the question.

    A state that has folded the log up to `head` knows every event of theirs that was acknowledged before.
    `record` is one that does too, where the store has it. `source` says who told the head.
    """

    head: int
    record: OnlineRecord | None
    source: Literal["store", "log"]


class FollowedState(Protocol):
    """What keeps a state at the head of the log."""

    @property
    def state(self) -> State:
        """The state."""
        ...

    def catch_up(self) -> None:
        """Fold the log up to its present end."""
        ...


class LivePeople:
    """Keeps the online store in step with the log and `follower.state`, and asks it how far people are.

    Where the store fails it is left alone for a while, by the breaker, and the log is asked instead: it is a
    copy that saves the log work, and nothing is lost with it. `clock` counts seconds as the breaker's does.
    """

    def __init__(
        self,
        store: OnlineStore,
        trust: TrustKeeper,
        follower: FollowedState,
        names: Names,
        heads: Heads,
        telemetry: Telemetry,
        *,
        limits: PersonLimits,
        breaker: Breaker,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._trust = trust
        self._follower = follower
        self._names = names
        self._heads = heads
        self._telemetry = telemetry
        self._limits = limits
        self._breaker = breaker
        self._clock = clock

    def publish(
        self, events: EventColumns, previous: Int64s, *, repeated: Mapping[str, int] | None = None
    ) -> None:
        """Return when events that this process appended may be acknowledged.

        They are in the log and in the state already; `previous` is what `previous_seqs` gave for them just
        before the state folded them, with all that came before them in the log. `repeated` holds, for
        people whose events were sent again, the number of the latest such event: their first sender may
        have died before it came here. Raises `UnavailableError` where neither the store nor the trust
        record can be reached: the events are in the log, and are not acknowledged.
        """
        batch = self._batch(events, previous, repeated or {})
        if len(batch):
            urgent = self._trust.belief() is not None
            self._trust.settle(self._asked(lambda: self._fold(batch), urgent=urgent))

    def standing(self, user_id: str) -> Standing:
        """Return how far a person is; raise `UnavailableError` where neither store nor log can say."""
        belief = self._trust.belief()
        reading = None if belief is None else self._asked(lambda: self._store.get([user_id]))
        if belief is None or reading is None:
            return self._checked(None, self._head(user_id))
        record = reading.records[0]
        current = reading.incarnation == belief.incarnation
        if current and record is not None and record.epoch == belief.epoch:
            self._telemetry.count("online_store_reads_total", outcome="believed")
            return Standing(head=record.seq, record=record, source="store")
        head = self._head(user_id)
        if record is None or record.as_of < head:
            if 0 < head <= self._follower.state.seq:
                self._asked(lambda: self._put([user_id]))
            return self._checked(None, head)
        if current and record.epoch < belief.epoch:
            self._confirm(user_id, record, belief)
        return self._checked(record, head)

    def _checked(self, record: OnlineRecord | None, head: int) -> Standing:
        self._telemetry.count("online_store_reads_total", outcome="checked")
        return Standing(head=head, record=record, source="log")

    def _head(self, user_id: str) -> int:
        (head,) = self._heads([user_id])
        return head

    def catch_up(self, user_id: str) -> Standing:
        """Bring the state to where it knows every acknowledged event of a person; return their standing."""
        standing = self.standing(user_id)
        if self._follower.state.seq < standing.head:
            self._follower.catch_up()
        return standing

    def forget(self, user_ids: Sequence[str]) -> None:
        """Remove people from the store; raise `UnavailableError` if that cannot be told for certain."""
        self._store.delete(user_ids)

    def _batch(self, events: EventColumns, previous: Int64s, repeated: Mapping[str, int]) -> PeopleEvents:
        batch = people_events(
            events,
            previous,
            user_names=self._names.of("user"),
            type_names=self._names.of("type"),
            weights=self._limits.weights,
        )
        again = {user_id: seq for user_id, seq in repeated.items() if user_id not in set(batch.user_ids)}
        if not again:
            return batch
        return PeopleEvents(
            user_ids=(*batch.user_ids, *again),
            previous=np.append(batch.previous, np.array(list(again.values()), np.int64)),
            start=np.append(batch.start, np.full(len(again), len(batch.seq))),
            seq=batch.seq,
            time=batch.time,
            key=batch.key,
            item=batch.item,
            type=batch.type,
            weight=batch.weight,
            as_of=batch.as_of,
        )

    def _fold(self, batch: PeopleEvents) -> str | None:
        """Return the incarnation of the server that has all of a batch, None if two shared it."""
        applied = self._store.apply(batch)
        dropped = applied.fates.count("dropped")
        if dropped:
            self._telemetry.count("online_store_refused_total", dropped)
        behind = [
            user_id for user_id, fate in zip(batch.user_ids, applied.fates, strict=True) if fate == "gap"
        ]
        if not behind:
            return applied.incarnation
        self._telemetry.count("online_store_rebuilt_total", len(behind))
        return applied.incarnation if self._put(behind).incarnation == applied.incarnation else None

    def _put(self, user_ids: Sequence[str]) -> Written:
        """Store people as the state knows them."""
        state = self._follower.state
        ordinals = [self._names.ordinal("user", user_id) for user_id in user_ids]
        with state.lock:
            people = {
                user_id: person_of(state, ordinal, self._limits)
                for user_id, ordinal in zip(user_ids, ordinals, strict=True)
            }
        return self._store.put(people)

    def _confirm(self, user_id: str, record: OnlineRecord, belief: Belief) -> None:
        """Say that a record, read before the head it was compared with, may be believed."""
        self._asked(lambda: self._store.confirm({user_id: record.token}, belief.epoch))

    def _asked(self, call: Callable[[], T], *, urgent: bool = False) -> T | None:
        """Return what the store answers, None where it does not or is left alone.

        What is `urgent` is asked all the same: while others believe the store, leaving it out has its price.
        """
        ticket = self._breaker.begin(self._clock())
        if ticket is None and not urgent:
            return None
        ok = False
        try:
            answer = call()
            ok = True
        except UnavailableError:
            return None
        finally:
            if ticket is not None:
                self._breaker.end(ticket, self._clock(), ok=ok)
        return answer

"""The event log in memory."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from threading import Lock
from typing import Literal

import numpy as np

from foretaste.adapters.memory.id_map import MemoryIdMap
from foretaste.domain.errors import UnavailableError
from foretaste.domain.event import Event, EventColumns, no_events
from foretaste.events.identity import event_key
from foretaste.ports.event_log import AppendOutcome, farther, of_stream


class MemoryEventLog:
    """`EventLog` that ends with the process: every promise is kept but durability.

    Batches are appended by the thread that submits them, one batch at a time, so the future is
    resolved when `submit` returns. `on_commit` is called with the new events before that; readers are
    not held up by it.
    """

    def __init__(
        self, id_map: MemoryIdMap | None = None, *, on_commit: Callable[[EventColumns], object] | None = None
    ) -> None:
        self.id_map = id_map if id_map is not None else MemoryIdMap()
        self._on_commit = on_commit
        self._appending = Lock()
        self._events: list[
            Event
        ] = []  # only ever extended, by a whole batch at once, so reading takes no lock
        self._seqs: dict[str, int] = {}
        self._reached: dict[str, int] = {}
        self._closed = False

    def submit(
        self, events: Sequence[Event], *, reached: Mapping[str, int] | None = None
    ) -> "Future[list[AppendOutcome]]":
        """Append a batch; the future gives one outcome per event, in the order of `events`."""
        future: Future[list[AppendOutcome]] = Future()
        with self._appending:
            if self._closed:
                raise UnavailableError("the log is closed")
            before = len(self._events)
            ahead = farther(self._reached, reached or {})
            outcomes = self._append(events)
            self._reached = {**self._reached, **ahead}
            if self._on_commit and len(self._events) > before:
                self._on_commit(self.read(before, len(events)))
        future.set_result(outcomes)
        return future

    def read(self, after: int, limit: int) -> EventColumns:
        """Return up to `limit` events with sequence numbers above `after`."""
        return self._columns(range(after + 1, min(after + limit, len(self._events)) + 1), after)

    def events(self, after: int, limit: int) -> list[tuple[int, Event]]:
        """Return up to `limit` events above `after`, whole as they were submitted, with their numbers."""
        return list(enumerate(self._events[after : after + limit], after + 1))

    def window(self, start: int, end: int) -> EventColumns:
        """Return the events with `start <= timestamp < end` (microseconds), in log order."""
        every = enumerate(list(self._events), 1)
        seqs = [seq for seq, event in every if start <= event.timestamp < end]
        return self._columns(seqs, seqs[0] - 1 if seqs else 0)

    def contexts(self, after: int) -> Iterator[tuple[int, Mapping[str, str]]]:
        """Yield number and context of each event above `after` that has a context, in log order."""
        for seq, event in enumerate(self._events[after:], after + 1):
            if event.context:
                yield seq, event.context

    def of_user(self, user_id: str, limit: int) -> list[Event]:
        """Return the latest `limit` events of one user by (timestamp, event id), oldest first."""
        own = [event for event in list(self._events) if event.user_id == user_id]
        own.sort(key=lambda event: (event.timestamp, event.event_id))
        return own[-limit:] if limit else []

    def reached(self, stream: str | None = None) -> dict[str, int]:
        """Return `<stream>/<partition>` → next offset, of one stream or of all."""
        return of_stream(self._reached, stream)

    def last_seq(self) -> int:
        """Return the sequence number of the last event, 0 for an empty log."""
        return len(self._events)

    def close(self) -> None:
        """Take no more events."""
        with self._appending:
            self._closed = True

    def _append(self, events: Sequence[Event]) -> list[AppendOutcome]:
        new: list[Event] = []
        outcomes = []
        for event in events:
            known = self._seqs.get(event.event_id)
            seq = known or len(self._events) + len(new) + 1
            if not known:
                new.append(event)
                self._seqs[event.event_id] = seq
            status: Literal["accepted", "duplicate"] = "duplicate" if known else "accepted"
            outcomes.append(AppendOutcome(event_id=event.event_id, status=status, seq=seq))
        self.id_map.assign("user", [event.user_id for event in new])
        self.id_map.assign("item", [event.item_id for event in new])
        self.id_map.assign("type", [event.type for event in new])
        self._events.extend(new)
        return outcomes

    def _columns(self, seqs: Sequence[int], previous_seq: int) -> EventColumns:
        if not len(seqs):
            return no_events(previous_seq)
        events = [self._events[seq - 1] for seq in seqs]
        values = [math.nan if event.value is None else event.value for event in events]
        return EventColumns(
            previous_seq=previous_seq,
            seq=np.array(seqs, np.int64),
            user=self.id_map.find("user", [event.user_id for event in events]),
            item=self.id_map.find("item", [event.item_id for event in events]),
            type=self.id_map.find("type", [event.type for event in events]).astype(np.int16),
            time=np.array([event.timestamp for event in events], np.int64),
            key=np.array([event_key(event.event_id) for event in events], np.int64),
            value=np.array(values, np.float32),
        )

"""The event log: the truth that everything else is a function of."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from typing import Literal, Protocol

import msgspec

from foretaste.domain.errors import InvalidInputError
from foretaste.domain.event import Event, EventColumns

MOST_OFFSET = 2**63


class AppendOutcome(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What became of one event: `accepted` now, or a `duplicate` of one accepted before.

    `seq` is the sequence number under which the event stands in the log, in both cases.
    """

    event_id: str
    status: Literal["accepted", "duplicate"]
    seq: int


class EventLog(Protocol):
    """Append-only, idempotent, durable.

    Promises (`foretaste.testing.contracts.event_log`):

    - **Durable.** When the future of `submit` resolves, its events survive `kill -9` and power loss.
      If they cannot be written, the future raises `NotDurableError` and nothing of the batch remains.
    - **Once.** An event id accepted before, in this batch or an earlier one, is a `duplicate`, is not
      written again, and reports the first one's `seq`. Within the dedupe horizon this holds for ever.
    - **Ordered.** Sequence numbers rise by one from 1 in the order of acceptance; a reader that goes on
      from the last number it saw misses nothing and sees nothing twice.
    - **All or nothing.** A batch is in the log as a whole or not at all.
    - **Subscribers first.** Before the future resolves, every subscriber was called with the new events
      in log order, one call at a time.
    - Users, items and event types get their ordinals (`IdMap`) in the same transaction.
    - **Streams in step.** How far streams were read is stored in the same transaction as the events that
      came of it, and never goes back.
    """

    def submit(
        self, events: Sequence[Event], *, reached: Mapping[str, int] | None = None
    ) -> "Future[list[AppendOutcome]]":
        """Hand over a batch; the future gives one outcome per event, in the order of `events`.

        `reached` says how far streams were read to get these events: `<stream>/<partition>` → the next
        offset; the larger of it and what is stored stays. A batch may hold nothing else.

        Raises `UnavailableError` at once where too many batches are waiting already.
        """
        ...

    def read(self, after: int, limit: int) -> EventColumns:
        """Return up to `limit` events with sequence numbers above `after`."""
        ...

    def events(self, after: int, limit: int) -> list[tuple[int, Event]]:
        """Return up to `limit` events above `after`, whole as they were submitted, with their numbers."""
        ...

    def window(self, start: int, end: int) -> EventColumns:
        """Return the events with `start <= timestamp < end` (microseconds), in log order."""
        ...

    def contexts(self, after: int) -> Iterator[tuple[int, Mapping[str, str]]]:
        """Yield number and context of each event above `after` that has a context, in log order."""
        ...

    def of_user(self, user_id: str, limit: int) -> list[Event]:
        """Return the latest `limit` events of one user by (timestamp, event id), oldest first."""
        ...

    def reached(self, stream: str | None = None) -> dict[str, int]:
        """Return `<stream>/<partition>` → next offset, as stored with the events of one stream, or of all."""
        ...

    def last_seq(self) -> int:
        """Return the sequence number of the last event, 0 for an empty log."""
        ...

    def close(self) -> None:
        """Finish what was submitted, then release everything; `submit` then raises `UnavailableError`."""
        ...


def of_stream(reached: Mapping[str, int], stream: str | None) -> dict[str, int]:
    """Return those of `<stream>/<partition>` → offset that belong to one stream, or all for None."""
    if stream is None:
        return dict(reached)
    return {name: offset for name, offset in reached.items() if name.rpartition("/")[0] == stream}


def farther(stored: Mapping[str, int], told: Mapping[str, int]) -> dict[str, int]:
    """Return what of `told` is ahead of what is `stored`.

    Raises `InvalidInputError` for a name that is not `<stream>/<partition>` or an offset below zero.
    """
    for name, offset in told.items():
        stream, slash, partition = name.rpartition("/")
        if not (slash and stream and partition and 0 <= offset < MOST_OFFSET):
            raise InvalidInputError(
                f"reached has {name!r}: {offset}; it must be <stream>/<partition> and the next offset",
                field="reached",
            )
    return {name: offset for name, offset in told.items() if offset > stored.get(name, -1)}

"""The event log: the truth that everything else is a function of."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from typing import Literal, Protocol

import msgspec

from foretaste.domain.event import Event, EventColumns


class AppendOutcome(msgspec.Struct, frozen=True, kw_only=True):
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
    """

    def submit(self, events: Sequence[Event]) -> "Future[list[AppendOutcome]]":
        """Hand over a batch; the future gives one outcome per event, in the order of `events`.

        Raises `UnavailableError` at once where too many batches are waiting already.
        """
        ...

    def read(self, after: int, limit: int) -> EventColumns:
        """Return up to `limit` events with sequence numbers above `after`."""
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

    def last_seq(self) -> int:
        """Return the sequence number of the last event, 0 for an empty log."""
        ...

    def close(self) -> None:
        """Finish what was submitted, then release everything; `submit` then raises `UnavailableError`."""
        ...

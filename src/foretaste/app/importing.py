"""Taking in many events and items at once."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import msgspec

from foretaste.domain.errors import UnconfirmedError
from foretaste.domain.event import Event
from foretaste.domain.item import Item
from foretaste.ports.catalog import Catalog
from foretaste.ports.event_log import EventLog

BATCH = 5_000
AT_ONCE = 4
"""Batches that wait for the disk at a time: the next are prepared meanwhile."""
PATIENCE_SECONDS = 60.0
"""For how long a batch is sent again that the log could not confirm."""


class ImportReport(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the rows of a file.

    `accepted` are new in the log or told of items or people, `duplicates` were there before, `skipped` rows
    say that nothing happened, `rejected` could not be used and stand in `rejected_file`. `columns` is field →
    column of the file, `others` are the columns that are no field: attributes of items and people, unused of
    events. `event_type` is what events are where no column says it.
    """

    kind: str
    accepted: int = 0
    duplicates: int = 0
    skipped: int = 0
    rejected: int = 0
    rejected_file: str | None = None
    columns: Mapping[str, str] = {}
    others: Sequence[str] = ()
    event_type: str | None = None
    seconds: float = 0.0


def import_events(
    log: EventLog,
    batches: Iterable[list[Event]],
    advance: Callable[[int], object] = lambda _amount: None,
    *,
    at_once: int = AT_ONCE,
    patience: float = PATIENCE_SECONDS,
) -> tuple[int, int]:
    """Append batches of events; return how many were accepted and how many were duplicates.

    All of them are durable when this returns. What the log could not confirm in time is sent again for
    `patience` seconds; it may then stand behind what was sent with it, unless one is sent `at_once`. Raises
    `NotDurableError` after that, and at once where the disk refuses; what was accepted before stays.
    """
    waiting: deque[_Sent] = deque()
    accepted = total = 0

    def settle() -> None:
        nonlocal accepted, total
        sent = waiting.popleft()
        accepted, total = accepted + sent.settled(patience), total + sent.size
        advance(sent.size)

    for batch in _pieces(batches):
        if len(waiting) == at_once:
            settle()
        waiting.append(_Sent(log, batch))
    while waiting:
        settle()
    return accepted, total - accepted


def import_items(catalog: Catalog, items: Iterable[Item]) -> int:
    """Put items into the catalog; return how many."""
    gathered = list(items)
    if gathered:
        catalog.put(gathered)
    return len(gathered)


def _pieces(batches: Iterable[list[Event]]) -> Iterator[list[Event]]:
    for batch in batches:
        for start in range(0, len(batch), BATCH):
            yield batch[start : start + BATCH]


class _Sent:
    """A batch that was handed to the log."""

    def __init__(self, log: EventLog, batch: list[Event]) -> None:
        self._log = log
        self._batch = batch
        self._before = log.last_seq()
        self._future = log.submit(batch)
        self.size = len(batch)

    def settled(self, patience: float) -> int:
        """Return how many events were new, once all are durable; send them again where that is not known."""
        deadline = time.monotonic() + patience
        try:
            return sum(outcome.status == "accepted" for outcome in self._future.result())
        except UnconfirmedError as error:
            refused = error
        while time.monotonic() < deadline:
            time.sleep(refused.retry_after)
            try:
                outcomes = self._log.submit(self._batch).result()
            except UnconfirmedError as error:
                refused = error
            else:
                return len({outcome.seq for outcome in outcomes if outcome.seq > self._before})
        raise refused

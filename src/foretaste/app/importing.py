"""Taking in many events and items at once."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future

import msgspec

from foretaste.domain.event import Event
from foretaste.domain.item import Item
from foretaste.ports.catalog import Catalog
from foretaste.ports.event_log import AppendOutcome, EventLog

BATCH = 5_000
IN_FLIGHT = 4
"""Batches that wait for the disk at a time: the next are prepared meanwhile."""


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
    log: EventLog, batches: Iterable[list[Event]], advance: Callable[[int], object] = lambda _amount: None
) -> tuple[int, int]:
    """Append batches of events; return how many were accepted and how many were duplicates.

    All of them are durable when this returns. Raises `NotDurableError` where the disk refuses; what was
    accepted before stays.
    """
    waiting: deque[Future[list[AppendOutcome]]] = deque()
    accepted = duplicates = 0
    for batch in _pieces(batches):
        waiting.append(log.submit(batch))
        if len(waiting) >= IN_FLIGHT:
            new, old = _settled(waiting.popleft())
            accepted, duplicates = accepted + new, duplicates + old
            advance(new + old)
    while waiting:
        new, old = _settled(waiting.popleft())
        accepted, duplicates = accepted + new, duplicates + old
        advance(new + old)
    return accepted, duplicates


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


def _settled(future: "Future[list[AppendOutcome]]") -> tuple[int, int]:
    outcomes = future.result()
    new = sum(outcome.status == "accepted" for outcome in outcomes)
    return new, len(outcomes) - new

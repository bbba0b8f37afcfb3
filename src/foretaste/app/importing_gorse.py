"""Taking over what a Gorse knows: items, people and feedback, into a home."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import TypeVar

import msgspec

from foretaste.adapters.files.rejected import RejectedRows
from foretaste.adapters.files.rows import Reject
from foretaste.adapters.gorse.export_folder import ALL_KINDS, GorseExport
from foretaste.adapters.gorse.records import GorseKind, GorseRecord, GorseSource
from foretaste.adapters.gorse.rest_api import GorseApi
from foretaste.adapters.gorse.translation import event_of, item_of, person_of
from foretaste.app.home import Home
from foretaste.app.importing import import_events
from foretaste.domain.errors import InvalidInputError
from foretaste.domain.event import Event

T = TypeVar("T")


class GorseReport(msgspec.Struct, frozen=True, kw_only=True):
    """What became of Gorse's records.

    `types` counts the feedback by its type there and here (`read → view`); `left_out` is feedback of types
    that were to be left out. Events that are `duplicates` were taken before.
    """

    items: int
    people: int
    events: int
    duplicates: int
    left_out: int
    rejected: int
    rejected_file: str | None
    types: dict[str, int]
    seconds: float


def gorse_source(source: str, api_key: str) -> GorseSource:
    """Return where to read: a server's address, or a folder of exported files."""
    return GorseApi(source, api_key) if "://" in source else GorseExport(Path(source))


def check_readable(source: GorseSource) -> None:
    """Raise what reading each kind of record from `source` would raise at its beginning."""
    for kind in ALL_KINDS:
        with closing(source.batches(kind)) as batches:
            next(batches, None)


def import_gorse(
    home: Home,
    source: GorseSource,
    rejected: RejectedRows,
    *,
    types: Mapping[str, str],
    now: int,
    advance: Callable[[int], object] = lambda _amount: None,
) -> GorseReport:
    """Take everything from `source`; what was taken before changes nothing.

    `types` maps feedback types to event types, or to nothing for those to leave out; `now` is in
    microseconds. What cannot be used goes to `rejected`.
    """
    began = time.monotonic()
    items = people = 0
    for batch in _read(source, "items", rejected, lambda record: item_of(record, now)):
        home.put_items(batch)
        items += len(batch)
    for told in _read(source, "users", rejected, person_of):
        known = {user_id: attributes for user_id, attributes in told if attributes}
        home.put_people(known)
        people += len(known)
    taken = _Feedback(types, now)
    events, duplicates = import_events(home.log, taken.batches(source, rejected), advance)
    return GorseReport(
        items=items,
        people=people,
        events=events,
        duplicates=duplicates,
        left_out=taken.left_out,
        rejected=rejected.count,
        rejected_file=str(rejected.path) if rejected.count else None,
        types={f"{there} → {here}": n for (there, here), n in taken.counts.most_common()},
        seconds=round(time.monotonic() - began, 3),
    )


class _Feedback:
    """Translates feedback and counts what it became."""

    def __init__(self, types: Mapping[str, str], now: int) -> None:
        self._types, self._now = types, now
        self.counts: Counter[tuple[str, str]] = Counter()
        self.left_out = 0

    def batches(self, source: GorseSource, rejected: RejectedRows) -> Iterator[list[Event]]:
        """Return the events in pieces, without those that are left out."""
        for batch in _read(source, "feedback", rejected, self._event):
            events = [event for event in batch if event is not None]
            self.left_out += len(batch) - len(events)
            yield events

    def _event(self, record: GorseRecord) -> Event | None:
        event = event_of(record, self._types, self._now)
        if event is not None:
            self.counts[str(record["feedback_type"]), event.type] += 1
        return event


def _read(
    source: GorseSource, kind: GorseKind, rejected: RejectedRows, translated: Callable[[GorseRecord], T]
) -> Iterator[list[T]]:
    """Yield batches of what records are here; those that cannot be used are set aside with the reason."""
    for batch in source.batches(kind):
        good: list[T] = []
        bad: list[Reject] = []
        for read in batch:
            if isinstance(read, Reject):
                bad.append(read)
                continue
            number, record = read
            try:
                good.append(translated(record))
            except InvalidInputError as error:
                bad.append(Reject(line=number, reason=f"{kind}: {error.message}", row=record))
        rejected.write(bad)
        yield good

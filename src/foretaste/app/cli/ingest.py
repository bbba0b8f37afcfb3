"""`foretaste ingest`: a file into the log, the catalog or what is known of people."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from foretaste.adapters.files.event_chunks import EventChunk, EventOptions, event_chunks, usual_type
from foretaste.adapters.files.event_frame import frame_events
from foretaste.adapters.files.item_chunks import ItemChunk, item_chunks
from foretaste.adapters.files.people_chunks import PeopleChunk, people_chunks
from foretaste.adapters.files.rejected import RejectedRows, beside
from foretaste.adapters.files.rows import Pieces, RowSource
from foretaste.adapters.files.sources import open_rows
from foretaste.adapters.files.timestamps import as_datetime, micros_of
from foretaste.app.cli.console import Screen
from foretaste.app.cli.options import Kind
from foretaste.app.home import Home
from foretaste.app.importing import ImportReport, import_events
from foretaste.app.wiring import open_home
from foretaste.domain.clock import system_clock
from foretaste.domain.errors import InvalidInputError, UnavailableError
from foretaste.domain.event import Event
from foretaste.ports.event_archive import AsOf

Advance = Callable[[int], None]


def run(
    *,
    kind: Kind,
    file: str,
    as_of: str | None,
    home: Path,
    columns: Sequence[str],
    event_type: str | None,
    timestamp_format: str | None,
    delimiter: str | None,
    encoding: str,
    as_json: bool,
) -> None:
    """Read `file`, append or put what is good, set the rest aside."""
    screen = Screen(as_json=as_json)
    name = Path(file).name
    rows = open_rows(file, delimiter=delimiter, encoding=encoding, as_of=_version_or_moment(as_of))
    mapping = dict(_pair(text) for text in columns)
    options = EventOptions(
        now=system_clock(),
        columns=mapping,
        event_type=event_type,
        timestamp_format=timestamp_format,
    )
    began = time.monotonic()
    # A file without its columns is refused before there is a home.
    pieces = _pieces(kind, rows, options, name)
    with (
        RejectedRows(beside(Path(name if "://" in file else file))) as rejected,
        _own(home) as opened,
        screen.progress(f"ingesting {kind.value}") as advance,
    ):
        taken, duplicates, skipped = _TAKING[kind](pieces, opened, rejected, advance)
    report = ImportReport(
        kind=kind.value,
        accepted=taken,
        duplicates=duplicates,
        skipped=skipped,
        rejected=rejected.count,
        rejected_file=str(rejected.path) if rejected.count else None,
        columns=pieces.columns,
        others=pieces.others,
        event_type=_said_type(kind, pieces, options),
        seconds=round(time.monotonic() - began, 3),
    )
    screen.result(report, _words(report))
    _refuse_if_nothing(report, name)


def _pieces(kind: Kind, rows: RowSource, options: EventOptions, name: str) -> Pieces[Any]:
    """Return the file in pieces; raise `InvalidInputError` where a needed column is missing."""
    if kind is Kind.EVENTS:
        return event_chunks(rows, options, name)
    return (item_chunks if kind is Kind.ITEMS else people_chunks)(rows, options.columns, name)


def _said_type(kind: Kind, pieces: Pieces[Any], options: EventOptions) -> str | None:
    """Return what events are where no column says it."""
    is_said = kind is not Kind.EVENTS or "type" in pieces.columns
    return None if is_said else usual_type(pieces.columns, options)


def _own(home: Path) -> Home:
    try:
        return open_home(home, create=True, beside=True, with_model=False)
    except UnavailableError as error:
        raise UnavailableError(
            f"{error.message}. A running service takes events by POST /events, items by PUT /items/ID "
            "and people by PUT /users/ID",
            field="home",
        ) from error


def _version_or_moment(text: str | None) -> AsOf | None:
    if text is None or text.isdigit():
        return None if text is None else int(text)
    return as_datetime(micros_of(text))


def _pair(text: str) -> tuple[str, str]:
    field, equals, name = text.partition("=")
    if not (field and equals and name):
        raise InvalidInputError(f"--column {text!r} is not FIELD=NAME, as user_id=customer", field="column")
    return field, name


def _events(
    chunks: Iterable[EventChunk], home: Home, rejected: RejectedRows, advance: Advance
) -> tuple[int, int, int]:
    skipped = 0

    def batches() -> Iterator[list[Event]]:
        nonlocal skipped
        for chunk in chunks:
            rejected.write(chunk.rejects)
            skipped += chunk.skipped
            yield frame_events(chunk.frame)

    accepted, duplicates = import_events(home.log, batches(), advance)
    return accepted, duplicates, skipped


def _items(
    chunks: Iterable[ItemChunk], home: Home, rejected: RejectedRows, _: Advance
) -> tuple[int, int, int]:
    taken = 0
    for chunk in chunks:
        rejected.write(chunk.rejects)
        home.put_items(chunk.items)
        taken += len(chunk.items)
    return taken, 0, 0


def _people(
    chunks: Iterable[PeopleChunk], home: Home, rejected: RejectedRows, _: Advance
) -> tuple[int, int, int]:
    taken = 0
    for chunk in chunks:
        rejected.write(chunk.rejects)
        home.put_people(chunk.people)
        taken += len(chunk.people)
    return taken, 0, 0


def _refuse_if_nothing(report: ImportReport, name: str) -> None:
    if report.rejected and not report.accepted + report.duplicates + report.skipped:
        said = f"{name}: no row could be used; {report.rejected_file} says why"
        raise InvalidInputError(said, field="file")


def _words(report: ImportReport) -> str:
    parts = [f"{report.accepted:,} {report.kind} taken in"]
    if report.duplicates:
        parts.append(f"{report.duplicates:,} were there before")
    if report.skipped:
        parts.append(f"{report.skipped:,} rows say that nothing happened")
    if report.rejected:
        parts.append(f"{report.rejected:,} rows could not be used, see {report.rejected_file}")
    return f"{'; '.join(parts)} ({report.seconds:.1f} s)\n{_reading(report)}".rstrip()


def _reading(report: ImportReport) -> str:
    """Say how the columns were understood, so that what was mistaken or left out is seen at once."""
    renamed = [f"{field} is {column}" for field, column in report.columns.items() if field != column]
    parts = [", ".join(renamed)] if renamed else []
    are_events = report.kind == Kind.EVENTS.value
    if are_events and "timestamp" not in report.columns:
        parts.append("no column says when: each counts as a day old (--column timestamp=NAME names one)")
    if report.event_type:
        parts.append(f"no column says what: each is a {report.event_type}")
    if report.others:
        parts.append(f"{'not used' if are_events else 'attributes'}: {', '.join(report.others)}")
    return "; ".join(parts)


_TAKING: Mapping[Kind, Callable[[Iterable[Any], Home, RejectedRows, Advance], tuple[int, int, int]]] = {
    Kind.EVENTS: _events,
    Kind.ITEMS: _items,
    Kind.USERS: _people,
}
"""Takes pieces into a home; says how many were taken, were there before, say that nothing happened."""

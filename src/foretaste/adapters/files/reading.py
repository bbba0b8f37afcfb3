"""Whole files as events or items: what `ft.read_events` and `ft.read_items` are."""

from collections.abc import Mapping, Sequence
from datetime import date

import polars as pl

from foretaste.adapters.files.event_chunks import EventOptions, event_chunks
from foretaste.adapters.files.event_frame import EVENT_SCHEMA
from foretaste.adapters.files.event_table import Events
from foretaste.adapters.files.item_chunks import SEPARATOR, item_chunks
from foretaste.adapters.files.rows import FileFormat, Reject
from foretaste.adapters.files.sources import Source, open_rows, source_name
from foretaste.adapters.files.timestamps import as_datetime, micros_of
from foretaste.domain.clock import system_clock
from foretaste.domain.errors import InvalidInputError
from foretaste.domain.item import Item


def read_events(
    source: Source,
    *,
    columns: Mapping[str, str] | None = None,
    items: Sequence[Item] = (),
    event_type: str | None = None,
    timestamp_format: str | None = None,
    file_type: FileFormat | None = None,
    delimiter: str | None = None,
    encoding: str = "utf-8-sig",
    as_of: int | str | date | None = None,
) -> Events:
    """Read events from a CSV, Parquet or JSON Lines file, a Delta table, or a polars frame.

    `columns` says which column is which field, as `{"user_id": "customer"}`; usual names are
    recognized without it. `event_type` is the type of events that have none; without it a `rating`
    column makes ratings, a `purchased` (0/1) or `quantity` column purchases (none where it is 0 or less, as
    of what was sent back), else they are clicks.
    Timestamps are ISO 8601 text, or numbers since 1970 in seconds to nanoseconds, or as
    `timestamp_format` says; where there are none, all events count as having happened a day before they
    are read, so that nothing that people do of late follows from them. Rows that cannot be used are in
    `rejected`, never raised. The same file gives the same event ids, so that importing it twice changes
    nothing.

    A Delta table is a folder or a URL, as `s3://bucket/archive`. `as_of` reads it as it was: a version's
    number, or a moment. Where it has a column `seq`, as an archive does, events come in its order.

    Raises `InvalidInputError` where the file cannot be read or a needed column is missing, `NotFoundError`
    where there is no such table or version.

    >>> ft.read_events("purchases.csv")
    >>> ft.read_events("log.parquet", columns={"user_id": "visitor", "item_id": "sku"})
    >>> ft.read_events("s3://shop/archive", as_of="2026-03-01")
    """
    past = as_of if as_of is None or isinstance(as_of, int) else as_datetime(micros_of(as_of))
    rows = open_rows(source, file_type=file_type, delimiter=delimiter, encoding=encoding, as_of=past)
    options = EventOptions(
        now=system_clock(),
        columns=columns or {},
        event_type=event_type,
        timestamp_format=timestamp_format,
    )
    chunks = list(event_chunks(rows, options, source_name(source)))
    frame = pl.concat([pl.DataFrame(schema=EVENT_SCHEMA), *(chunk.frame for chunk in chunks)])
    rejected = [reject for chunk in chunks for reject in chunk.rejects]
    return Events(frame, tuple(items), sum(chunk.skipped for chunk in chunks), tuple(rejected))


def read_items(
    source: Source,
    *,
    columns: Mapping[str, str] | None = None,
    separator: str = SEPARATOR,
    file_type: FileFormat | None = None,
    delimiter: str | None = None,
    encoding: str = "utf-8-sig",
) -> list[Item]:
    """Read catalog items from a CSV, Parquet or JSON Lines file, or from a polars frame.

    `columns` says which column is which field (`item_id`, `title`, `text`, `categories`,
    `available_from`, `available_until`, `in_stock`, `hidden`); usual names are recognized without it,
    and every other column becomes an attribute. Categories written as text are split at `separator`.

    Raises `InvalidInputError` where the file cannot be read, has no column for `item_id`, or has an
    item that breaks the rules: the message has its line and the reason.

    >>> ft.read_items("products.csv", columns={"item_id": "sku"})
    """
    rows = open_rows(source, file_type=file_type, delimiter=delimiter, encoding=encoding)
    found: list[Item] = []
    rejects: list[Reject] = []
    for chunk in item_chunks(rows, columns or {}, source_name(source), separator=separator):
        found.extend(chunk.items)
        rejects.extend(chunk.rejects)
    if rejects:
        first = rejects[0]
        raise InvalidInputError(
            f"{source_name(source)}: {len(rejects)} of {len(rejects) + len(found)} items cannot be used; the "
            f"first, in line {first.line}: {first.reason}",
            field="items",
        )
    return found

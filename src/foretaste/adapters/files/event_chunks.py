"""Rows as events: typed, checked, identified; what cannot be used is said with its reason."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from foretaste.adapters.files.columns import (
    COMPOUND,
    EVENT_NAMES,
    as_text,
    column_mapping,
    is_compound,
    others,
)
from foretaste.adapters.files.event_context import contexts_of
from foretaste.adapters.files.event_frame import EVENT_SCHEMA, frame_events
from foretaste.adapters.files.moment_order import places_at_moments
from foretaste.adapters.files.occurrences import Occurrences
from foretaste.adapters.files.rows import Pieces, Reject, Rows, RowSource
from foretaste.adapters.files.timestamps import to_micros
from foretaste.domain.arrays import MICROS_PER_SECOND
from foretaste.domain.clock import MICROS_PER_DAY
from foretaste.events.identity import derived_event_id
from foretaste.events.text import LONGEST_ID
from foretaste.events.validation import LARGEST_VALUE, USUAL_LIMITS
from foretaste.events.vocabulary import LONGEST_TYPE, PURCHASE, canonical_type

CHUNK = 100_000
ID_FIELDS = ("event_id", "user_id", "item_id", "type", "session_id", "recommendation_id")
CONTENT = ("user_id", "item_id", "type", "timestamp", "value", "session_id", "recommendation_id", "context")
QUANTITY = "quantity"
TYPE_OF_COLUMN = {"rating": "rating", "purchased": PURCHASE, QUANTITY: PURCHASE}
DEFAULT_TYPE = "click"
UNKNOWN_AGE = MICROS_PER_DAY
"""How long before they are read events count as having happened of which nothing says when.

Enough that nobody's interest of the moment, no session and no trend follows from an import.
"""


@dataclass(frozen=True, slots=True)
class EventChunk:
    """Some events of a file in the columns of `EVENT_SCHEMA`, and what was rejected.

    `skipped` is how many rows say that nothing happened: `purchased` is 0, or `quantity` of what is bought is
    0 or less, as of what was sent back.
    """

    frame: pl.DataFrame
    rejects: list[Reject]
    skipped: int = 0


@dataclass(frozen=True, kw_only=True)
class EventOptions:
    """How to read events. `now` (microseconds UTC) is the moment of reading.

    Events that have no moment of their own count as having happened a day before.
    """

    now: int
    columns: Mapping[str, str] = field(default_factory=dict)
    event_type: str | None = None
    timestamp_format: str | None = None


def event_chunks(
    source: RowSource, options: EventOptions, where: str, size: int = CHUNK
) -> Pieces[EventChunk]:
    """Return the events of `source` in pieces of at most `size` rows, in the order of the file.

    Raises `InvalidInputError` where a needed column is missing, at once.
    """
    names = source.names()
    mapping = column_mapping(
        EVENT_NAMES, names, options.columns, required=("user_id", "item_id"), where=where
    )
    default_type = usual_type(mapping, options)
    seen = _Seen()
    return Pieces(
        mapping,
        others(names, mapping),
        (_events(rows, mapping, options, default_type, seen) for rows in source.chunks(size)),
    )


@dataclass(frozen=True, slots=True)
class _Seen:
    """What came in the pieces before: `contents` of events, and `moments` of people."""

    contents: Occurrences = field(default_factory=Occurrences)
    moments: Occurrences = field(default_factory=Occurrences)


def usual_type(mapping: Mapping[str, str], options: EventOptions) -> str:
    """Return the type of events without one: as told, or by the name of the column with their value."""
    if options.event_type:
        return options.event_type
    names = {mapping.get("value", "").lower(), "purchased" if "purchased" in mapping else ""}
    return next((kind for column, kind in TYPE_OF_COLUMN.items() if column in names), DEFAULT_TYPE)


def _events(
    rows: Rows, mapping: Mapping[str, str], options: EventOptions, default_type: str, seen: _Seen
) -> EventChunk:
    raw = {field: rows.columns.get(column, [None] * len(rows)) for field, column in mapping.items()}
    frame, wrong = _typed(raw, len(rows), options, default_type)
    bad = [(position, reason) for position, reason in enumerate(wrong.to_list()) if reason]
    rejects = [Reject(line=rows.lines[at], reason=reason, row=rows.row(at)) for at, reason in bad]
    happened = _happened(raw, len(rows))
    is_bought = "type" not in mapping and default_type == PURCHASE
    if is_bought and mapping.get("value", "").lower() == QUANTITY:
        happened &= ~(frame["value"] <= 0.0).fill_null(value=False)
    kept = frame.filter(wrong.is_null() & happened)
    skipped = int((~happened & wrong.is_null()).sum())
    content = kept.select(CONTENT)
    if "timestamp" not in mapping:
        content = content.with_columns(timestamp=pl.lit(0))
    numbered = seen.contents.number(content.hash_rows(seed=0).to_numpy())
    named = _identified(kept, content, numbered.tolist())
    if "timestamp" in mapping:
        named = named.with_columns(pl.col("timestamp") + places_at_moments(kept, seen.moments))
    return EventChunk(
        named,
        sorted(rows.rejects + rejects, key=lambda reject: reject.line),
        skipped,
    )


def _typed(
    raw: Mapping[str, pl.Series | list[Any]], n: int, options: EventOptions, default_type: str
) -> tuple[pl.DataFrame, pl.Series]:
    """Return the typed columns, and for each row what is wrong with it, null if nothing is."""
    nothing = pl.Series([None] * n, dtype=pl.String)
    columns = {name: as_text(raw[name]) if name in raw else nothing for name in ID_FIELDS}
    columns["type"] = _canonical(columns["type"].fill_null(default_type))
    written_time = raw.get("timestamp", nothing)
    written_value = raw.get("value", nothing)
    text_value = as_text(written_value)
    if "timestamp" in raw:
        series = written_time if isinstance(written_time, pl.Series) else as_text(written_time)
        columns["timestamp"] = to_micros(series, options.timestamp_format)
    else:
        columns["timestamp"] = pl.Series([max(options.now - UNKNOWN_AGE, 0)] * n, dtype=pl.Int64)
    columns["value"] = text_value.cast(pl.Float64, strict=False)
    columns["context"], wrong_context = contexts_of(raw.get("context", nothing))
    frame = pl.DataFrame({name: columns[name] for name in EVENT_SCHEMA}, schema=EVENT_SCHEMA)
    checked = frame.with_columns(_value=text_value, _time=as_text(written_time), _context=wrong_context)
    checked = checked.with_columns(
        _compound(raw[name]).alias(f"_{name}") if name in raw else pl.lit(value=False).alias(f"_{name}")
        for name in ID_FIELDS
    )
    wrong = checked.select(_first_fault(options.now, timed="timestamp" in raw)).to_series()
    return frame.with_columns(pl.col("timestamp").clip(upper_bound=options.now)), wrong


def _first_fault(now: int, *, timed: bool) -> pl.Expr:
    faults = [_id_fault(name) for name in ID_FIELDS]
    for name in ("user_id", "item_id"):
        faults.insert(0, pl.when(pl.col(name).is_null()).then(pl.lit(f"{name} is missing")))
    if timed:
        shown = pl.coalesce("_time", pl.lit("")).str.slice(0, 40)
        unreadable = pl.format(
            "timestamp '{}' is not a moment: write ISO 8601 or a number since 1970, or say by "
            "--timestamp-format (timestamp_format) how else it is written, as %d.%m.%Y %H:%M",
            shown,
        )
        faults.append(pl.when(pl.col("timestamp").is_null()).then(unreadable))
        early = pl.format("timestamp '{}' lies before 1970", shown)
        faults.append(pl.when(pl.col("timestamp") < 0).then(early))
        skew = round(USUAL_LIMITS.clock_skew_seconds * MICROS_PER_SECOND)
        late = pl.format("timestamp '{}' lies in the future; check the unit", shown)
        faults.append(pl.when(pl.col("timestamp") > now + skew).then(late))
    finite = (pl.col("value").abs() <= LARGEST_VALUE).fill_null(value=False)
    value = pl.format("value '{}' is not a finite number", pl.col("_value").str.slice(0, 40))
    faults.append(pl.when(pl.col("_value").is_not_null() & ~finite).then(value))
    return pl.coalesce([*faults, pl.col("_context")])


def _id_fault(name: str) -> pl.Expr:
    column = pl.col(name)
    longest = LONGEST_TYPE if name == "type" else LONGEST_ID
    too_long = pl.when(column.str.len_bytes() > longest).then(
        pl.lit(f"{name} is longer than {longest} bytes in UTF-8")
    )
    nul = pl.when(column.str.contains("\0", literal=True)).then(pl.lit(f"{name} holds a NUL character"))
    garbled = pl.when(column.str.contains("\ufffd", literal=True)).then(
        pl.lit(f"{name} is not valid in this encoding; say which one it is with --encoding")
    )
    empty = pl.when(column == "").then(pl.lit(f"{name} is empty"))
    compound = pl.when(pl.col(f"_{name}")).then(pl.lit(f"{name} {COMPOUND}"))
    return pl.coalesce(compound, empty, too_long, nul, garbled)


def _compound(values: pl.Series | list[Any]) -> pl.Series:
    """Return which values are lists or objects."""
    if isinstance(values, pl.Series):
        nested = values.dtype.is_nested()
        return values.is_not_null() if nested else pl.repeat(False, len(values), eager=True)
    return pl.Series([is_compound(value) for value in values], dtype=pl.Boolean)


def _canonical(types: pl.Series) -> pl.Series:
    names = types.unique().to_list()
    return types.replace_strict(names, [canonical_type(name) for name in names], return_dtype=pl.String)


def _happened(raw: Mapping[str, pl.Series | list[Any]], n: int) -> pl.Series:
    """Return False for rows whose `purchased` says 0, no or false."""
    if "purchased" not in raw:
        return pl.Series([True] * n, dtype=pl.Boolean)
    said = as_text(raw["purchased"]).str.to_lowercase()
    return ~said.is_in(["0", "0.0", "false", "no", "n"]).fill_null(value=True)


def _identified(frame: pl.DataFrame, content: pl.DataFrame, occurrences: Sequence[int]) -> pl.DataFrame:
    """Give every event without an id the one that follows from its content and occurrence number."""
    nameless = frame_events(content.with_columns(event_id=pl.lit("")).select(EVENT_SCHEMA.names()))
    derived = [
        event_id or derived_event_id(event, number)
        for event_id, event, number in zip(frame["event_id"], nameless, occurrences, strict=True)
    ]
    return frame.with_columns(pl.Series("event_id", derived, dtype=pl.String))

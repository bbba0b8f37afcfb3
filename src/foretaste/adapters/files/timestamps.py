"""Moments as they are written in files, as microseconds since 1970 UTC."""

from datetime import UTC, date, datetime, time

import polars as pl

from foretaste.adapters.files.columns import as_text
from foretaste.domain.arrays import MICROS_PER_SECOND
from foretaste.domain.errors import InvalidInputError
from foretaste.events.moments import (
    MICROS_BELOW,
    MILLIS_BELOW,
    NANOS_BELOW,
    SECONDS_BELOW,
    parse_moment,
)

FORMATS = (
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%d %H:%M:%S%.f%#z",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%d",
    "%Y/%m/%d %H:%M:%S%.f",
    "%Y/%m/%d",
)
"""Layouts that are read a column at a time; whatever else `parse_moment` understands is read one by one."""

UTC_WRITTEN = r"\s*(?:[zZ]|UTC|GMT)$"
NUMBER = r"^[-+]?[\d.]+(?:[eE][-+]?\d+)?$"
NO_TEXT = pl.Series([None], dtype=pl.String)
DAY_IN_DIGITS = r"^(?:19[7-9]\d|20\d\d)\d{4}$"

Moment = str | int | date | datetime
"""A moment in Python: ISO 8601, microseconds since 1970, or a date; without a zone it is UTC."""


def to_micros(values: pl.Series, layout: str | None = None) -> pl.Series:
    """Return moments as int64 microseconds, null where a value is none.

    Numbers count from 1970 in the unit that their size says, as `foretaste.events.moments` does. Text is as
    `layout` says (`%d/%m/%Y %H:%M`), or ISO 8601; without a zone it is UTC. Text that is nothing but days in
    eight digits (`20240301`) is no number; where there is a `layout`, no text is one.
    """
    if values.dtype == pl.Datetime:
        utc = values if values.dtype.time_zone is None else values.dt.convert_time_zone("UTC")  # type: ignore[attr-defined] # a Datetime has it
        return utc.dt.timestamp("us")
    if values.dtype == pl.Date:
        return values.cast(pl.Datetime("us")).dt.timestamp("us")
    if values.dtype.is_numeric():
        return _from_numbers(values)
    text = as_text(values).str.strip_chars()
    if layout is None:
        return _understood(text)
    laid_out = _from_text(text, (layout,))
    other = laid_out.is_null() & ~text.str.contains(NUMBER)
    return laid_out.zip_with(~other.fill_null(value=False), _understood(text.zip_with(other, NO_TEXT)))


def _understood(text: pl.Series) -> pl.Series:
    """Return what text says without being told how it is laid out."""
    micros = _from_days(text)
    if micros is None:
        micros = _from_numbers(text)
    if micros.null_count() > text.null_count():
        plain = text.str.replace(UTC_WRITTEN, "+00:00").str.replace("T", " ", literal=True)
        micros = micros.zip_with(micros.is_not_null(), _from_text(plain, FORMATS))
    if micros.null_count() > text.null_count():
        micros = micros.zip_with(micros.is_not_null(), _one_by_one(text.set(micros.is_not_null(), None)))
    return micros


def _from_days(text: pl.Series) -> pl.Series | None:
    """Return days written in eight digits, None where anything else is among them."""
    given = text.drop_nulls()
    if not len(given) or not given.str.contains(DAY_IN_DIGITS).all():
        return None
    days = _from_text(text, ("%Y%m%d",))
    return days if days.null_count() == text.null_count() else None


def _from_numbers(values: pl.Series) -> pl.Series:
    whole, decimal = values.cast(pl.Int64, strict=False), values.cast(pl.Float64, strict=False)
    frame = pl.DataFrame({"whole": whole, "decimal": decimal})
    fraction = pl.col("whole").is_null() | (pl.col("whole") != pl.col("decimal"))
    exact, rounded = _in_micros(pl.col("whole")), _in_micros(pl.col("decimal")).round()
    micros = pl.when(fraction).then(rounded.cast(pl.Int64, strict=False)).otherwise(exact)
    return frame.select(micros).to_series()


def _in_micros(number: pl.Expr) -> pl.Expr:
    """Return numbers since 1970 in microseconds, null where they are too large or not finite."""
    size = pl.col("decimal").abs()
    return (
        pl.when(size < SECONDS_BELOW)
        .then(number * MICROS_PER_SECOND)
        .when(size < MILLIS_BELOW)
        .then(number * 1_000)
        .when(size < MICROS_BELOW)
        .then(number)
        .when(size < NANOS_BELOW)
        .then(number // 1_000)
    )


def _one_by_one(text: pl.Series) -> pl.Series:
    """Return what `parse_moment` reads, each text that there is once."""
    written = text.unique().drop_nulls().to_list()
    read = [_read(moment) for moment in written]
    return text.replace_strict(written, read, default=None, return_dtype=pl.Int64)


def _read(moment: str) -> int | None:
    try:
        return parse_moment(moment)
    except ValueError:
        return None


def _from_text(values: pl.Series, layouts: tuple[str, ...]) -> pl.Series:
    found = pl.Series([None] * len(values), dtype=pl.Int64)
    for layout in layouts:
        parsed = values.str.to_datetime(layout, time_unit="us", time_zone="UTC", strict=False)
        found = found.zip_with(found.is_not_null(), parsed.dt.timestamp("us"))
        if found.null_count() == values.null_count():
            break
    return found


def micros_of(moment: Moment) -> int:
    """Return one moment as microseconds since 1970 UTC; raise `InvalidInputError` for what is none."""
    if isinstance(moment, bool) or not isinstance(moment, int | str | date):
        raise InvalidInputError(
            f"{moment!r} is no moment; give a date, a text as 1998-03-01, or microseconds since 1970",
            field="date",
        )
    if isinstance(moment, int):
        return moment
    if isinstance(moment, str):
        moment = _parsed(moment)
    elif not isinstance(moment, datetime):
        moment = datetime.combine(moment, time())
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    whole = int(aware.replace(microsecond=0).timestamp())
    return whole * MICROS_PER_SECOND + aware.microsecond


def as_datetime(micros: int) -> datetime:
    """Return microseconds since 1970 as a moment in UTC."""
    seconds, rest = divmod(micros, MICROS_PER_SECOND)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest)


def _parsed(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidInputError(
            f"{text!r} is not a date; write it as 1998-03-01 or 1998-03-01T12:30:00+00:00", field="date"
        ) from error

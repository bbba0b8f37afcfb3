"""Moments as they are written in files, as microseconds since 1970 UTC."""

from datetime import UTC, date, datetime, time

import polars as pl

from foretaste.domain.arrays import MICROS_PER_SECOND
from foretaste.domain.errors import InvalidInputError
from foretaste.events.moments import MICROS_BELOW, MILLIS_BELOW, NANOS_BELOW, SECONDS_BELOW

FORMATS = (
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%d %H:%M:%S%.f%#z",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%d",
    "%Y/%m/%d %H:%M:%S%.f",
    "%Y/%m/%d",
)

Moment = str | int | date | datetime
"""A moment in Python: ISO 8601, microseconds since 1970, or a date; without a zone it is UTC."""


def to_micros(values: pl.Series, layout: str | None = None) -> pl.Series:
    """Return moments as int64 microseconds, null where a value is none.

    Numbers count from 1970 in the unit that their size says, as `foretaste.events.moments` does. Text is
    ISO 8601, or as `layout` says (`%d/%m/%Y %H:%M`); without a zone it is UTC.
    """
    if values.dtype == pl.Datetime:
        utc = values if values.dtype.time_zone is None else values.dt.convert_time_zone("UTC")  # type: ignore[attr-defined] # a Datetime has it
        return utc.dt.timestamp("us")
    if values.dtype == pl.Date:
        return values.cast(pl.Datetime("us")).dt.timestamp("us")
    if values.dtype.is_numeric():
        return _from_numbers(values)
    text = values.cast(pl.String)
    micros = _from_text(text, (layout,)) if layout else _from_numbers(text)
    if layout is None and micros.null_count() > text.null_count():
        plain = text.str.replace("T", " ", literal=True).str.replace(r"[zZ]$", "+00:00")
        micros = micros.zip_with(micros.is_not_null(), _from_text(plain, FORMATS))
    return micros


def _from_numbers(values: pl.Series) -> pl.Series:
    whole, decimal = values.cast(pl.Int64, strict=False), values.cast(pl.Float64, strict=False)
    size = pl.col("decimal").abs()
    exact = (
        pl.when(size < SECONDS_BELOW)
        .then(pl.col("whole") * MICROS_PER_SECOND)
        .when(size < MILLIS_BELOW)
        .then(pl.col("whole") * 1_000)
        .when(size < MICROS_BELOW)
        .then(pl.col("whole"))
        .when(size < NANOS_BELOW)
        .then(pl.col("whole") // 1_000)
    )
    scaled = pl.when(size < SECONDS_BELOW).then(pl.col("decimal") * MICROS_PER_SECOND).otherwise(None)
    fraction = pl.col("whole").is_null() | (pl.col("whole") != pl.col("decimal"))
    frame = pl.DataFrame({"whole": whole, "decimal": decimal})
    rounded = scaled.round().cast(pl.Int64, strict=False)
    return frame.select(pl.when(fraction & size.is_finite()).then(rounded).otherwise(exact)).to_series()


def _from_text(values: pl.Series, layouts: tuple[str, ...]) -> pl.Series:
    found = pl.Series([None] * len(values), dtype=pl.Int64)
    for layout in layouts:
        parsed = values.str.to_datetime(layout, time_unit="us", time_zone="UTC", strict=False)
        found = found.zip_with(found.is_not_null(), parsed.dt.timestamp("us"))
        if found.null_count() == values.null_count():
            break
    return found


def micros_of(moment: Moment) -> int:
    """Return one moment as microseconds since 1970 UTC."""
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

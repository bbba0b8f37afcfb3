"""What a file's columns mean: names given, or recognized."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from foretaste.domain.errors import InvalidInputError

EVENT_NAMES: dict[str, tuple[str, ...]] = {
    "user_id": ("user_id", "user", "userid", "customer_id", "customerid", "visitor_id", "visitorid"),
    "item_id": ("item_id", "item", "itemid", "product_id", "productid", "article_id", "movie_id", "movieid"),
    "type": ("type", "event_type", "event", "interaction_type", "event_name"),
    "timestamp": (
        *("timestamp", "time", "ts", "event_time", "event_timestamp", "event_date", "datetime", "date"),
        *("created_at", "occurred_at", "order_date", "purchase_date", "invoice_date", "invoicedate", "t_dat"),
    ),
    "value": ("value", "rating", "quantity"),
    "purchased": ("purchased",),
    "session_id": ("session_id", "session", "sessionid", "user_session"),
    "recommendation_id": ("recommendation_id",),
    "event_id": ("event_id",),
    "context": ("context",),
}
"""Field of an event → column names that are understood without being told, the first found wins."""

ITEM_NAMES: dict[str, tuple[str, ...]] = {
    "item_id": ("item_id", "item", "itemid", "product_id", "productid", "article_id", "movie_id", "id"),
    "title": ("title", "item_name", "name", "product_name", "prod_name", "movie_title"),
    "text": ("text", "description", "content", "detail_desc", "overview"),
    "categories": ("categories", "category", "genres", "genre", "topics", "product_category"),
    "available_from": ("available_from",),
    "available_until": ("available_until",),
    "in_stock": ("in_stock",),
    "hidden": ("hidden",),
    "vector": ("vector", "embedding"),
}
"""Field of an item → column names understood; every other column is an attribute."""


USER_NAMES: dict[str, tuple[str, ...]] = {"user_id": (*EVENT_NAMES["user_id"], "id")}
"""Field of a person → column names understood; every other column is an attribute."""

COMPOUND = "is a list or an object; write one row for each, with text or a number"
ONE_BY_ONE = (pl.Binary, pl.Duration, pl.Object)
"""Types of columns that cannot become text as a whole, beside lists and structures."""


def column_mapping(
    known: Mapping[str, Sequence[str]],
    names: Sequence[str],
    chosen: Mapping[str, str],
    *,
    required: Sequence[str],
    where: str,
) -> dict[str, str]:
    """Return field → column of the file: what was `chosen`, else the first recognized name.

    Raises `InvalidInputError` for a choice that cannot be and for a required field without a column;
    the message lists the columns there are and says how to choose one.
    """
    there = ", ".join(names) or "none"
    for field, column in chosen.items():
        if field not in known:
            raise InvalidInputError(
                f"there is no field {field!r}; fields are {', '.join(known)}", field="columns"
            )
        if column not in names:
            raise InvalidInputError(f"{where} has no column {column!r}; it has: {there}", field="columns")
    folded = {name.strip().lower().replace(" ", "_"): name for name in reversed(names)}
    free = {name for name in names if name not in chosen.values()}
    found = dict(chosen)
    for field, aliases in known.items():
        recognized = [folded[alias] for alias in aliases if folded.get(alias) in free]
        if field not in found and recognized:
            found[field] = recognized[0]
            free.discard(recognized[0])
    for field in required:
        if field not in found:
            raise InvalidInputError(
                f"{where} has no column for {field!r}; it has: {there}. Say which one it is with "
                f"--column {field}=NAME (in Python: columns={{{field!r}: NAME}})",
                field="columns",
            )
    return found


def others(names: Sequence[str], mapping: Mapping[str, str]) -> list[str]:
    """Return the columns that are no field, in order."""
    taken = frozenset(mapping.values())
    return [name for name in names if name not in taken]


def as_text(values: pl.Series | Sequence[Any]) -> pl.Series:
    """Return values as strings, the way they would be written in a CSV; empty ones are null.

    A whole number that is stored as a float, which is how an id column with gaps is often saved, is
    written without its decimals.
    """
    if not isinstance(values, pl.Series):
        return pl.Series([text_of(value) for value in values], dtype=pl.String)
    series = values
    if series.dtype.is_float():
        whole = series.is_finite() & (series == series.floor()) & (series.abs() < 2**53)
        integers = series.set(~whole.fill_null(value=False), None).cast(pl.Int64)
        decimals = series.fill_nan(None).cast(pl.String)
        series = integers.cast(pl.String).zip_with(whole.fill_null(value=False), decimals)
    elif series.dtype.is_nested() or series.dtype in ONE_BY_ONE:
        series = pl.Series([text_of(value) for value in series.to_list()], dtype=pl.String)
    elif series.dtype != pl.String:
        series = series.cast(pl.String)
    return series.set(series == "", None)


def is_compound(value: Any) -> bool:
    """Return whether a value is a list or an object, which is no id."""
    return isinstance(value, list | tuple | Mapping)


def id_of(value: Any, field: str, error: type[InvalidInputError]) -> str | None:
    """Return a value as an id is written. Raises `error` for a list or an object."""
    if is_compound(value):
        raise error(f"{field} {COMPOUND}", field=field)
    return text_of(value)


def text_of(value: Any) -> str | None:
    """Return one value as `as_text` does; bytes that are no UTF-8 become the replacement character."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if value is None or isinstance(value, str):
        return value or None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return str(value)

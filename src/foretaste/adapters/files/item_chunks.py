"""Rows as catalog items; what cannot be used is said with its reason."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import polars as pl

from foretaste.adapters.files.columns import ITEM_NAMES, as_text, column_mapping
from foretaste.adapters.files.rows import Reject, Rows, RowSource
from foretaste.adapters.files.timestamps import as_datetime, to_micros
from foretaste.domain.errors import InvalidItemError
from foretaste.domain.item import Attribute, Item
from foretaste.events.items import parse_item

CHUNK = 10_000
SEPARATOR = "|"
YES, NO = frozenset({"1", "true", "yes", "y"}), frozenset({"0", "false", "no", "n"})
EXACT_BELOW = 2**53
AVAILABILITY = ("available_from", "available_until")


@dataclass(frozen=True, slots=True)
class ItemChunk:
    """Some items of a file, and what was rejected."""

    items: list[Item]
    rejects: list[Reject]


def item_chunks(
    source: RowSource,
    columns: Mapping[str, str],
    where: str,
    *,
    separator: str = SEPARATOR,
    size: int = CHUNK,
) -> Iterator[ItemChunk]:
    """Return the items of `source` in pieces, in the order of the file.

    A column that is no field of an item becomes an attribute of that name. Categories are a list, or
    text split at `separator`. Raises `InvalidInputError` where the item's id has no column.
    """
    mapping = column_mapping(ITEM_NAMES, source.names(), columns, required=("item_id",), where=where)
    for rows in source.chunks(size):
        yield _items(rows, mapping, separator)


def _items(rows: Rows, mapping: Mapping[str, str], separator: str) -> ItemChunk:
    items: list[Item] = []
    rejects = list(rows.rejects)
    columns = {name: _values(column) for name, column in rows.columns.items()}
    for at, line in enumerate(rows.lines):
        row = {name: values[at] for name, values in columns.items()}
        try:
            items.append(_item(row, mapping, separator))
        except InvalidItemError as error:
            rejects.append(Reject(line=line, reason=error.message, row=row))
    return ItemChunk(items, sorted(rejects, key=lambda reject: reject.line))


def _values(column: pl.Series | list[Any]) -> list[Any]:
    return column.to_list() if isinstance(column, pl.Series) else column


def _item(row: Mapping[str, Any], mapping: Mapping[str, str], separator: str) -> Item:
    taken = set(mapping.values())
    given = {field: row[column] for field, column in mapping.items() if _there(row.get(column))}
    extra = {name: value for name, value in row.items() if name not in taken and _there(value)}
    nested = extra.pop("attributes", None)
    if isinstance(nested, Mapping):
        extra.update({str(name): value for name, value in nested.items() if _there(value)})
    plain = {name: _attribute(value) for name, value in extra.items()}
    fields: dict[str, Any] = {field: str(given[field]) for field in ("title", "text") if field in given}
    fields |= {field: _flag(given, field) for field in ("in_stock", "hidden") if field in given}
    fields |= {field: _moment(given, field) for field in AVAILABILITY if field in given}
    fields |= {"vector": given["vector"]} if "vector" in given else {}
    fields["categories"] = _categories(given.get("categories", ()), separator)
    fields["item_id"] = as_text([given.get("item_id")])[0]
    return parse_item({**fields, "attributes": plain})


def _there(value: Any) -> bool:
    return value is not None and value != "" and not (isinstance(value, float) and math.isnan(value))


def _categories(value: Any, separator: str) -> tuple[str, ...]:
    parts = value if isinstance(value, list | tuple) else str(value).split(separator)
    return tuple(dict.fromkeys(str(part).strip() for part in parts if part is not None and str(part).strip()))


def _attribute(value: Any) -> Any:
    """Return an attribute's value; text that is a number written the usual way becomes one."""
    if isinstance(value, str):
        return _number(value)
    if isinstance(value, list | tuple):
        return ", ".join(str(part) for part in value)
    if isinstance(value, Mapping):
        return msgspec.json.encode(value).decode()
    return value if isinstance(value, bool | int | float) else str(value)


def _number(text: str) -> Attribute:
    try:
        number = float(text)
    except ValueError:
        return text
    usual = text == repr(number) or (
        number.is_integer() and abs(number) < EXACT_BELOW and text == str(int(number))
    )
    return number if usual and math.isfinite(number) else text


def _moment(given: Mapping[str, Any], field: str) -> str:
    micros = to_micros(pl.Series([given[field]]))[0]
    if micros is None:
        raise InvalidItemError(f"{field} {given[field]!r} is not a moment", field=field)
    return as_datetime(int(micros)).isoformat()


def _flag(given: Mapping[str, Any], field: str) -> bool:
    text = str(as_text([given[field]])[0]).lower()
    if text not in YES | NO:
        raise InvalidItemError(f"{field} {given[field]!r} is neither true nor false", field=field)
    return text in YES

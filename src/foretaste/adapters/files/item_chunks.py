"""Rows as catalog items; what cannot be used is said with its reason."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from foretaste.adapters.files.cells import attribute_of, is_there, values_of
from foretaste.adapters.files.columns import ITEM_NAMES, column_mapping, id_of, others, text_of
from foretaste.adapters.files.rows import Pieces, Reject, Rows, RowSource
from foretaste.adapters.files.timestamps import as_datetime, to_micros
from foretaste.domain.errors import InvalidItemError
from foretaste.domain.item import Item
from foretaste.events.items import parse_item

CHUNK = 10_000
SEPARATOR = "|"
YES, NO = frozenset({"1", "true", "yes", "y"}), frozenset({"0", "false", "no", "n"})
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
) -> Pieces[ItemChunk]:
    """Return the items of `source` in pieces, in the order of the file.

    A column that is no field of an item becomes an attribute of that name. Categories are a list, or
    text split at `separator`. Raises `InvalidInputError` where the item's id has no column, at once.
    """
    names = source.names()
    mapping = column_mapping(ITEM_NAMES, names, columns, required=("item_id",), where=where)
    items = (_items(rows, mapping, separator) for rows in source.chunks(size))
    return Pieces(mapping, others(names, mapping), items)


def _items(rows: Rows, mapping: Mapping[str, str], separator: str) -> ItemChunk:
    items: list[Item] = []
    rejects = list(rows.rejects)
    columns = {name: values_of(column) for name, column in rows.columns.items()}
    for at, line in enumerate(rows.lines):
        row = {name: values[at] for name, values in columns.items()}
        try:
            items.append(_item(row, mapping, separator))
        except InvalidItemError as error:
            rejects.append(Reject(line=line, reason=error.message, row=row))
    return ItemChunk(items, sorted(rejects, key=lambda reject: reject.line))


def _item(row: Mapping[str, Any], mapping: Mapping[str, str], separator: str) -> Item:
    taken = set(mapping.values())
    given = {field: row[column] for field, column in mapping.items() if is_there(row.get(column))}
    extra = {name: value for name, value in row.items() if name not in taken and is_there(value)}
    nested = extra.pop("attributes", None)
    if isinstance(nested, Mapping):
        extra.update({str(name): value for name, value in nested.items() if is_there(value)})
    plain = {name: attribute_of(value) for name, value in extra.items()}
    fields: dict[str, Any] = {field: str(given[field]) for field in ("title", "text") if field in given}
    fields |= {field: _flag(given, field) for field in ("in_stock", "hidden") if field in given}
    fields |= {field: _moment(given, field) for field in AVAILABILITY if field in given}
    fields |= {"vector": given["vector"]} if "vector" in given else {}
    fields["categories"] = _categories(given.get("categories", ()), separator)
    fields["item_id"] = id_of(given.get("item_id"), "item_id", InvalidItemError)
    return parse_item({**fields, "attributes": plain})


def _categories(value: Any, separator: str) -> tuple[str, ...]:
    parts = value if isinstance(value, list | tuple) else str(value).split(separator)
    return tuple(dict.fromkeys(str(part).strip() for part in parts if part is not None and str(part).strip()))


def _moment(given: Mapping[str, Any], field: str) -> str:
    micros = to_micros(pl.Series([given[field]]))[0]
    if micros is None:
        raise InvalidItemError(f"{field} {given[field]!r} is not a moment", field=field)
    return as_datetime(int(micros)).isoformat()


def _flag(given: Mapping[str, Any], field: str) -> bool:
    text = str(text_of(given[field])).lower()
    if text not in YES | NO:
        raise InvalidItemError(f"{field} {given[field]!r} is neither true nor false", field=field)
    return text in YES

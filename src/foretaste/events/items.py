"""From what a client sent to an `Item`, or to an error that names the field and the remedy."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from foretaste.domain.errors import InvalidItemError
from foretaste.domain.item import Attribute, Item
from foretaste.events.moments import parse_moment
from foretaste.events.plain import plain
from foretaste.events.text import LONGEST_ID, checked_id, checked_text
from foretaste.events.vectors import packed_vector

TITLE_BYTES, TEXT_BYTES, ATTRIBUTE_BYTES = 1024, 65_536, 4096
MOST_CATEGORIES, MOST_ATTRIBUTES = 64, 128
SEPARATOR = "|"

OTHER_NAMES = {
    "id": "item_id",
    "item_name": "title",
    "name": "title",
    "description": "text",
    "category": "categories",
    "genres": "categories",
    "embedding": "vector",
}
"""Names of fields met elsewhere; ours wins where both are given, and the other is an attribute then."""

_FIELDS = frozenset(Item.__struct_fields__)
_decoder = msgspec.json.Decoder(dict[str, Any])


def parse_item(raw: Mapping[str, Any] | bytes | str | msgspec.Raw, *, item_id: str | None = None) -> Item:
    """Check one item, given as a mapping or as JSON text; `item_id` is the one that the address names.

    `categories` is a list of texts or one text with `|` between them, `vector` a list of numbers (see
    `packed_vector`). What is no field of an item becomes an attribute: text, a finite number or a boolean;
    null is as good as absent.

    Raises `InvalidItemError`.
    """
    fields, attributes = _sorted(_decoded(raw))
    given = fields.get("item_id", item_id)
    if isinstance(given, bool) or not isinstance(given, str | int | None):
        raise InvalidItemError("item_id must be text", field="item_id")
    checked = checked_id(given, "item_id", InvalidItemError)
    if item_id is not None and checked != item_id:
        raise InvalidItemError(f"item_id {checked!r} is not the {item_id!r} of the address", field="item_id")
    return Item(
        item_id=checked,
        title=_text(fields, "title", TITLE_BYTES),
        text=_text(fields, "text", TEXT_BYTES),
        categories=_categories(fields.get("categories", ())),
        attributes=_attributes(attributes),
        available_from=_moment(fields, "available_from"),
        available_until=_moment(fields, "available_until"),
        in_stock=_flag(fields, "in_stock", usual=True),
        hidden=_flag(fields, "hidden", usual=False),
        vector=packed_vector(fields["vector"]) if "vector" in fields else b"",
    )


def _decoded(raw: Mapping[str, Any] | bytes | str | msgspec.Raw) -> Mapping[str, Any]:
    if isinstance(raw, Mapping):
        return raw
    if not isinstance(raw, bytes | str | msgspec.Raw):
        raise InvalidItemError(f"an item must be an object with the field item_id, not {type(raw).__name__}")
    try:
        return _decoder.decode(raw)
    except msgspec.ValidationError as error:
        raise InvalidItemError("an item must be an object with the field item_id") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidItemError(f"the item is not valid JSON: {error}") from error
    except RecursionError as error:
        raise InvalidItemError("the item is nested too deeply; its fields are plain values") from error


def _sorted(raw: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the fields of an item that are given, and all the rest."""
    fields: dict[str, Any] = {}
    rest: dict[str, Any] = {}
    for name, value in raw.items():
        if value is None:
            continue
        ours = OTHER_NAMES.get(name, name)
        if ours in _FIELDS and (ours == name or (raw.get(ours) is None and ours not in fields)):
            fields[ours] = plain(value)
        else:
            rest[name] = plain(value)
    nested = fields.pop("attributes", {})
    if not isinstance(nested, Mapping):
        raise InvalidItemError("attributes must be an object of names and values", field="attributes")
    return fields, rest | {name: plain(value) for name, value in nested.items() if value is not None}


def _text(fields: Mapping[str, Any], field: str, most_bytes: int) -> str:
    value = fields.get(field, "")
    if not isinstance(value, str):
        raise InvalidItemError(f"{field} must be text, not {type(value).__name__}", field=field)
    return checked_text(value, field, most_bytes, InvalidItemError)


def _categories(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        value = value.split(SEPARATOR)
    if not isinstance(value, Sequence) or not all(isinstance(part, str) for part in value):
        raise InvalidItemError(
            "categories must be a list of texts, or one text with | between them", field="categories"
        )
    if len(value) > MOST_CATEGORIES:
        raise InvalidItemError(
            f"{len(value)} categories are given; at most {MOST_CATEGORIES} are allowed", field="categories"
        )
    named = dict.fromkeys(part.strip() for part in value if part.strip())
    return tuple(checked_text(part, "categories", LONGEST_ID, InvalidItemError) for part in named)


def _attributes(values: Mapping[str, Any]) -> dict[str, Attribute]:
    if len(values) > MOST_ATTRIBUTES:
        raise InvalidItemError(
            f"{len(values)} attributes are given; at most {MOST_ATTRIBUTES} are allowed", field="attributes"
        )
    return {name: _attribute(name, value) for name, value in values.items()}


def _attribute(name: str, value: Any) -> Attribute:
    if not isinstance(name, str):
        raise InvalidItemError("the name of an attribute must be text", field="attributes")
    checked_text(name, "the name of an attribute", LONGEST_ID, InvalidItemError)
    if isinstance(value, str):
        return checked_text(value, name, ATTRIBUTE_BYTES, InvalidItemError)
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return _number(name, value)
    raise InvalidItemError(
        f"{name} must be text, a number or a boolean, not {type(value).__name__}; "
        "several values of one kind belong into categories",
        field=name,
    )


def _number(name: str, value: float) -> float:
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise InvalidItemError(f"{name} must be a finite number; leave it out if there is none", field=name)
    return number


def _moment(fields: Mapping[str, Any], field: str) -> int | None:
    value = fields.get(field)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise InvalidItemError(f"{field} must be ISO 8601 or a number since 1970", field=field)
    try:
        return parse_moment(value)
    except ValueError as error:
        raise InvalidItemError(f"{field} {error}", field=field) from error


def _flag(fields: Mapping[str, Any], field: str, *, usual: bool) -> bool:
    value = fields.get(field, usual)
    if not isinstance(value, bool):
        raise InvalidItemError(f"{field} must be true or false", field=field)
    return value

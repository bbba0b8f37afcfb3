"""What is told about a person: checked and brought into one form."""

import math
from collections.abc import Mapping
from typing import Any

from foretaste.domain.errors import InvalidInputError
from foretaste.domain.item import Attribute
from foretaste.events.text import checked_text

MOST_ATTRIBUTES = 32
LONGEST_NAME, LONGEST_TEXT = 64, 256


def parse_attributes(user_id: str, raw: Mapping[str, Any]) -> dict[str, Attribute]:
    """Return the attributes of a person; those that are None are left out.

    Raises `InvalidInputError`, naming the attribute, for more than 32, for names that are no text of 1 to 64
    characters, and for values that are no text of at most 256 characters, finite number or truth value.
    """
    found: dict[str, Attribute] = {}
    for name, value in raw.items():
        if value is None:
            continue
        if not _can_name(name):
            raise InvalidInputError(
                f"user {user_id!r}: {name!r} cannot name an attribute: 1 to 64 characters, no =",
                field="attributes",
            )
        checked_text(name, "the name of an attribute", 4 * LONGEST_NAME, InvalidInputError)
        found[name] = _value(user_id, name, value)
    if len(found) > MOST_ATTRIBUTES:
        raise InvalidInputError(
            f"user {user_id!r} has {len(found)} attributes; at most {MOST_ATTRIBUTES} are kept",
            field="attributes",
        )
    return found


def _can_name(name: object) -> bool:
    return isinstance(name, str) and 0 < len(name) <= LONGEST_NAME and "=" not in name


def _number(value: float) -> float:
    """Return a number as a float, infinite where it is too large to be one."""
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _value(user_id: str, name: str, value: object) -> Attribute:
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float) and math.isfinite(number := _number(value)):
        return number
    if isinstance(value, str) and len(value) <= LONGEST_TEXT:
        return checked_text(value, name, 4 * LONGEST_TEXT, InvalidInputError)
    raise InvalidInputError(
        f"user {user_id!r}: {name} must be a text of at most {LONGEST_TEXT} characters, a number, true "
        "or false",
        field=name,
    )

"""Cells of a row: whether one says anything, and what it says as an attribute."""

import math
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec
import polars as pl

from foretaste.domain.item import Attribute

EXACT_BELOW = 2**53
_DECIMAL = re.compile(r"\s*-?(0|[1-9]\d*)(\.\d+)?\s*", re.ASCII)
"""A number as people and databases write it; with zeros in front it is a code."""


def values_of(column: pl.Series | list[Any]) -> list[Any]:
    """Return a column's values."""
    return column.to_list() if isinstance(column, pl.Series) else column


def is_there(value: Any) -> bool:
    """Return whether a cell says anything."""
    return value is not None and value != "" and not (isinstance(value, float) and math.isnan(value))


def attribute_of(value: Any) -> Any:
    """Return an attribute's value; decimals are numbers, and so is text that is one, as `18.50`.

    Text with zeros in front, as `007`, and whole numbers too large to be exact are codes and stay text.
    """
    if isinstance(value, str):
        return _number(value)
    if isinstance(value, Decimal) and value.is_finite():
        return float(value)
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
    written = _DECIMAL.fullmatch(text)
    exact = "." in text or abs(number) < EXACT_BELOW
    usual = text == repr(number) or (written is not None and exact)
    return number if usual and math.isfinite(number) else text

"""One attribute of all items as a column of codes, for filters."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from foretaste.domain.arrays import Mask, Ordinals
from foretaste.domain.item import Attribute, Item

_COMPARED = 8
"""Up to so many values, comparing the column with each is faster than looking each row up."""


@dataclass(frozen=True, slots=True, eq=False)
class AttributeColumn:
    """The values of one attribute: `code` int32 [n_items], -1 where an item lacks it; `codes` value → code.

    Values are kept in canonical text, so that the text of a query finds numbers and booleans as well.
    """

    codes: Mapping[str, int]
    code: Ordinals

    def having(self, values: Sequence[str]) -> Mask:
        """Return which items have one of `values`, bool [n_items]."""
        keys = {key for value in values for key in spellings(value)}
        codes = [self.codes[key] for key in keys if key in self.codes]
        if len(codes) <= _COMPARED:
            mask = np.zeros(len(self.code), np.bool_)
            for code in codes:
                mask |= self.code == code
            return mask
        wanted = np.zeros(len(self.codes) + 1, np.bool_)
        wanted[codes] = True
        return np.asarray(wanted[self.code])

    def replaced(self, n_items: int, changes: Iterable[tuple[int, Attribute | None]]) -> "AttributeColumn":
        """Return a column of `n_items` (not fewer than now) with new values for the items of `changes`."""
        codes = dict(self.codes)
        code = np.full(n_items, -1, np.int32)
        code[: len(self.code)] = self.code
        for ordinal, value in changes:
            code[ordinal] = -1 if value is None else codes.setdefault(canonical(value), len(codes))
        return AttributeColumn(codes, code)


def attribute_column(name: str, items: Sequence[Item | None]) -> AttributeColumn:
    """Return the column of attribute `name` over `items`."""
    values = ((ordinal, item.attributes.get(name)) for ordinal, item in enumerate(items) if item is not None)
    return AttributeColumn({}, np.empty(0, np.int32)).replaced(len(items), values)


def canonical(value: Attribute) -> str:
    """Return the one text that an attribute's value is known by."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else repr(float(value))


def spellings(text: str) -> set[str]:
    """Return the canonical texts that a query's `text` may mean."""
    found = {text}
    if text.casefold() in {"true", "false"}:
        found.add(text.casefold())
    with suppress(ValueError):
        found.add(repr(float(text)))
    return found

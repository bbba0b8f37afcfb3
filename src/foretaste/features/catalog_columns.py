"""The catalog as columns addressed by item ordinal: a fold of the catalog's changes."""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Self

import numpy as np

from foretaste.domain.arrays import Int64s, Mask, Micros, Ordinals
from foretaste.domain.item import CatalogEntry, Item
from foretaste.features.attribute_column import AttributeColumn, attribute_column
from foretaste.features.category_table import CategoryTable, no_categories, single_values
from foretaste.features.expressions.kinds import Kind, Schema, kind_of_type
from foretaste.features.kept_arrays import KeptArrays
from foretaste.features.typed_column import TypedColumn, typed_column, value_of

CATEGORY = "category"
GROUPINGS = frozenset({"product_group", "product_type"})
"""Attributes that shops keep either as an attribute or as one of the categories: a filter finds both."""

_ALWAYS_FROM = np.iinfo(np.int64).min
_ALWAYS_UNTIL = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True, eq=False)
class CatalogColumns:
    """One version of the catalog; `apply` returns the next one and leaves this one as it is.

    `items` holds the item of each ordinal, None where it was deleted (`deleted` is true) or where the
    ordinal is known from events only. Such an item without an entry is available, but has no title, no
    category and no attribute. All arrays have `n_items` rows; nobody may write to them.
    """

    version: int
    items: Sequence[Item | None]
    deleted: Mask
    shown: Mask
    """Neither deleted, hidden nor out of stock."""
    available_from: Micros
    available_until: Micros
    categories: CategoryTable
    schema: Schema
    """Every attribute that an item has, or had in an earlier version, and the kinds of its values."""
    kept: KeptArrays = field(default_factory=KeptArrays)
    """What was computed of this version alone."""
    _attributes: dict[str, AttributeColumn] = field(default_factory=dict)
    _typed: dict[str, TypedColumn] = field(default_factory=dict)
    _span: list[tuple[int, int, Mask]] = field(default_factory=list, init=False)

    @classmethod
    def empty(cls) -> Self:
        """Return the catalog that was never written: version 0, no items."""
        return cls(
            version=0,
            items=[],
            deleted=np.empty(0, np.bool_),
            shown=np.empty(0, np.bool_),
            available_from=np.empty(0, np.int64),
            available_until=np.empty(0, np.int64),
            categories=no_categories(),
            schema=Schema({}),
        )

    @classmethod
    def of(cls, items: Sequence[Item | None]) -> Self:
        """Return version 1 of a catalog in which `items[i]` has ordinal i (None: no entry)."""
        entries = [
            CatalogEntry(ordinal=ordinal, version=1, item=item)
            for ordinal, item in enumerate(items)
            if item is not None
        ]
        return cls.empty().apply(entries, n_items=len(items))

    @property
    def n_items(self) -> int:
        """How many ordinals the columns cover; higher ones, known from events only, are available."""
        return len(self.items)

    @property
    def attribute_names(self) -> AbstractSet[str]:
        """Every attribute that an item has, or had in an earlier version."""
        return self.schema.kinds.keys()

    @property
    def category_names(self) -> tuple[str, ...]:
        """The name of each category code."""
        return self.categories.names

    @property
    def category_start(self) -> Int64s:
        """Where each item's categories start in `category_codes`, then where the last end; int64 [n + 1]."""
        return self.categories.start

    @property
    def category_codes(self) -> Ordinals:
        """The category codes of all items after one another, int32; see `category_start`."""
        return self.categories.code

    @property
    def main_category(self) -> Ordinals:
        """The code of each item's main category, int32 [n_items], -1 where it has none."""
        return self.categories.main

    @property
    def titles(self) -> list[str]:
        """The title of each item, empty where there is none."""
        return [item.title if item is not None else "" for item in self.items]

    @property
    def texts(self) -> list[str]:
        """Title and text of each item, one after the other; empty where there is none."""
        return [f"{item.title} {item.text}".strip() if item is not None else "" for item in self.items]

    def item(self, ordinal: int) -> Item | None:
        """Return the item of an ordinal, None where the catalog has none."""
        return self.items[ordinal] if 0 <= ordinal < len(self.items) else None

    def available(self, now: int, n_items: int | None = None) -> Mask:
        """Return what may be shown at `now` (microseconds), bool [`n_items`, by default as many as here].

        Never true for what is deleted, hidden, sold out, not yet or no longer available.
        """
        return self.available_to_all(now, self.n_items if n_items is None else n_items).copy()

    def available_among(self, items: Ordinals, now: int) -> Mask:
        """Return `available` of `items` alone, bool [len(items)]."""
        able = np.ones(len(items), np.bool_)
        known = np.flatnonzero(items < self.n_items)
        rows = items[known]
        able[known] = (
            self.shown[rows] & (self.available_from[rows] <= now) & (now < self.available_until[rows])
        )
        return able

    def available_to_all(self, now: int, n_items: int) -> Mask:
        """Return `available`, the same array until it changes; nobody may write to it."""
        first, end, mask = self._span[0] if self._span else (0, 0, self.shown)
        if not first <= now < end or len(mask) != n_items:
            mask = self.shown & (self.available_from <= now) & (now < self.available_until)
            mask = _resized(mask, n_items, fill=True)
            self._span[:] = [(*self._unchanging(now), mask)]
        return mask

    def mask(self, attribute: str, values: Sequence[str], n_items: int | None = None) -> Mask:
        """Return which items have one of `values`, bool [`n_items`, by default as many as here].

        `attribute` is `category` (any of an item's categories counts) or the name of an attribute;
        `product_group` and `product_type` match the attribute of that name or any category. Numbers and
        booleans are found by their text. Items without an entry match nothing.
        """
        if attribute == CATEGORY:
            mask = self.categories.having(values)
        elif attribute in GROUPINGS:
            mask = self._having(attribute, values) | self.categories.having(values)
        else:
            mask = self._having(attribute, values)
        return _resized(mask, n_items, fill=False)

    def typed(self, name: str, rows: Ordinals | None = None) -> TypedColumn:
        """Return the values of an attribute, or of `title` or `item_id`, of all items or of `rows`.

        Of rows alone it costs as little as they are few, also where the column was never asked for before.
        """
        column = self._typed.get(name)
        if rows is not None:
            few = [self.item(ordinal) for ordinal in rows.tolist()] if column is None else ()
            return typed_column(name, few) if column is None else column.at(rows)
        if column is None:
            column = self._typed[name] = typed_column(name, self.items)
        return column

    def apply(self, entries: Sequence[CatalogEntry], n_items: int = 0) -> Self:
        """Return the catalog after `entries`, as `Catalog.changes` gives them; known ones change nothing.

        `n_items` asks for at least so many ordinals. Costs a copy of the columns, whatever the number
        of entries.
        """
        new = {entry.ordinal: entry.item for entry in entries if entry.version > self.version}
        n_items = max(self.n_items, n_items, 1 + max(new, default=-1))
        if not new and n_items == self.n_items:
            return self
        items = [*self.items, *[None] * (n_items - self.n_items)]
        deleted = _resized(self.deleted, n_items, fill=False)
        shown = _resized(self.shown, n_items, fill=True)
        start = _grown(self.available_from, n_items, _ALWAYS_FROM)
        until = _grown(self.available_until, n_items, _ALWAYS_UNTIL)
        for ordinal, item in new.items():
            items[ordinal] = item
            deleted[ordinal] = item is None
            shown[ordinal] = item is not None and item.in_stock and not item.hidden
            start[ordinal] = _or(item.available_from if item else None, _ALWAYS_FROM)
            until[ordinal] = _or(item.available_until if item else None, _ALWAYS_UNTIL)
        return type(self)(
            version=max([self.version, *(entry.version for entry in entries)]),
            items=items,
            deleted=deleted,
            shown=shown,
            available_from=start,
            available_until=until,
            categories=self.categories.replaced(
                n_items, {ordinal: item.categories if item else () for ordinal, item in new.items()}
            ),
            schema=self.schema.widened(_kinds_of(new.values())),
            _attributes=self._next_attributes(new, n_items),
            _typed={
                name: column.replaced(n_items, ((at, value_of(item, name)) for at, item in new.items()))
                for name, column in list(self._typed.items())
            },
        )

    def _unchanging(self, now: int) -> tuple[int, int]:
        """Return the stretch of time around `now`, its end excluded, in which nothing comes or goes."""
        changes = np.concatenate((self.available_from, self.available_until))
        past = changes[changes <= now].max(initial=_ALWAYS_FROM)
        return int(past), int(changes[changes > now].min(initial=_ALWAYS_UNTIL))

    def grouped(self, attribute: str) -> CategoryTable | None:
        """Return the values of an attribute, or the categories for `category`; None where no item has it.

        Nobody may write to it: it is kept for the next who asks the same of this version of the catalog.
        """
        if attribute == CATEGORY:
            return self.categories
        column = self._column(attribute)
        if column is None:
            return None
        return self.kept.get(
            ("grouped", attribute),
            lambda: single_values(column.codes, column.code),
            lambda table: [table.start, table.code],
        )

    def _having(self, attribute: str, values: Sequence[str]) -> Mask:
        column = self._column(attribute)
        return np.zeros(self.n_items, np.bool_) if column is None else column.having(values)

    def _column(self, attribute: str) -> AttributeColumn | None:
        if attribute not in self.attribute_names:  # so that made-up names do not fill the cache
            return None
        column = self._attributes.get(attribute)
        if column is None:
            column = self._attributes[attribute] = attribute_column(attribute, self.items)
        return column

    def _next_attributes(self, new: Mapping[int, Item | None], n_items: int) -> dict[str, AttributeColumn]:
        return {
            name: column.replaced(
                n_items,
                ((ordinal, item.attributes.get(name) if item else None) for ordinal, item in new.items()),
            )
            for name, column in list(self._attributes.items())
        }


def _kinds_of(items: Iterable[Item | None]) -> dict[str, frozenset[Kind]]:
    seen = {
        (name, type(value)) for item in items if item is not None for name, value in item.attributes.items()
    }
    found: dict[str, frozenset[Kind]] = {}
    for name, kind in seen:
        found[name] = found.get(name, frozenset()) | {kind_of_type(kind)}
    return found


def _or(value: int | None, default: int) -> int:
    return default if value is None else value


def _grown(values: Int64s, length: int, fill: int) -> Int64s:
    grown = np.full(length, fill, np.int64)
    grown[: len(values)] = values
    return grown


def _resized(mask: Mask, length: int | None, *, fill: bool) -> Mask:
    """Return a copy of `mask` with `length` rows, new ones being `fill`."""
    if length is None or length == len(mask):
        return mask.copy()
    resized = np.full(length, fill, np.bool_)
    resized[: len(mask)] = mask[:length]
    return resized

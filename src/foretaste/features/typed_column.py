"""One attribute of all items as arrays, each kind of value in its own."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foretaste.domain.arrays import Doubles, Int8s, Int64s, Ordinals
from foretaste.domain.item import Attribute, Item


@dataclass(frozen=True, slots=True, eq=False)
class TextColumn:
    """Texts by code: `code` int32 [n_items], -1 where an item has no text.

    `values` has the text of a code, `index` the code of a text.
    """

    index: Mapping[str, int]
    values: Sequence[str]
    code: Ordinals


@dataclass(frozen=True, slots=True, eq=False)
class TypedColumn:
    """The values of one attribute; a part is None where no item has a value of its kind.

    `number` float64 [n_items], NaN where an item has no number; `truth` int8, 1, 0 or -1 for none; `text`.
    """

    n_items: int
    number: Doubles | None = None
    truth: Int8s | None = None
    text: TextColumn | None = None

    def at(self, rows: Ordinals) -> "TypedColumn":
        """Return the column of the items with these ordinals; those beyond have no value."""
        inside = (rows >= 0) & (rows < self.n_items)
        place = np.where(inside, rows, 0)
        if not self.n_items:
            return TypedColumn(len(rows))
        text = None
        if self.text is not None:
            code = np.where(inside, self.text.code[place], -1).astype(np.int32)
            text = TextColumn(self.text.index, self.text.values, code)
        return TypedColumn(
            len(rows),
            None if self.number is None else np.where(inside, self.number[place], np.nan),
            None if self.truth is None else np.where(inside, self.truth[place], -1).astype(np.int8),
            text,
        )

    def replaced(self, n_items: int, changes: Iterable[tuple[int, Attribute | None]]) -> "TypedColumn":
        """Return a column of `n_items` (not fewer than now) with new values for the items of `changes`."""
        new = dict(changes)
        if not new and n_items == self.n_items:
            return self
        changed = np.fromiter(new, np.int64, len(new))
        numbers = {at: value for at, value in new.items() if isinstance(value, int | float)}
        truths = {at: value for at, value in numbers.items() if isinstance(value, bool)}
        texts = {at: value for at, value in new.items() if isinstance(value, str)}
        for at in truths:
            del numbers[at]
        number, truth = self.number, self.truth
        if number is not None or numbers:
            number = _grown(number, n_items, np.float64, np.nan)
            number[changed] = np.nan
            number[list(numbers)] = list(numbers.values())
        if truth is not None or truths:
            truth = _grown(truth, n_items, np.int8, -1)
            truth[changed] = -1
            truth[list(truths)] = list(truths.values())
        return TypedColumn(n_items, number, truth, _texts(self.text, n_items, changed, texts))


def typed_column(name: str, items: Sequence[Item | None]) -> TypedColumn:
    """Return the column of `name`, an attribute or `title` or `item_id`, over `items`."""
    values = ((at, value_of(item, name)) for at, item in enumerate(items) if item is not None)
    present = ((at, value) for at, value in values if value is not None)
    return TypedColumn(0).replaced(len(items), present)


def value_of(item: Item | None, name: str) -> Attribute | None:
    """Return what an item has under a name: a field of its own or else an attribute; None for nothing."""
    if item is None:
        return None
    if name == "item_id":
        return item.item_id
    if name == "title":
        return item.title or None
    return item.attributes.get(name)


def _texts(
    old: TextColumn | None, n_items: int, changed: Int64s, new: Mapping[int, str]
) -> TextColumn | None:
    if old is None and not new:
        return None
    code = _grown(None if old is None else old.code, n_items, np.int32, -1)
    code[changed] = -1
    index: Mapping[str, int] = {} if old is None else old.index
    values: Sequence[str] = [] if old is None else old.values
    unknown = [value for value in dict.fromkeys(new.values()) if value not in index]
    if unknown:
        values = [*values, *unknown]
        index = {**index, **{value: len(index) + place for place, value in enumerate(unknown)}}
    code[list(new)] = [index[value] for value in new.values()]
    return TextColumn(index, values, code)


def _grown(values: NDArray[Any] | None, length: int, kind: type, fill: float) -> NDArray[Any]:
    grown: NDArray[Any] = np.full(length, fill, kind)
    if values is not None:
        grown[: len(values)] = values
    return grown

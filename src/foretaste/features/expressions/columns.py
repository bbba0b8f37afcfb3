"""What the items of a request have, as arrays: of the whole catalog or of some rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foretaste.domain.arrays import Doubles, Int8s, Mask, Ordinals
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.features.typed_column import TypedColumn

_NEVER = np.iinfo(np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Texts:
    """A text for each row: `values[code]`, or none where `code` is -1; `values` may hold a text twice.

    `index`, where there is one, gives the only code of a text.
    """

    values: Sequence[str]
    code: Ordinals
    index: Mapping[str, int] | None = None


class Columns:
    """The items with ordinals below `length`, or those of `rows`; one beyond the catalog has nothing."""

    def __init__(self, catalog: CatalogColumns, length: int, rows: Ordinals | None = None) -> None:
        self.catalog = catalog
        self.rows = rows
        self.length = length if rows is None else len(rows)

    def numbers(self, name: str) -> Doubles | None:
        """Return the numbers of an attribute, NaN where there is none; None where no item has any."""
        column = self._typed(name)
        return None if column.number is None else self._fitted(column.number, np.nan)

    def truths(self, name: str) -> Int8s | None:
        """Return the truth values of an attribute: 1, 0, or -1 for none; None where no item has any."""
        column = self._typed(name)
        return None if column.truth is None else self._fitted(column.truth, -1)

    def texts(self, name: str) -> Texts | None:
        """Return the texts of an attribute; None where no item has any."""
        text = self._typed(name).text
        return None if text is None else Texts(text.values, self._fitted(text.code, -1), text.index)

    def available(self, name: str) -> Doubles:
        """Return `available_from` or `available_until` in microseconds, NaN where it is not given."""
        catalog = self.catalog
        values = catalog.available_from if name == "available_from" else catalog.available_until
        given = (values != _NEVER.min) & (values != _NEVER.max)
        return self._placed(np.where(given, values, np.nan), np.nan)

    def categorized(self) -> Mask:
        """Return which items have a category."""
        return self._placed(self.catalog.main_category >= 0, fill=False)

    def in_categories(self, names: Sequence[str]) -> Mask:
        """Return which items have one of these categories."""
        return self._placed(self.catalog.categories.having(names), fill=False)

    def _typed(self, name: str) -> TypedColumn:
        return self.catalog.typed(name, self.rows)

    def _fitted(self, values: NDArray[Any], fill: float) -> NDArray[Any]:
        """Return values of a typed column, which for `rows` are those of the rows already."""
        return values if self.rows is not None else self._placed(values, fill)

    def _placed(self, values: NDArray[Any], fill: float) -> NDArray[Any]:
        known = len(values)
        if self.rows is None:
            if self.length <= known:
                return values[: self.length]
            placed = np.full(self.length, fill, values.dtype)
            placed[:known] = values
            return placed
        if not known:
            return np.full(len(self.rows), fill, values.dtype)
        inside = (self.rows >= 0) & (self.rows < known)
        return np.asarray(np.where(inside, values[np.where(inside, self.rows, 0)], fill).astype(values.dtype))

"""What may be in an answer at all: applied before any source chooses."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from foretaste.domain.arrays import Mask, Ordinals
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.features.state import Tally


def passing(
    catalog: CatalogColumns,
    n_items: int,
    filters: Mapping[str, Sequence[str]],
    exclude: Mapping[str, Sequence[str]],
) -> Mask | None:
    """Return which items have one of the allowed values of every filter and no forbidden one, bool [n_items].

    None where there is neither a filter nor an exclusion.
    """
    mask: Mask | None = None
    for attribute, values in filters.items():
        having = catalog.mask(attribute, values, n_items)
        mask = having if mask is None else mask & having
    for attribute, values in exclude.items():
        lacking = ~catalog.mask(attribute, values, n_items)
        mask = lacking if mask is None else mask & lacking
    return mask


def consumed(tally: Tally, types: Collection[str], type_names: Sequence[str]) -> Ordinals:
    """Return the items of `tally` that the person has an event of one of `types` with, int32."""
    done = np.array([name in types for name in type_names], np.bool_)
    return np.asarray(tally.item[done[tally.type]])


def without(mask: Mask, items: Ordinals) -> None:
    """Clear `mask` in place at `items`; ordinals outside of it (-1 for unknown) mean nothing."""
    mask[items[(items >= 0) & (items < len(mask))]] = False

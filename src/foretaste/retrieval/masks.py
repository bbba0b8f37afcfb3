"""What may be in an answer at all: applied before any source chooses."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from foretaste.domain.arrays import Mask, Ordinals
from foretaste.domain.kernel import kernel
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.features.state import Tally

MOST_LISTED = 32
"""The items that pass so many filters are kept as lists."""


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Passing:
    """What passes a filter among what can be shown to anybody: `shown` bool [n_items], `items` int32, rising.

    It is the same object as long as `mask`, what passes, and `available` are.
    """

    mask: Mask
    available: Mask
    shown: Mask
    items: Ordinals


def listed(mask: Mask, available: Mask, kept: dict[Any, Any]) -> Passing:
    """Return what passes, listed; it is kept in `kept` for the next who asks."""
    found: Passing | None = kept.get((Passing, id(mask)))
    if found is None or found.mask is not mask or found.available is not available:
        shown = mask & available
        items = np.flatnonzero(shown).astype(np.int32)
        found = kept[Passing, id(mask)] = Passing(mask, available, shown, items)
        lists = [key for key in kept if isinstance(key, tuple) and key[0] is Passing]
        if len(lists) > MOST_LISTED:
            del kept[lists[0]]
    return found


def passing(
    catalog: CatalogColumns,
    n_items: int,
    filters: Mapping[str, Sequence[str]],
    exclude: Mapping[str, Sequence[str]],
) -> Mask | None:
    """Return which items have one of the allowed values of every filter and no forbidden one, bool [n_items].

    None where there is neither a filter nor an exclusion. Nobody may write to it: it is kept for the next who
    asks the same of this version of the catalog.
    """
    if not filters and not exclude:
        return None
    asked = ("passing", n_items, _fixed(filters), _fixed(exclude))
    return catalog.kept.get(asked, lambda: _passing(catalog, n_items, filters, exclude), lambda mask: [mask])


def _fixed(values: Mapping[str, Sequence[str]]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple((attribute, tuple(wanted)) for attribute, wanted in values.items())


def _passing(
    catalog: CatalogColumns,
    n_items: int,
    filters: Mapping[str, Sequence[str]],
    exclude: Mapping[str, Sequence[str]],
) -> Mask:
    mask = np.ones(n_items, np.bool_)
    for attribute, values in filters.items():
        mask &= catalog.mask(attribute, values, n_items)
    for attribute, values in exclude.items():
        mask &= ~catalog.mask(attribute, values, n_items)
    return mask


def consumed(tally: Tally, types: Collection[str], type_names: Sequence[str]) -> Ordinals:
    """Return the items of `tally` that the person has an event of one of `types` with, int32."""
    done = np.array([name in types for name in type_names], np.bool_)
    return np.asarray(tally.item[done[tally.type]])


@kernel
def without(mask: Mask, items: Ordinals) -> None:
    """Clear `mask` in place at `items`; ordinals outside of it (-1 for unknown) mean nothing."""
    for item in items:
        if 0 <= item < len(mask):
            mask[item] = False


def shown_of(
    available: Mask, left_out: Ordinals, passes: Mask | None, excluded: Ordinals
) -> tuple[Mask, Mask, int]:
    """Return `available` without what is `left_out`, and what `passes` of that and is not `excluded`.

    That is two masks, bool [n_items], the same object where nothing narrows, and how many items less the
    second one has.
    """
    usual = available.copy()
    without(usual, left_out)
    if passes is None and not len(excluded):
        return usual, usual, 0
    allowed = usual.copy() if passes is None else usual & passes
    if len(excluded):
        without(allowed, excluded)
    return usual, allowed, int(np.count_nonzero(usual) - np.count_nonzero(allowed))

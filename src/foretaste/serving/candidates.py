"""Candidates that a client brings along: known by id, or new and as the client describes them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import overload

import msgspec
import numpy as np

from foretaste.domain.arrays import Ordinals
from foretaste.domain.errors import InvalidQueryError
from foretaste.domain.item import CatalogEntry, Item
from foretaste.models.guests import Guests
from foretaste.pipeline.view import View

MOST_CANDIDATES = 1000


@dataclass(frozen=True, slots=True, eq=False)
class Brought:
    """The view with what it does not know of the candidates as its guests, and all their ordinals, each once.

    `shown` is the same view with the guests in its catalog, as they are presented. Items from ordinal
    `first_new` on exist in these views alone. `left_out` counts candidates that may not be shown.
    """

    view: View
    shown: View
    items: Ordinals
    first_new: int
    left_out: int


def brought(view: View, candidates: Sequence[Item], known: Ordinals, now: int) -> Brought:
    """Return `view` with `candidates`, whose ordinals are `known` (-1 for a new one).

    The catalog's word counts for an item that it has; it is left out where it is deleted, hidden or not
    available. An item that the catalog lacks is read as it was given, for this answer only.

    Raises `InvalidQueryError` for no candidates or more than `MOST_CANDIDATES`.
    """
    if not 0 < len(candidates) <= MOST_CANDIDATES:
        raise InvalidQueryError(
            f"candidates must be from 1 to {MOST_CANDIDATES} items, not {len(candidates)}", field="candidates"
        )
    first_new = max(len(view.item_names), view.catalog.n_items)
    ordinals: dict[str, int] = {}
    added: list[CatalogEntry] = []
    new: list[str] = []
    for item, found in zip(candidates, known.tolist(), strict=True):
        if item.item_id in ordinals:
            continue
        ordinal = found if found >= 0 else first_new + len(new)
        ordinals[item.item_id] = ordinal
        if found < 0:
            new.append(item.item_id)
        if found < 0 or (view.catalog.item(found) is None and not _deleted(view, found)):
            added.append(CatalogEntry(ordinal=ordinal, version=view.catalog.version + 1, item=item))
    shown = view
    if added:
        view = msgspec.structs.replace(view, guests=_guests(added))
        catalog = replace(view.catalog.apply(added), version=view.catalog.version)
        shown = msgspec.structs.replace(
            view, catalog=catalog, item_names=_Names(view.item_names, first_new, new)
        )
    items = np.fromiter(ordinals.values(), np.int32, len(ordinals))
    able = shown.catalog.available_among(items, now)
    return Brought(view, shown, items[able], first_new, int(np.count_nonzero(~able)))


class _Names(Sequence[str]):
    """Names by ordinal, those from `first_new` on being `new`."""

    def __init__(self, known: Sequence[str], first_new: int, new: Sequence[str]) -> None:
        self._known, self._first_new, self._new = known, first_new, new

    def __len__(self) -> int:
        return self._first_new + len(self._new)

    @overload
    def __getitem__(self, ordinal: int) -> str: ...

    @overload
    def __getitem__(self, ordinal: slice) -> list[str]: ...

    def __getitem__(self, ordinal: int | slice) -> str | list[str]:
        if isinstance(ordinal, slice):
            return [self[place] for place in range(*ordinal.indices(len(self)))]
        return self._new[ordinal - self._first_new] if ordinal >= self._first_new else self._known[ordinal]


def _guests(added: Sequence[CatalogEntry]) -> Guests:
    described = {entry.ordinal: entry.item for entry in added if entry.item is not None}
    rising = sorted(described)
    return Guests(np.array(rising, np.int32), [described[ordinal] for ordinal in rising])


def _deleted(view: View, ordinal: int) -> bool:
    return ordinal < view.catalog.n_items and bool(view.catalog.deleted[ordinal])

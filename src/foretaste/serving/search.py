"""Finding items by name, and who there is: what a storefront asks besides recommendations."""

from collections import Counter
from collections.abc import Sequence
from typing import Literal

import msgspec
import numpy as np

from foretaste.domain.arrays import Mask
from foretaste.domain.item import Attribute
from foretaste.features.catalog_columns import CATEGORY, CatalogColumns
from foretaste.serving.live import Live
from foretaste.serving.names import Names

UserOrder = Literal["spread", "recent"]


class FoundItem(msgspec.Struct, frozen=True, kw_only=True):
    """An item that a search found; `interactions` is how often people took to it."""

    item_id: str
    item_idx: int
    title: str
    categories: tuple[str, ...]
    metadata: dict[str, Attribute]
    interactions: int


class CategoryCount(msgspec.Struct, frozen=True, kw_only=True):
    """A category and how many available items are of it."""

    name: str
    count: int


class KnownUser(msgspec.Struct, frozen=True, kw_only=True):
    """A person with events."""

    user_id: str
    user_idx: int
    events: int


class Search:
    """Looks things up by name among what may be shown."""

    def __init__(self, live: Live, names: Names) -> None:
        self._live = live
        self._names = names
        self._folded: tuple[CatalogColumns | None, list[str]] = (None, [])

    def items(
        self, text: str, *, now: int, limit: int, categories: Sequence[str] = ()
    ) -> tuple[FoundItem, ...]:
        """Return available items whose title holds every word of `text`, those that begin with it first.

        Then by falling popularity. Without `text`, the most popular ones.
        """
        self._live.catch_up(None)
        with self._live.state.lock:
            catalog = self._live.catalog_columns
            interactions = np.zeros(catalog.n_items, np.int64)
            counted = self._live.state.items.interactions[: catalog.n_items]
            interactions[: len(counted)] = counted
        allowed = catalog.available(now)
        if categories:
            allowed &= catalog.mask(CATEGORY, categories)
        titles, wanted = self._titles(catalog), text.casefold().split()
        found = [
            item for item in np.flatnonzero(allowed).tolist() if all(word in titles[item] for word in wanted)
        ]
        start = text.strip().casefold()
        found.sort(key=lambda item: (not titles[item].startswith(start), -interactions[item], item))
        return tuple(self._found(catalog, item, int(interactions[item])) for item in found[:limit])

    def categories(self, *, now: int, limit: int) -> tuple[CategoryCount, ...]:
        """Return the categories of available items, those with most items first."""
        catalog = self._live.catalog_columns
        available: Mask = catalog.available(now)
        per_item = np.diff(catalog.category_start)
        codes = catalog.category_codes[np.repeat(available, per_item)]
        counts = Counter(dict(enumerate(np.bincount(codes, minlength=len(catalog.category_names)).tolist())))
        named = [(catalog.category_names[code], count) for code, count in counts.items() if count]
        named.sort(key=lambda pair: (-pair[1], pair[0]))
        return tuple(CategoryCount(name=name, count=count) for name, count in named[:limit])

    def users(self, *, limit: int, order: UserOrder = "spread") -> tuple[KnownUser, ...]:
        """Return some people with events: spread evenly over all, or who did something last, first of all."""
        with self._live.state.lock:
            names, state = self._names.of("user"), self._live.state
            total = min(len(names), state.n_users)
            if order == "recent":
                chosen = state.last_active(limit).tolist()
            else:
                chosen = np.unique(np.linspace(0, total - 1, num=min(limit, total)).astype(int)).tolist()
            return tuple(
                KnownUser(user_id=names[user], user_idx=user, events=state.summary(user).events)
                for user in chosen
                if state.summary(user).events
            )

    def _found(self, catalog: CatalogColumns, item: int, interactions: int) -> FoundItem:
        entry = catalog.items[item]
        return FoundItem(
            item_id=self._names.of("item")[item],
            item_idx=item,
            title=entry.title if entry else "",
            categories=entry.categories if entry else (),
            metadata=entry.attributes if entry else {},
            interactions=interactions,
        )

    def _titles(self, catalog: CatalogColumns) -> list[str]:
        """Return the titles in lower case, kept until the catalog changes."""
        known, titles = self._folded
        if known is not catalog:
            titles = [title.casefold() for title in catalog.titles]
            self._folded = (catalog, titles)
        return titles

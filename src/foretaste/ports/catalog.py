"""The catalog: what can be recommended, versioned."""

from collections.abc import Sequence
from typing import Protocol

from foretaste.domain.item import CatalogEntry, Item


class Catalog(Protocol):
    """Items with permanent ordinals; every change advances the version.

    Promises (`foretaste.testing.contracts.catalog`):

    - **Durable.** A returned version, and all it contains, survives `kill -9`.
    - **Versioned.** Versions rise by one per changing call, from 1; `changes` after any version gives
      each entry changed since, once, with its latest content, so that a follower misses nothing.
    - **Idempotent.** Putting an item that is already there unchanged, or deleting one that is not
      there, changes nothing and returns the present version.
    - **Deleted is deleted.** An item that is known from events alone, without an entry, can be deleted too.
    - **Permanent.** A deleted item that is put again has its old ordinal.
    """

    def put(self, items: Sequence[Item]) -> int:
        """Insert or replace items (the last of equal ids wins); return the catalog version."""
        ...

    def delete(self, item_ids: Sequence[str]) -> int:
        """Delete items; return the catalog version."""
        ...

    def get(self, item_ids: Sequence[str]) -> list[CatalogEntry | None]:
        """Return the entries of `item_ids`, None where there never was one or it is deleted."""
        ...

    def changes(self, after: int) -> list[CatalogEntry]:
        """Return every entry whose version is above `after`, by (version, ordinal)."""
        ...

    def version(self) -> int:
        """Return the present version, 0 for a catalog that was never written."""
        ...

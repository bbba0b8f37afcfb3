"""Earlier versions of the catalog."""

from typing import Protocol

from foretaste.domain.item import CatalogEntry


class CatalogPast(Protocol):
    """What the catalog was, for giving a past answer again.

    Promises (`foretaste.testing.contracts.catalog_past`):

    - **Exact.** `at` gives, for each version within the retention, what `Catalog.changes(0)` gave when
      that version was the present one.
    - **Bounded.** What was replaced longer ago than the retention may be forgotten; `at` then raises
      `NotFoundError` rather than give something else.
    """

    def at(self, version: int) -> list[CatalogEntry]:
        """Return every entry as it was at `version`, by (version, ordinal)."""
        ...

    def version_at(self, time: int) -> int:
        """Return the version that was the present one at `time` (microseconds), 0 before the first."""
        ...

"""The promises of `ports.catalog_past.CatalogPast`."""

from collections.abc import Callable

import pytest

from foretaste.domain.errors import NotFoundError
from foretaste.domain.item import CatalogEntry, Item
from foretaste.ports.catalog import Catalog
from foretaste.ports.catalog_past import CatalogPast

SECOND = 1_000_000
DAY = 86_400 * SECOND


class Shelf:
    """A catalog with its past, whose clock the test sets; `retention_days` is ten."""

    def __init__(self, catalog: Catalog, past: CatalogPast, set_clock: Callable[[int], object]) -> None:
        self.catalog = catalog
        self.past = past
        self.set_clock = set_clock


def _item(name: str, title: str) -> Item:
    return Item(item_id=name, title=title)


class CatalogPastContract:
    """Subclass it with a fixture `shelf` that gives an empty `Shelf` at the time `DAY`."""

    def test_every_version_can_be_seen_as_it_was(self, shelf: Shelf) -> None:
        seen: dict[int, list[CatalogEntry]] = {0: []}
        changes: list[Callable[[], int]] = [
            lambda: shelf.catalog.put([_item("a", "one"), _item("b", "one")]),
            lambda: shelf.catalog.put([_item("a", "two")]),
            lambda: shelf.catalog.delete(["b"]),
            lambda: shelf.catalog.put([_item("c", "one"), _item("a", "three")]),
            lambda: shelf.catalog.put([_item("b", "again")]),
            lambda: shelf.catalog.delete(["a", "c"]),
        ]
        for change in changes:
            version = change()
            seen[version] = shelf.catalog.changes(0)
        assert {version: shelf.past.at(version) for version in seen} == seen

    def test_a_version_that_is_still_to_come_is_not_found(self, shelf: Shelf) -> None:
        shelf.catalog.put([_item("a", "one")])
        with pytest.raises(NotFoundError):
            shelf.past.at(2)

    def test_the_version_of_a_moment_is_the_last_one_written_before_it(self, shelf: Shelf) -> None:
        assert shelf.past.version_at(DAY) == 0
        for number in range(1, 4):
            shelf.set_clock(DAY + number * SECOND)
            shelf.catalog.put([_item("a", f"version {number}")])
        moments = [DAY, DAY + SECOND - 1, DAY + SECOND, DAY + 2 * SECOND, DAY + 9 * SECOND]
        assert [shelf.past.version_at(moment) for moment in moments] == [0, 0, 1, 2, 3]

    def test_what_was_replaced_before_the_retention_is_not_made_up(self, shelf: Shelf) -> None:
        shelf.catalog.put([_item("a", "one"), _item("b", "one")])
        shelf.catalog.put([_item("a", "two")])
        shelf.set_clock(13 * DAY)
        shelf.catalog.put([_item("a", "three")])
        expected = shelf.catalog.changes(0)
        with pytest.raises(NotFoundError):
            shelf.past.at(1)
        assert shelf.past.at(3) == expected
        assert [entry.item.title for entry in shelf.past.at(2) if entry.item] == ["one", "two"]

"""The promises of `ports.catalog.Catalog`."""

from collections.abc import Sequence

from foretaste.domain.item import CatalogEntry, Item
from foretaste.testing.sites import StoreSite

FOX = Item(
    item_id="🦊/ fox",
    title="The Fox",
    text="ünïcode, 'quotes' and\nlines",
    categories=("Animals", "Red things"),
    attributes={"price": 9.5, "new": True, "colour": "red"},
    available_from=0,
    available_until=9_999_999_999_999_999,
    in_stock=False,
    hidden=True,
)
HEN = Item(item_id="hen", title="The Hen")


def brief(entries: Sequence[CatalogEntry | None]) -> list[tuple[int, int, str | None] | None]:
    """Return entries as (ordinal, version, title), the title None for deleted items."""
    return [
        (entry.ordinal, entry.version, entry.item.title if entry.item else None) if entry else None
        for entry in entries
    ]


class CatalogContract:
    """Subclass it with a fixture `site` that gives a `StoreSite`."""

    def test_a_catalog_that_was_never_written_is_empty_at_version_zero(self, site: StoreSite) -> None:
        catalog = site.open().catalog
        assert catalog.version() == 0
        assert catalog.get(["hen"]) == [None]
        assert catalog.changes(0) == []

    def test_an_item_comes_back_as_it_was(self, site: StoreSite) -> None:
        catalog = site.open().catalog
        assert catalog.put([FOX, HEN]) == 1
        entries = catalog.get(["hen", FOX.item_id, "nothing"])
        assert [entry.item if entry else None for entry in entries] == [HEN, FOX, None]

    def test_each_change_advances_the_version_by_one(self, site: StoreSite) -> None:
        catalog = site.open().catalog
        versions = [catalog.put([FOX, HEN]), catalog.put([Item(item_id="hen")]), catalog.delete(["hen"])]
        assert versions == [1, 2, 3]
        assert catalog.version() == 3

    def test_what_changes_nothing_leaves_the_version(self, site: StoreSite) -> None:
        catalog = site.open().catalog
        catalog.put([FOX, HEN])
        reordered = Item(
            item_id=FOX.item_id,
            title=FOX.title,
            text=FOX.text,
            categories=FOX.categories,
            attributes=dict(reversed(FOX.attributes.items())),
            available_from=0,
            available_until=FOX.available_until,
            in_stock=False,
            hidden=True,
        )
        assert catalog.put([HEN, reordered]) == 1
        assert catalog.put([]) == 1
        assert catalog.delete(["nothing"]) == 1
        assert catalog.delete([]) == 1
        assert catalog.delete(["hen"]) == catalog.delete(["hen"]) == 2

    def test_the_last_of_equal_ids_wins(self, site: StoreSite) -> None:
        catalog = site.open().catalog
        catalog.put([HEN, Item(item_id="hen", title="The Other Hen")])
        assert brief(catalog.get(["hen"])) == [(0, 1, "The Other Hen")]

    def test_a_follower_misses_nothing(self, site: StoreSite) -> None:
        catalog = site.open().catalog
        catalog.put([FOX, HEN])
        catalog.put([Item(item_id="elk", title="The Elk")])
        catalog.put([Item(item_id="hen", title="Hen 2")])
        catalog.delete([FOX.item_id])
        assert brief(catalog.changes(0)) == [(2, 2, "The Elk"), (1, 3, "Hen 2"), (0, 4, None)]
        assert brief(catalog.changes(2)) == [(1, 3, "Hen 2"), (0, 4, None)]
        assert catalog.changes(4) == []

    def test_changes_of_one_version_are_in_order_of_their_ordinals(self, site: StoreSite) -> None:
        stores = site.open()
        stores.id_map.assign("item", ["c", "a", "b"])
        stores.catalog.put([Item(item_id=name) for name in "abc"])
        assert [entry.ordinal for entry in stores.catalog.changes(0)] == [0, 1, 2]

    def test_a_deleted_item_is_gone_and_has_its_old_ordinal_when_it_returns(self, site: StoreSite) -> None:
        stores = site.open()
        stores.catalog.put([FOX, HEN])
        stores.catalog.delete([FOX.item_id])
        assert brief(stores.catalog.get([FOX.item_id, "hen"])) == [None, (1, 1, "The Hen")]
        stores.catalog.put([Item(item_id="elk"), FOX])
        assert brief(stores.catalog.get([FOX.item_id])) == [(0, 3, "The Fox")]

    def test_an_item_known_from_events_alone_can_be_deleted(self, site: StoreSite) -> None:
        stores = site.open()
        stores.id_map.assign("item", ["seen in an event"])
        assert stores.catalog.delete(["seen in an event", "never heard of"]) == 1
        assert brief(stores.catalog.changes(0)) == [(0, 1, None)]
        assert stores.catalog.delete(["seen in an event", "never heard of"]) == 1

    def test_ordinals_are_those_of_the_id_map(self, site: StoreSite) -> None:
        stores = site.open()
        stores.id_map.assign("item", ["seen in an event", "hen"])
        stores.catalog.put([FOX, HEN])
        entries = [entry for entry in stores.catalog.get(["hen", FOX.item_id]) if entry]
        ordinals = stores.id_map.find("item", ["hen", FOX.item_id]).tolist()
        assert [entry.ordinal for entry in entries] == ordinals == [1, 2]

    def test_a_returned_version_survives_a_crash(self, site: StoreSite) -> None:
        catalog = site.open().catalog
        catalog.put([FOX, HEN])
        catalog.delete(["hen"])
        left = site.after_crash()
        assert left.catalog.version() == 2
        assert left.catalog.changes(0) == catalog.changes(0)
        assert left.catalog.put([HEN]) == 3
        assert left.id_map.names("item") == [FOX.item_id, "hen"]

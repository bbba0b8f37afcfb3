"""Items: what can be recommended."""

import msgspec

Attribute = str | float | bool
"""A value of an item attribute. Numbers are finite."""


class Item(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One thing in the catalog, validated (see `foretaste.events.items`).

    `categories` go from the main one on; the first is the one that slate rules count.
    `available_from` (inclusive) and `available_until` (exclusive) are microseconds since 1970 UTC.
    `vector` is what the owner knows of the item in numbers (an embedding of its text or picture, say):
    float32 in little-endian order, empty where there is none; `foretaste.events.vectors` packs and reads it.
    """

    item_id: str
    title: str = ""
    text: str = ""
    categories: tuple[str, ...] = ()
    attributes: dict[str, Attribute] = {}
    available_from: int | None = None
    available_until: int | None = None
    in_stock: bool = True
    hidden: bool = False
    vector: bytes = b""


class CatalogEntry(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An item as the catalog holds it: with its permanent ordinal and the version that last changed it.

    `item` is None once the item was deleted; the ordinal is never given to another item.
    """

    ordinal: int
    version: int
    item: Item | None

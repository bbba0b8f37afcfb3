"""Items as the databases keep them: JSON by ordinal, with the version that last changed it."""

import msgspec

from foretaste.domain.errors import InvalidItemError
from foretaste.domain.item import CatalogEntry, Item

Row = tuple[int, int, bytes | None]
"""Ordinal, version, and the item's JSON; None where it was deleted."""

encoded = msgspec.json.Encoder(order="deterministic").encode
_decode = msgspec.json.Decoder(Item).decode


def stored(item: Item) -> bytes:
    """Return the JSON of an item, equal bytes for equal items.

    Raises `InvalidItemError` for a lone surrogate, which no database takes.
    """
    try:
        return encoded(item)
    except UnicodeEncodeError as error:
        raise InvalidItemError("the item holds a lone surrogate, which is no character") from error


def entry_of(row: Row) -> CatalogEntry:
    """Return a row as an entry of the catalog."""
    ordinal, version, content = row
    return CatalogEntry(ordinal=ordinal, version=version, item=None if content is None else _decode(content))

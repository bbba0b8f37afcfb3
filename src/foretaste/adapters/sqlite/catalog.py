"""The catalog in SQLite: items as JSON, by ordinal, each with the version that last changed it."""

import sqlite3
from collections.abc import Sequence

import msgspec

from foretaste.adapters.sqlite.database import SqliteDatabase
from foretaste.adapters.sqlite.id_map import SqliteIdMap
from foretaste.domain.errors import InvalidItemError
from foretaste.domain.item import CatalogEntry, Item

VERSION = "SELECT ifnull(max(version), 0) FROM catalog"
GET = "SELECT ordinal, version, item FROM catalog WHERE ordinal = ?"
CHANGES = "SELECT ordinal, version, item FROM catalog WHERE version > ? ORDER BY version, ordinal"
PUT = "INSERT OR REPLACE INTO catalog (ordinal, version, item) VALUES (?, ?, ?)"

_encode = msgspec.json.Encoder(order="deterministic").encode
_decode = msgspec.json.Decoder(Item).decode
Row = tuple[int, int, bytes | None]


class SqliteCatalog:
    """`Catalog` in the file of `database`; make one per database, after its id map."""

    def __init__(self, database: SqliteDatabase, id_map: SqliteIdMap) -> None:
        self._database = database
        self._id_map = id_map
        with database.reading() as connection:
            self._version = int(connection.execute(VERSION).fetchone()[0])
        self._staged_version = self._version
        database.writer.participants.append(self)

    def put(self, items: Sequence[Item]) -> int:
        """Insert or replace items (the last of equal ids wins); return the catalog version."""
        wanted = {item.item_id: _stored(item) for item in items}
        return self._database.writer.call(
            lambda connection: self._write(connection, wanted, intern=True), len(wanted)
        )

    def delete(self, item_ids: Sequence[str]) -> int:
        """Delete items; return the catalog version."""
        wanted = dict.fromkeys(item_ids)
        return self._database.writer.call(
            lambda connection: self._write(connection, wanted, intern=False), len(wanted)
        )

    def get(self, item_ids: Sequence[str]) -> list[CatalogEntry | None]:
        """Return the entries of `item_ids`, None where there never was one or it is deleted."""
        ordinals = self._id_map.find("item", item_ids).tolist()
        with self._database.reading() as connection:
            rows = [connection.execute(GET, (ordinal,)).fetchone() for ordinal in ordinals]
        return [_entry(row) if row and row[2] is not None else None for row in rows]

    def changes(self, after: int) -> list[CatalogEntry]:
        """Return every entry whose version is above `after`, by (version, ordinal)."""
        with self._database.reading() as connection:
            return [_entry(row) for row in connection.execute(CHANGES, (after,))]

    def version(self) -> int:
        """Return the present version, 0 for a catalog that was never written. Answers from memory."""
        return self._version

    def _write(
        self, connection: sqlite3.Connection, wanted: dict[str, bytes] | dict[str, None], *, intern: bool
    ) -> int:
        """Store what differs from what is there, under one new version if anything does."""
        if intern:
            ordinals = self._id_map.intern("item", wanted)
        else:
            ordinals = self._id_map.find("item", list(wanted)).tolist()
        rows = []
        for ordinal, content in zip(ordinals, wanted.values(), strict=True):
            present = connection.execute(GET, (ordinal,)).fetchone()
            if content != (present[2] if present else None):
                rows.append((ordinal, self._staged_version + 1, content))
        if rows:
            connection.executemany(PUT, rows)
            self._staged_version += 1
        return self._staged_version

    def prepare(self, connection: sqlite3.Connection) -> None:
        """Nothing waits: operations write by themselves."""

    def committed(self) -> None:
        """Show the new version."""
        self._version = self._staged_version

    def rolled_back(self) -> None:
        """Forget the new version."""
        self._staged_version = self._version


def _stored(item: Item) -> bytes:
    try:
        return _encode(item)
    except UnicodeEncodeError as error:
        raise InvalidItemError("the item holds a lone surrogate, which is no character") from error


def _entry(row: Row) -> CatalogEntry:
    ordinal, version, content = row
    return CatalogEntry(ordinal=ordinal, version=version, item=None if content is None else _decode(content))

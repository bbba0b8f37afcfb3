"""The catalog in PostgreSQL: items as JSON, by ordinal, each with the version that last changed it."""

from collections.abc import Mapping, Sequence

from foretaste.adapters.catalog_rows import Row, encoded, entry_of, stored
from foretaste.adapters.postgres.connection import BoundedConnection
from foretaste.adapters.postgres.database import (
    OPERATION_SECONDS,
    READ_SECONDS,
    PostgresDatabase,
)
from foretaste.adapters.postgres.id_map import PostgresIdMap, checked_id
from foretaste.adapters.postgres.text import escaped
from foretaste.domain.clock import MICROS_PER_DAY, Clock, system_clock
from foretaste.domain.errors import InvalidInputError, InvalidItemError, NotFoundError
from foretaste.domain.item import CatalogEntry, Item
from foretaste.events.vectors import unpacked_vector

CHANGE = "SELECT change_items(%s::text[], %s::bytea[], %s::text[], %s::text[], %s::text[], %s, %s, %s)"
VERSION = "SELECT coalesce(max(version), 0) FROM catalog"
GET = """SELECT catalog.item_ordinal, catalog.version, catalog.content
FROM unnest(%s::text[]) WITH ORDINALITY AS given (id, place)
LEFT JOIN name ON name.kind = 1 AND name.id = given.id
LEFT JOIN catalog ON catalog.item_ordinal = name.ordinal
ORDER BY given.place"""
CHANGES = (
    "SELECT item_ordinal, version, content FROM catalog WHERE version > %s ORDER BY version, item_ordinal"
)

KNOWN = "SELECT min(version), max(version) FROM catalog_moment"
VERSION_AT = "SELECT coalesce(max(version), 0) FROM catalog_moment WHERE time <= %s"
AT = """
SELECT item_ordinal, version, content FROM catalog WHERE version <= %(version)s
UNION ALL SELECT item_ordinal, version, content FROM catalog_past
WHERE version <= %(version)s AND %(version)s < until ORDER BY version, item_ordinal"""

RETENTION_DAYS = 90.0
WRITE_SECONDS = 3.0
"""How long a change may take until it is durable, or refused."""


class PostgresCatalog:
    """`Catalog` and `CatalogPast` in `database`; make one per process, after its id map.

    What was replaced `retention_days` ago, by `clock` (microseconds UTC), is forgotten at the next change.

    Attributes and categories stand in columns of their own too, with indexes, as do vectors where the
    database has the extension `vector`: for those who ask by SQL.
    """

    def __init__(
        self,
        database: PostgresDatabase,
        id_map: PostgresIdMap,
        *,
        retention_days: float = RETENTION_DAYS,
        clock: Clock = system_clock,
    ) -> None:
        self._database = database
        self._id_map = id_map
        self._retention = round(retention_days * MICROS_PER_DAY)
        self._clock = clock

    def put(self, items: Sequence[Item]) -> int:
        """Insert or replace items (the last of equal ids wins); return the catalog version."""
        wanted = {item.item_id: item for item in items}
        return self._change(wanted, adding=True)

    def delete(self, item_ids: Sequence[str]) -> int:
        """Delete items; return the catalog version."""
        return self._change(dict.fromkeys(item_ids), adding=False)

    def get(self, item_ids: Sequence[str]) -> list[CatalogEntry | None]:
        """Return the entries of `item_ids`, None where there never was one or it is deleted."""
        ids = [escaped(name) for name in item_ids]
        rows = self._database.run(lambda lent: lent.execute(GET, (ids,), binary=True).fetchall())
        return [entry_of(row) if row[2] is not None else None for row in rows]

    def changes(self, after: int) -> list[CatalogEntry]:
        """Return every entry whose version is above `after`, by (version, ordinal)."""
        rows = self._database.run(
            lambda lent: lent.execute(CHANGES, (after,), binary=True).fetchall(),
            seconds=OPERATION_SECONDS if after else READ_SECONDS,
        )
        if rows and max(row[0] for row in rows) >= self._id_map.known("item"):
            self._id_map.refresh("item")
        return [entry_of(row) for row in rows]

    def version(self) -> int:
        """Return the present version, 0 for a catalog that was never written."""
        found = self._database.run(lambda lent: lent.execute(VERSION).fetchone())
        return int(found[0]) if found else 0

    def at(self, version: int) -> list[CatalogEntry]:
        """Return every entry as it was at `version`, by (version, ordinal)."""

        def work(connection: BoundedConnection) -> tuple[int, int, list[Row]]:
            with connection.transaction():
                connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")  # what is known, and it
                first, last = connection.execute(KNOWN).fetchall()[0]
                rows = connection.execute(AT, {"version": version}, binary=True).fetchall()
            return first, last, rows

        first, last, rows = self._database.run(work, seconds=READ_SECONDS)
        if not first <= version <= last:
            raise NotFoundError(f"catalog version {version} is not kept; there are {first} to {last}")
        return [entry_of(row) for row in rows]

    def version_at(self, time: int) -> int:
        """Return the version that was the present one at `time` (microseconds), 0 before the first."""
        found = self._database.run(lambda lent: lent.execute(VERSION_AT, (time,)).fetchone())
        return int(found[0]) if found else 0

    def _change(self, wanted: Mapping[str, Item | None], *, adding: bool) -> int:
        """Store items, or their absence."""
        now = self._clock()
        arguments = (
            [_item_id(name) for name in wanted],
            [None if item is None else stored(item) for item in wanted.values()],
            [None if item is None else _attributes(item) for item in wanted.values()],
            [None if item is None else _categories(item) for item in wanted.values()],
            [None if item is None or not item.vector else _vector(item) for item in wanted.values()],
            adding,
            now,
            now - self._retention,
        )
        found = self._database.run(
            lambda lent: lent.execute(CHANGE, arguments).fetchone(), seconds=WRITE_SECONDS
        )
        if adding and (self._id_map.find("item", list(wanted)) < 0).any():
            self._id_map.refresh("item")
        return int(found[0]) if found else 0


def _item_id(name: str) -> str:
    try:
        return checked_id(name)
    except InvalidInputError as error:
        raise InvalidItemError(error.message, field="item_id") from error


def _attributes(item: Item) -> str:
    plain = {
        escaped(name): escaped(value) if isinstance(value, str) else value
        for name, value in item.attributes.items()
    }
    return encoded(plain).decode()


def _categories(item: Item) -> str:
    return encoded([escaped(name) for name in item.categories]).decode()


def _vector(item: Item) -> str:
    """Return a vector as pgvector writes it."""
    return "[" + ",".join(map(repr, unpacked_vector(item.vector).tolist())) + "]"

"""The catalog in SQLite: items as JSON, by ordinal, each with the version that last changed it."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from foretaste.adapters.catalog_rows import entry_of, stored
from foretaste.adapters.sqlite.database import SqliteDatabase
from foretaste.adapters.sqlite.id_map import SqliteIdMap
from foretaste.adapters.sqlite.many_rows import Statement
from foretaste.domain.clock import MICROS_PER_DAY, Clock, system_clock
from foretaste.domain.errors import NotFoundError
from foretaste.domain.item import CatalogEntry, Item

VERSION = "SELECT ifnull(max(version), 0) FROM catalog"
GET = "SELECT ordinal, version, item FROM catalog WHERE ordinal = ?"
CHANGES = "SELECT ordinal, version, item FROM catalog WHERE version > ? ORDER BY version, ordinal"
PUT = "INSERT OR REPLACE INTO catalog (ordinal, version, item) VALUES (?, ?, ?)"
KEEP = "INSERT INTO catalog_past (ordinal, version, until, item) VALUES (?, ?, ?, ?)"
STAMP = "INSERT INTO catalog_moment SELECT ?, max(?, ifnull(max(time), 0)) FROM catalog_moment"
OUTDATED = "SELECT ifnull(max(version), 0) FROM catalog_moment WHERE time < ?"
FORGET = ("DELETE FROM catalog_past WHERE until <= ?", "DELETE FROM catalog_moment WHERE version < ?")
KNOWN = "SELECT min(version), max(version) FROM catalog_moment"
VERSION_AT = "SELECT ifnull(max(version), 0) FROM catalog_moment WHERE time <= ?"
AT = """
SELECT ordinal, version, item FROM catalog WHERE version <= :version
UNION ALL SELECT ordinal, version, item FROM catalog_past WHERE version <= :version AND :version < until
ORDER BY version, ordinal"""

RETENTION_DAYS = 90.0


class SqliteCatalog:
    """`Catalog` and `CatalogPast` in the file of `database`; make one per database, after its id map.

    What was replaced `retention_days` ago, by `clock` (microseconds UTC), is forgotten at the next change.
    """

    def __init__(
        self,
        database: SqliteDatabase,
        id_map: SqliteIdMap,
        *,
        retention_days: float = RETENTION_DAYS,
        clock: Clock = system_clock,
    ) -> None:
        self._database = database
        self._id_map = id_map
        self._retention = round(retention_days * MICROS_PER_DAY)
        self._clock = clock
        with database.reading() as connection:
            self._version = int(connection.execute(VERSION).fetchone()[0])
        self._staged_version = self._version
        database.writer.participants.append(self)

    def put(self, items: Sequence[Item]) -> int:
        """Insert or replace items (the last of equal ids wins); return the catalog version."""
        wanted = {item.item_id: stored(item) for item in items}
        return self._database.writer.call(
            lambda begin: self._write(begin(), wanted, intern=True), len(wanted)
        )

    def delete(self, item_ids: Sequence[str]) -> int:
        """Delete items; return the catalog version."""
        wanted = dict.fromkeys(item_ids)
        return self._database.writer.call(
            lambda begin: self._write(begin(), wanted, intern=False), len(wanted)
        )

    def get(self, item_ids: Sequence[str]) -> list[CatalogEntry | None]:
        """Return the entries of `item_ids`, None where there never was one or it is deleted."""
        ordinals = self._id_map.find("item", item_ids).tolist()
        with self._database.reading() as connection:
            rows = [connection.execute(GET, (ordinal,)).fetchone() for ordinal in ordinals]
        return [entry_of(row) if row and row[2] is not None else None for row in rows]

    def changes(self, after: int) -> list[CatalogEntry]:
        """Return every entry whose version is above `after`, by (version, ordinal)."""
        with self._database.reading() as connection:
            return [entry_of(row) for row in connection.execute(CHANGES, (after,))]

    def version(self) -> int:
        """Return the present version, 0 for a catalog that was never written. Answers from memory."""
        return self._version

    def at(self, version: int) -> list[CatalogEntry]:
        """Return every entry as it was at `version`, by (version, ordinal)."""
        with self._database.reading() as connection, _of_this_schema():
            first, last = connection.execute(KNOWN).fetchone()
            if not first <= version <= last:
                raise NotFoundError(f"catalog version {version} is not kept; there are {first} to {last}")
            return [entry_of(row) for row in connection.execute(AT, {"version": version})]

    def version_at(self, time: int) -> int:
        """Return the version that was the present one at `time` (microseconds), 0 before the first."""
        with self._database.reading() as connection, _of_this_schema():
            return int(connection.execute(VERSION_AT, (time,)).fetchone()[0])

    def _write(
        self, connection: sqlite3.Connection, wanted: dict[str, bytes] | dict[str, None], *, intern: bool
    ) -> int:
        """Store what differs from what is there, under one new version if anything does."""
        if intern:
            ordinals = self._id_map.intern("item", wanted)
        else:
            ordinals = self._id_map.find("item", list(wanted)).tolist()
        rows, replaced = [], []
        version = self._staged_version + 1
        for ordinal, content in zip(ordinals, wanted.values(), strict=True):
            present = connection.execute(GET, (ordinal,)).fetchone()
            if ordinal >= 0 and (present is None or content != present[2]):
                rows.append((ordinal, version, content))
                if present:
                    replaced.append((ordinal, present[1], version, present[2]))
        if rows:
            connection.executemany(KEEP, replaced)
            connection.executemany(PUT, rows)
            self._stamp(connection, version)
            self._staged_version = version
        return self._staged_version

    def _stamp(self, connection: sqlite3.Connection, version: int) -> None:
        """Note when `version` was written, and forget what is too old."""
        now = self._clock()
        connection.execute(STAMP, (version, now))
        outdated = connection.execute(OUTDATED, (now - self._retention,)).fetchone()[0]
        for statement in FORGET:
            connection.execute(statement, (outdated,))

    def statements(self) -> tuple[Statement, ...]:
        """Return nothing: operations write by themselves."""
        return ()

    def committed(self) -> None:
        """Show the new version."""
        self._version = self._staged_version

    def rolled_back(self) -> None:
        """Forget the new version."""
        self._staged_version = self._version


@contextmanager
def _of_this_schema() -> Iterator[None]:
    """Explain a file that is read without having been opened for writing since the past is kept."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise NotFoundError(
            f"the catalog's past is not kept in this file yet ({error}); serve or ingest opens it for writing"
        ) from error

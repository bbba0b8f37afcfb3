"""A home's files as another process writes them: read, and followed when there is news."""

import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foretaste.adapters.sqlite.catalog import SqliteCatalog
from foretaste.adapters.sqlite.connections import Readers
from foretaste.adapters.sqlite.event_columns import read_after, read_few
from foretaste.adapters.sqlite.event_log import SqliteEventLog
from foretaste.adapters.sqlite.id_map import KINDS, SqliteIdMap
from foretaste.adapters.sqlite.profiles import ALL, VERSION_NOW, decoded
from foretaste.adapters.sqlite.read_only import ReadOnlyDatabase, RefusingProfiles
from foretaste.domain.errors import CorruptDataError, UnavailableError
from foretaste.domain.event import EventColumns
from foretaste.domain.item import CatalogEntry
from foretaste.ports.freshness import PeopleChange
from foretaste.ports.id_map import IdKind

MOST_AT_ONCE = 100_000
"""Events that are read by one step of following."""
FEW = 64
"""Up to so many events are read row by row."""

KEPT_FROM = "SELECT ifnull(min(version), 0) FROM people_change"
CHANGED = """
SELECT user_id, attributes FROM profile
WHERE user_id IN (SELECT user_id FROM people_change WHERE version > ?)"""
FROM = {kind: f"SELECT id FROM {kind}_id WHERE ordinal >= ? ORDER BY ordinal" for kind in KINDS}  # noqa: S608 # three fixed names


class FollowedDatabase(ReadOnlyDatabase):
    """`foretaste.db` beside the process that writes it: as it was when opened, after `follow` as it is.

    So what is loaded first agrees with each other. What is committed is durable: SQLite shows a commit after
    its fsync. Writing raises `UnavailableError`, and so does a read that the disk refuses.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._pool: Readers | None = None

    def follow(self) -> None:
        """See from now on what is committed by the time of each read."""
        self._pool = Readers(self.path)
        super().close()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection."""
        try:
            with super().reading() if self._pool is None else self._pool.lend() as connection:
                yield connection
        except sqlite3.Error as error:
            raise UnavailableError(f"{self.path} cannot be read: {error}") from error

    def close(self) -> None:
        """Release the file. Closing twice is fine."""
        super().close()
        if self._pool is not None:
            self._pool.close()


class FollowedIdMap(SqliteIdMap):
    """`IdMap` of a `FollowedDatabase`: knows what `follow` found last."""

    def __init__(self, database: FollowedDatabase) -> None:
        super().__init__(database)
        self._database = database

    def knows(self, kind: IdKind, ordinal: int) -> bool:
        """Return whether an ordinal has a name here."""
        return ordinal < len(self._ids[kind].names)

    def follow(self, *kinds: IdKind) -> None:
        """Learn the names that came since; one thread at a time."""
        with self._database.reading() as connection:
            for kind in kinds:
                ids = self._ids[kind]
                begin = len(ids.names)
                added = [name for (name,) in connection.execute(FROM[kind], (begin,))]
                ids.names.extend(added)
                ids.ordinals.update(zip(added, range(begin, begin + len(added)), strict=True))


class FollowedCatalog(SqliteCatalog):
    """`Catalog` and `CatalogPast` of a `FollowedDatabase`, for reading."""

    def __init__(self, database: FollowedDatabase, id_map: FollowedIdMap) -> None:
        super().__init__(database, id_map)
        self._names = id_map

    def changes(self, after: int) -> list[CatalogEntry]:
        """Return every entry whose version is above `after`; the id map knows all their names then."""
        entries = super().changes(after)
        if entries and not self._names.knows("item", max(entry.ordinal for entry in entries)):
            self._names.follow("item")
        if entries:
            self._version = max(self._version, entries[-1].version)
        return entries


class FollowedEventLog(SqliteEventLog):
    """`EventLog` of a `FollowedDatabase`, for reading: its end is where `follow` and `take` came last."""

    def __init__(self, database: FollowedDatabase, id_map: FollowedIdMap) -> None:
        super().__init__(database, id_map, dedupe_days=0)
        self._names = id_map

    def follow(self, seq: int) -> EventColumns:
        """Return what comes next, up to number `seq` and as many events as are read at once.

        The id map knows all names of it then; the log ends there after `take`. One thread at a time.
        Raises `CorruptDataError` where the log does not have them.
        """
        limit = min(seq - self._last_seq, MOST_AT_ONCE)
        with self._database.reading() as connection:
            read = read_few if limit <= FEW else read_after
            events = read(connection, self._last_seq, limit)
        if not len(events) or len(events) != events.last_seq - self._last_seq:
            raise CorruptDataError(
                f"{self._database.path} has no event {self._last_seq + 1}, which was acknowledged; if the "
                "file was replaced, restart the service"
            )
        last: dict[IdKind, NDArray[Any]] = {"user": events.user, "item": events.item, "type": events.type}
        unknown = [kind for kind, used in last.items() if not self._names.knows(kind, int(used.max()))]
        self._names.follow(*unknown)
        return events

    def take(self, events: EventColumns) -> None:
        """Let the log end with what `follow` returned: the state knows it now."""
        missing = int(events.user.max()) + 1 - len(self._heads)
        if missing > 0:
            self._heads.extend([0] * missing)
        np.frombuffer(self._heads, np.int64)[events.user] = events.seq
        self._last_seq = events.last_seq


class FollowedProfiles(RefusingProfiles):
    """`Profiles` in the file at `path` beside the process that writes them."""

    def __init__(self, path: Path) -> None:
        self._readers = Readers(path)

    def reading(self) -> AbstractContextManager[sqlite3.Connection]:
        """Lend a connection that sees what is committed."""
        return self._readers.lend()

    def people_after(self, version: int) -> PeopleChange:
        """Return what was told of people after `version`, of everyone where that is not known any more."""
        with self.reading() as connection:
            connection.execute("BEGIN")
            try:
                present = int(connection.execute(VERSION_NOW).fetchone()[0])
                is_all = version + 1 < int(connection.execute(KEPT_FROM).fetchone()[0])
                rows = connection.execute(ALL) if is_all else connection.execute(CHANGED, (version,))
                people = {user_id: decoded(content) for user_id, content in rows}
            finally:
                connection.execute("COMMIT")
        return PeopleChange(version=present, people=people, is_all=is_all)

    def close(self) -> None:
        """Release the file. Closing twice is fine."""
        self._readers.close()

"""Profiles in an SQLite file of their own."""

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from threading import Lock

import msgspec

from foretaste.adapters.sqlite.connections import opened, readable
from foretaste.adapters.sqlite.writer import not_durable
from foretaste.domain.item import Attribute
from foretaste.ports.profiles import Attributes

VERSION = 1
TABLES = "CREATE TABLE profile (user_id TEXT PRIMARY KEY, attributes BLOB NOT NULL) WITHOUT ROWID;"
PUT = "INSERT OR REPLACE INTO profile (user_id, attributes) VALUES (?, ?)"
GET = "SELECT attributes FROM profile WHERE user_id = ?"
ALL = "SELECT user_id, attributes FROM profile ORDER BY user_id"
DELETE = "DELETE FROM profile WHERE user_id = ?"

CHANGES = "CREATE TABLE IF NOT EXISTS people_change (version INTEGER PRIMARY KEY, user_id TEXT NOT NULL)"
"""Whom something was told of, one number each, for those who follow: files of earlier releases get it too."""
KEPT_CHANGES = 10_000
VERSION_NOW = "SELECT ifnull(max(version), 0) FROM people_change"
NOTE = f"INSERT INTO people_change (version, user_id) VALUES (({VERSION_NOW}) + 1, ?)"  # noqa: S608 # a fixed text
NOTE_FORGOTTEN = f"INSERT INTO people_change (version, user_id) VALUES (({VERSION_NOW}) + 2, '')"  # noqa: S608 # a fixed text
"""Two: so that nobody who follows has seen the number before, and all is read anew."""
FORGET_CHANGES = f"DELETE FROM people_change WHERE version <= ({VERSION_NOW}) - ?"  # noqa: S608 # a fixed text

_encode = msgspec.json.Encoder(order="deterministic").encode
decoded = msgspec.json.Decoder(dict[str, Attribute]).decode


class ProfilesToRead(ABC):
    """What any reader of a file of profiles answers."""

    @abstractmethod
    def reading(self) -> AbstractContextManager[sqlite3.Connection]:
        """Lend a connection that sees what is committed."""

    def get(self, user_id: str) -> dict[str, Attribute] | None:
        """Return the attributes of a person, None where nothing is known."""
        with self.reading() as connection:
            row = connection.execute(GET, (user_id,)).fetchone()
        return None if row is None else decoded(row[0])

    def all(self) -> dict[str, dict[str, Attribute]]:
        """Return the attributes of everyone by user id."""
        with self.reading() as connection:
            return {user_id: decoded(content) for user_id, content in connection.execute(ALL)}


class SqliteProfiles(ProfilesToRead):
    """`Profiles` in the file `path`, created if absent; commits survive `kill -9` and power loss.

    Raises `UnavailableError` where the disk refuses or a newer version wrote the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()
        self._connection = opened(path, TABLES, VERSION, synchronous="FULL")
        self._connection.execute(CHANGES)

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Lend the one connection; raises as `readable` does."""
        with readable(self._path), self._lock:
            yield self._connection

    def put(self, people: Mapping[str, Attributes]) -> None:
        """Insert or replace the attributes of people."""
        rows = [(user_id, _encode(dict(attributes))) for user_id, attributes in people.items()]
        with self._lock, _transaction(self._connection) as connection:
            connection.executemany(PUT, rows)
            connection.executemany(NOTE, [(user_id,) for user_id in people])
            connection.execute(FORGET_CHANGES, (KEPT_CHANGES,))

    def delete(self, user_ids: Sequence[str]) -> int:
        """Forget the attributes of people; return how many had any."""
        with self._lock, _transaction(self._connection) as connection:
            gone = sum(connection.execute(DELETE, (user_id,)).rowcount for user_id in user_ids)
            if gone:
                connection.execute(NOTE_FORGOTTEN)
                connection.execute(FORGET_CHANGES, (1,))
        return gone

    def version(self) -> int:
        """Return a number that grows with each change: what `FollowedProfiles.people_after` goes by."""
        with self._lock:
            return int(self._connection.execute(VERSION_NOW).fetchone()[0])

    def close(self) -> None:
        """Release the file. Closing twice is fine."""
        with self._lock:
            self._connection.close()


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Write all of the block or nothing; raise `NotDurableError` where the disk refuses."""
    try:
        connection.execute("BEGIN IMMEDIATE")
        yield connection
        connection.execute("COMMIT")
    except sqlite3.Error as error:
        raise not_durable(error) from error
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")

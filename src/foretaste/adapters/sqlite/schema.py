"""The tables, and what their versions mean."""

import sqlite3

from foretaste.domain.errors import CorruptDataError, UnavailableError

APPLICATION = 0x464F5245
"""`PRAGMA application_id` of our files: "FORE"."""

STORE_VERSION = 2
STORE_TABLES = """
CREATE TABLE user_id (ordinal INTEGER PRIMARY KEY, id TEXT NOT NULL);
CREATE TABLE item_id (ordinal INTEGER PRIMARY KEY, id TEXT NOT NULL);
CREATE TABLE type_id (ordinal INTEGER PRIMARY KEY, id TEXT NOT NULL);

CREATE TABLE event (
    seq INTEGER PRIMARY KEY,
    user INTEGER NOT NULL,
    item INTEGER NOT NULL,
    type INTEGER NOT NULL,
    time INTEGER NOT NULL,
    key INTEGER NOT NULL,
    value REAL,
    previous INTEGER NOT NULL,
    event_id TEXT NOT NULL,
    session_id TEXT,
    recommendation_id TEXT,
    context TEXT
);
CREATE TABLE arrival (day INTEGER PRIMARY KEY, first_seq INTEGER NOT NULL);

CREATE TABLE catalog (ordinal INTEGER PRIMARY KEY, version INTEGER NOT NULL, item BLOB);
CREATE INDEX catalog_version ON catalog (version, ordinal);
"""
CATALOG_PAST = """
CREATE TABLE catalog_past (
    ordinal INTEGER NOT NULL,
    version INTEGER NOT NULL,
    until INTEGER NOT NULL,
    item BLOB,
    PRIMARY KEY (ordinal, version)
) WITHOUT ROWID;
CREATE INDEX catalog_past_until ON catalog_past (until);
CREATE TABLE catalog_moment (version INTEGER PRIMARY KEY, time INTEGER NOT NULL);
INSERT INTO catalog_moment SELECT ifnull(max(version), 0), 0 FROM catalog;
"""
"""What entries were before the version `until`, and when versions were written; the first moment's version is
the first that is known as it was."""
"""The log is append-only and has no index but its order: an index on a hash or on users would rewrite one
page per event and costs nine tenths of the throughput. Instead `previous` links the events of a
user backwards, and the heads of these chains and the keys of recent events are held in memory,
both functions of the log. `arrival` says with which number each day (UTC, days since 1970) began."""

STREAM_TABLE = "CREATE TABLE IF NOT EXISTS stream (name TEXT PRIMARY KEY, next INTEGER NOT NULL)"
"""How far streams were read. Made when the first one is, so that files of earlier releases get it too."""

EXPOSURE_VERSION = 1
EXPOSURE_TABLES = """
CREATE TABLE exposure (recommendation_id TEXT PRIMARY KEY, time INTEGER NOT NULL, record BLOB NOT NULL);
CREATE INDEX exposure_time ON exposure (time);
"""


MIGRATIONS: dict[str, dict[int, str]] = {STORE_TABLES: {2: CATALOG_PAST}}
"""For each set of first tables: what leads to a version from the one before it."""


def ensure_schema(connection: sqlite3.Connection, tables: str, version: int, where: str) -> None:
    """Create `tables` in an empty file, and bring a file to this version.

    Raises `UnavailableError` for a newer version, `CorruptDataError` for a file that is not ours.
    """
    found = int(connection.execute("PRAGMA user_version").fetchone()[0])
    application = int(connection.execute("PRAGMA application_id").fetchone()[0])
    empty = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] == 0
    if empty:
        stamp = f"PRAGMA application_id = {APPLICATION}; PRAGMA user_version = 1;"
        connection.executescript(f"BEGIN IMMEDIATE; {tables} {stamp} COMMIT;")
        found = 1
    elif application != APPLICATION:
        raise CorruptDataError(f"{where} is a database of another program; choose another directory")
    elif found > version:
        raise UnavailableError(
            f"{where} was written by a newer Foretaste (schema {found}, known here up to {version}); upgrade"
        )
    for step in range(found + 1, version + 1):
        script = MIGRATIONS[tables][step]
        connection.executescript(f"BEGIN IMMEDIATE; {script} PRAGMA user_version = {step}; COMMIT;")

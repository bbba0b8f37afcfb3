"""What is wrong with a PostgreSQL, before it costs data."""

import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

from foretaste.adapters.postgres.connection import BoundedConnection
from foretaste.adapters.postgres.database import PostgresDatabase, require_reachable
from foretaste.adapters.postgres.migrations import pending, present
from foretaste.domain.check import Check

MOST_SKEW_SECONDS = 2.0
SETTINGS = "SELECT name, setting FROM pg_settings WHERE name = ANY (%s)"
ASKED = ["fsync", "full_page_writes", "synchronous_commit", "server_version", "max_connections"]
ALLOWED = """SELECT coalesce(
    (SELECT has_schema_privilege(oid, 'CREATE') FROM pg_namespace WHERE nspname = %s),
    has_database_privilege(current_database(), 'CREATE')
), pg_encoding_to_char(encoding) FROM pg_database WHERE datname = current_database()"""
VECTORS = "SELECT extversion FROM pg_extension WHERE extname = 'vector'"
CHECK_SECONDS = 10.0


def checks(database: PostgresDatabase) -> list[Check]:
    """Return what was found of the server and of our schema. Raises `UnavailableError` where it is away."""
    return database.run(lambda connection: list(_checks(connection, database)), seconds=CHECK_SECONDS)


def checks_of(url: str, schema: str) -> list[Check]:
    """Return what was found of the server at `url`, a schema that is missing or old included.

    Raises `UnavailableError` at once where it takes no connection: who looks wants to know, not to wait.
    """
    require_reachable(url)
    with closing(
        PostgresDatabase(url, schema, connections=2, open_seconds=CHECK_SECONDS, looking=True)
    ) as found:
        return checks(found)


def _checks(connection: BoundedConnection, database: PostgresDatabase) -> Iterator[Check]:
    settings = dict(connection.execute(SETTINGS, (ASKED,)).fetchall())
    yield Check(level="good", words=f"PostgreSQL {settings['server_version']} at {database.where}")
    yield from _durability(settings)
    yield _skew(connection)
    yield from _schema(connection, database)
    vectors = connection.execute(VECTORS).fetchone()
    if vectors is None:
        yield Check(
            level="note",
            words="without the extension vector: items' vectors have no index there",
            remedy="install pgvector on the server, then foretaste migrate",
        )
    else:
        yield Check(level="good", words=f"pgvector {vectors[0]}")


def _durability(settings: dict[str, str]) -> Iterator[Check]:
    """Say what settings would lose events that were acknowledged."""
    remedies = {
        "fsync": "set fsync = on in postgresql.conf and restart the server",
        "full_page_writes": "set full_page_writes = on in postgresql.conf and reload",
        "synchronous_commit": "remove synchronous_commit = off from postgresql.conf, role and database",
    }
    off = [name for name in remedies if settings[name] == "off"]
    for name in off:
        yield Check(
            level="problem",
            words=f"{name} is off: a crash of the server loses events that were acknowledged",
            remedy=remedies[name],
        )
    if not off:
        commits = settings["synchronous_commit"]
        yield Check(level="good", words=f"commits survive a crash (fsync, synchronous_commit = {commits})")


def _skew(connection: BoundedConnection) -> Check:
    began = time.time()
    (theirs,) = _row(connection.execute("SELECT extract(epoch FROM clock_timestamp())::double precision"))
    ended = time.time()
    skew = max(began - theirs, theirs - ended, 0.0)
    if skew > MOST_SKEW_SECONDS:
        return Check(
            level="problem",
            words=f"its clock is {skew:.1f} s off this machine's",
            remedy="let both follow a time server (NTP)",
        )
    return Check(level="good", words="its clock is this machine's")


def _schema(connection: BoundedConnection, database: PostgresDatabase) -> Iterator[Check]:
    missing = [step.name for step in pending(present(connection))]
    if missing:
        yield Check(
            level="problem",
            words=f"the schema {database.schema} lacks {', '.join(missing)}",
            remedy="foretaste migrate",
        )
    else:
        yield Check(level="good", words=f"the schema {database.schema} is up to date")
    allowed, encoding = _row(connection.execute(ALLOWED, (database.schema,)))
    if not allowed:
        yield Check(
            level="note",
            words=f"this role may not make tables in {database.schema}",
            remedy=f"GRANT CREATE ON SCHEMA {database.schema} TO it: days of events get tables of their own",
        )
    if encoding != "UTF8":
        yield Check(
            level="problem",
            words=f"the database is encoded in {encoding}: ids in other alphabets are refused",
            remedy="CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0",
        )


def _row(cursor: Any) -> tuple[Any, ...]:
    found: tuple[Any, ...] = cursor.fetchone()
    return found

"""The tables, brought to what this release needs: numbered files, forward only, once each."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from foretaste.domain.errors import CorruptDataError, UnavailableError

OUR_LOCK = 0x464F5245
"""Who changes tables holds this advisory lock of the database, whatever the schema."""

RECORDED = "SELECT number, checksum FROM migration ORDER BY number"
RECORD = "INSERT INTO migration (number, name, checksum) VALUES (%s, %s, %s)"
TABLE = """
CREATE TABLE IF NOT EXISTS migration (
    number integer PRIMARY KEY,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)
"""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Migration:
    """One step: `text` is run once, in a transaction of its own."""

    number: int
    name: str
    text: LiteralString

    @property
    def checksum(self) -> str:
        """What tells whether the text is the one that was run."""
        return sha256(self.text.encode()).hexdigest()


def shipped() -> list[Migration]:
    """Return the migrations of this release in their order."""
    folder = files("foretaste.adapters.postgres") / "sql"
    found = [file for file in folder.iterdir() if file.name[:4].isdigit() and file.name.endswith(".sql")]
    steps = [Migration(int(file.name[:4]), file.name, _text(file)) for file in found]
    return sorted(steps, key=lambda step: step.number)


def present(connection: psycopg.Connection[Any]) -> dict[int, str]:
    """Return number → checksum of what was run in the schema of the connection, nothing where it is new."""
    if connection.execute("SELECT to_regclass('migration')").fetchone() == (None,):
        return {}
    return dict(connection.execute(RECORDED).fetchall())


def pending(recorded: Mapping[int, str]) -> list[Migration]:
    """Return what is still to be run; steps of a newer release beside ours are none of our business.

    Raises `CorruptDataError` where a step was run that has another text here.
    """
    for step in shipped():
        if recorded.get(step.number, step.checksum) != step.checksum:
            raise CorruptDataError(
                f"{step.name} was run with another text: this is the database of a changed Foretaste; "
                "use the release that made it, or another schema",
                field="database_schema",
            )
    return [step for step in shipped() if step.number not in recorded]


def migrate(connection: psycopg.Connection[Any], schema: str) -> list[str]:
    """Bring `schema`, made if absent, to what this release needs; return the steps that were run.

    `connection` is in autocommit and looks into `schema` first. Others who migrate wait. Raises
    `UnavailableError` where the role may not, saying how to let it, or where others hold the tables.
    """
    done = []
    with connection.transaction():
        try:
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (OUR_LOCK,))
            _make_schema(connection, schema)
            connection.execute(TABLE)
            for step in pending(present(connection)):
                connection.execute(step.text)
                connection.execute(RECORD, (step.number, step.name, step.checksum))
                done.append(step.name)
            connection.execute(_vectors())
        except psycopg.errors.InsufficientPrivilege as error:
            raise UnavailableError(
                f"the role may not make tables in the schema {schema} ({error}): grant it CREATE on the "
                "database, or let an owner run foretaste migrate",
                field="database_url",
            ) from error
        except psycopg.errors.LockNotAvailable as error:
            raise UnavailableError(
                f"the tables of {schema} cannot be brought up to date while others hold them ({error}), as "
                "another process that does the same, or a backup: try again when that is done",
                field="database_schema",
                retry_after=5.0,
            ) from error
    if done:
        _log.info("the schema %s was brought up to date: %s", schema, ", ".join(done))
    return done


def _make_schema(connection: psycopg.Connection[Any], schema: str) -> None:
    known = connection.execute("SELECT FROM pg_namespace WHERE nspname = %s", (schema,)).fetchone()
    if known is None:
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))


def _vectors() -> LiteralString:
    return _text(files("foretaste.adapters.postgres") / "sql" / "vectors.sql")


def _text(file: Traversable) -> LiteralString:
    """Return the text of a file that comes with this package, which is as good as a literal."""
    return file.read_text(encoding="utf-8")

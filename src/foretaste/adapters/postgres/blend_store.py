"""Blends in PostgreSQL, agreed between all processes that serve from one log."""

from collections.abc import Iterable, Iterator
from typing import LiteralString

import msgspec

from foretaste.adapters.postgres.connection import BoundedConnection
from foretaste.adapters.postgres.database import OPERATION_SECONDS, READ_SECONDS, PostgresDatabase
from foretaste.domain.clock import MICROS_PER_DAY
from foretaste.ports.blend_store import SPAN, BlendRecord

AGREE = "SELECT agree_blend(%s, %s, %s, %s, %s, %s, %s)"
STANDING = """
SELECT seq, record FROM blend WHERE artifact = %(artifact)s AND number >= coalesce(
    (SELECT max(number) FROM blend WHERE artifact = %(artifact)s AND seq < %(seq)s), 0)
ORDER BY number"""
NAMED = "SELECT seq, record FROM blend WHERE artifact = %s AND blend_version = %s ORDER BY id LIMIT 1"
SERVING_AT = "SELECT seq, record FROM blend WHERE time > 0 AND time <= %s ORDER BY id DESC LIMIT 1"
ALL = "SELECT seq, record FROM blend ORDER BY id"
EMPTY = "SELECT NOT EXISTS (SELECT FROM blend)"
RESTORE = """
INSERT INTO blend (id, artifact, number, seq, time, blend_version, record)
SELECT coalesce(max(id), 0) + 1, %s, %s, %s, %s, %s, %s FROM blend"""

RETENTION_DAYS = 90.0


class PostgresBlendStore:
    """`BlendStore` in `database`, which whoever opened it closes.

    A record from more than `retention_days` before the one that is stored is forgotten. What an answer may
    have to wait for takes at most `seconds`.
    """

    def __init__(
        self,
        database: PostgresDatabase,
        *,
        retention_days: float = RETENTION_DAYS,
        seconds: float = OPERATION_SECONDS,
    ) -> None:
        self._database = database
        self._seconds = seconds
        self._retention = round(retention_days * MICROS_PER_DAY)

    def agree(self, record: BlendRecord) -> BlendRecord | None:
        """Store the next blend of an artifact; return it with the `seq` after which it serves."""
        arguments = (
            record.artifact,
            record.number,
            record.time,
            record.blend_version,
            msgspec.json.encode(record),
            SPAN,
            record.time - self._retention,
        )
        found = self._database.run(
            lambda lent: lent.execute(AGREE, arguments).fetchone(), seconds=self._seconds
        )
        begins = found[0] if found else None
        return None if begins is None else msgspec.structs.replace(record, seq=begins)

    def standing(self, artifact: str, seq: int) -> list[BlendRecord]:
        """Return the record in force for the event numbered `seq` and all after it, by number."""
        return self._all(STANDING, {"artifact": artifact, "seq": seq})

    def named(self, artifact: str, blend_version: str) -> BlendRecord | None:
        """Return a record of an artifact with a blend of that version."""
        return next(iter(self._all(NAMED, (artifact, blend_version))), None)

    def serving_at(self, time: int) -> BlendRecord | None:
        """Return the record that was the last one at a moment, None where none tells."""
        return next(iter(self._all(SERVING_AT, (time,))), None)

    def records(self) -> Iterator[BlendRecord]:
        """Yield all records in the order in which they were stored."""
        yield from self._all(ALL, (), seconds=READ_SECONDS)

    def restore(self, records: Iterable[BlendRecord]) -> None:
        """Store records as they are, if the store is empty."""
        told = list(records)

        def work(connection: BoundedConnection) -> None:
            with connection.transaction():
                connection.execute("SELECT begin_numbering()")
                if connection.execute(EMPTY).fetchone() == (True,):
                    for one in told:
                        content = msgspec.json.encode(one)
                        fields = (one.artifact, one.number, one.seq, one.time, one.blend_version, content)
                        connection.execute(RESTORE, fields)

        self._database.run(work, seconds=READ_SECONDS)

    def _all(
        self,
        statement: LiteralString,
        asked: tuple[object, ...] | dict[str, object],
        *,
        seconds: float | None = None,
    ) -> list[BlendRecord]:
        rows = self._database.run(
            lambda lent: lent.execute(statement, asked, binary=True).fetchall(),
            seconds=seconds or self._seconds,
        )
        return [
            msgspec.structs.replace(msgspec.json.decode(record, type=BlendRecord), seq=seq)
            for seq, record in rows
        ]

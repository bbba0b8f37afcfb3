"""Recipes in PostgreSQL, for all processes that share it."""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from foretaste.adapters.postgres.database import READ_SECONDS, PostgresDatabase
from foretaste.ports.scenario_store import ScenarioRecord

ADD = "SELECT add_scenarios(%s::text[], %s::text[], %s::boolean[], %s::bigint[], %s::bytea[])"
MARK = "SELECT coalesce(max(id), 0) FROM scenario"
NAMED = "SELECT record FROM scenario WHERE version = %s ORDER BY id LIMIT 1"
STANDING = """
SELECT record FROM (
    SELECT DISTINCT ON (name) name, version, record FROM scenario
    WHERE put OR version = '' ORDER BY name, id DESC
) AS last WHERE version <> '' ORDER BY name"""
ALL = "SELECT record FROM scenario ORDER BY id"

_decode = msgspec.json.Decoder(ScenarioRecord).decode


class PostgresScenarioStore:
    """`ScenarioStore` in `database`, which whoever opened it closes."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._database = database

    def append(self, records: Sequence[ScenarioRecord]) -> None:
        """Add records."""
        if not records:
            return
        columns = (
            [record.name for record in records],
            [record.version for record in records],
            [record.put for record in records],
            [record.time for record in records],
            [msgspec.json.encode(record) for record in records],
        )
        self._database.run(lambda lent: lent.execute(ADD, columns))

    def standing(self) -> dict[str, ScenarioRecord]:
        """Return what was put last under each name, but for what was deleted since."""
        rows = self._database.run(lambda lent: lent.execute(STANDING, binary=True).fetchall())
        return {record.name: record for record in (_decode(content) for (content,) in rows)}

    def mark(self) -> int:
        """Return the number of the last record."""
        row = self._database.run(lambda lent: lent.execute(MARK).fetchone())
        return int(row[0]) if row else 0

    def named(self, version: str) -> ScenarioRecord | None:
        """Return a record with a recipe of that version."""
        row = self._database.run(lambda lent: lent.execute(NAMED, (version,), binary=True).fetchone())
        return _decode(row[0]) if row and version else None

    def records(self) -> Iterator[ScenarioRecord]:
        """Yield all records in the order in which they were added."""
        rows = self._database.run(
            lambda lent: lent.execute(ALL, binary=True).fetchall(), seconds=READ_SECONDS
        )
        for (content,) in rows:
            yield _decode(content)

    def restore(self, records: Iterable[ScenarioRecord]) -> None:
        """Add records, unless something was put or deleted already."""
        if not any(record.put or record.recipe is None for record in self.records()):
            self.append(list(records))

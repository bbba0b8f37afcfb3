"""Planted faults in PostgreSQL: each breaks one promise."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from threading import Timer
from typing import Any, LiteralString

from psycopg import sql

from foretaste.adapters.postgres import event_rows as rows
from foretaste.adapters.postgres.connection import BoundedConnection
from foretaste.adapters.postgres.database import PostgresDatabase
from foretaste.adapters.postgres.event_log import PostgresEventLog
from foretaste.adapters.postgres.follower import PostgresFollower
from foretaste.adapters.postgres.id_map import PostgresIdMap
from foretaste.domain.event import Event, EventColumns
from foretaste.ports.event_log import AppendOutcome
from foretaste.ports.freshness import Head

HELD_SECONDS = 0.2


class ForgetsKeysAtOnce(PostgresEventLog):
    """Does not recognize an event of an earlier batch."""

    def __init__(self, database: PostgresDatabase, id_map: PostgresIdMap, **options: Any) -> None:
        super().__init__(database, id_map, dedupe_days=0, **options)


class TellsNobodyElse(PostgresEventLog):
    """Does not follow what other processes append."""

    def _step(self, seconds: float) -> int:
        del seconds
        return 0


class LosesNames(PostgresEventLog):
    """Takes all names of a batch for known."""

    def _knows_names(self, batch: Sequence[rows.Prepared], appended: rows.Appended) -> bool:
        del batch, appended
        return True


class TellsTwice(PostgresEventLog):
    """Tells its subscriber everything twice."""

    def _tell(self, columns: EventColumns) -> None:
        super()._tell(columns)
        super()._tell(columns)


class AcknowledgesEarly(PostgresEventLog):
    """Resolves the future at once and writes the batch a little later."""

    def submit(
        self, events: Sequence[Event], *, reached: Mapping[str, int] | None = None
    ) -> "Future[list[AppendOutcome]]":
        """Promise what is not done yet."""
        later = Timer(HELD_SECONDS, super().submit, (list(events),), {"reached": reached})
        later.daemon = True
        later.start()
        promised: Future[list[AppendOutcome]] = Future()
        promised.set_result(
            [AppendOutcome(event_id=event.event_id, status="accepted", seq=0) for event in events]
        )
        return promised


class CommitsLazily(PostgresDatabase):
    """Acknowledges before the disk has it."""

    def _synchronous(self) -> sql.Composable:
        return sql.Literal("off")


class AsksNobody(PostgresFollower):
    """Takes what this process knows for all there is."""

    def head_of(self, user_id: str | None) -> Head:
        """Say that nothing happened."""
        del user_id
        return Head(user_seq=0, catalog_version=0, people_version=0)


NUMBERS_WITHOUT_WAITING: LiteralString = (
    "CREATE OR REPLACE FUNCTION begin_numbering() RETURNS void LANGUAGE sql AS $$ SELECT $$"
)
NUMBERS_BY_SEQUENCE: LiteralString = """
CREATE SEQUENCE IF NOT EXISTS hasty;
CREATE OR REPLACE FUNCTION append_batch(
    keys bigint[], event_ids text[], known_users integer[], known_items integer[], known_types integer[],
    users text[], items text[], types text[], times bigint[], "values" double precision[],
    sessions text[], recommendations text[], contexts text[],
    today integer, horizon integer, streams text[], offsets bigint[],
    known_seq bigint, last_kinds smallint[], last_ordinals integer[], last_ids text[],
    OUT seqs bigint[], OUT fresh boolean[], OUT user_ordinals integer[], OUT item_ordinals integer[],
    OUT type_ordinals integer[], OUT previous bigint[]
) LANGUAGE plpgsql AS $$
BEGIN
    SELECT array_agg(nextval('hasty')), array_agg(true), array_agg(0) INTO seqs, fresh, previous
    FROM unnest(keys);
    user_ordinals := previous;
    item_ordinals := previous;
    type_ordinals := previous;
    INSERT INTO name VALUES (0, 0, 'u'), (1, 0, 'i'), (2, 0, 't') ON CONFLICT DO NOTHING;
    PERFORM pg_sleep(random() * 0.01);
    INSERT INTO event (seq, user_ordinal, item_ordinal, type_ordinal, time, key, previous, event_id)
    SELECT given.seq, 0, 0, 0, given.time, given.key, 0, given.event_id
    FROM unnest(seqs, times, keys, event_ids) AS given (seq, time, key, event_id);
END
$$"""
"""A log whose numbers become visible out of their order, as those of a plain `bigserial` do."""


def plant(connection: BoundedConnection, fault: LiteralString) -> None:
    """Replace functions of the schema that `connection` looks into."""
    connection.execute(fault)

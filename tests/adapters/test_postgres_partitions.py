"""Tables for new days are made, and those of old days dropped, beside transactions that last for hours."""

from contextlib import closing, contextmanager

import psycopg
import pytest
from psycopg import sql

from foretaste.adapters.postgres.database import PostgresDatabase
from foretaste.adapters.postgres.event_log import PostgresEventLog
from foretaste.adapters.postgres.exposure_log import PostgresExposureLog
from foretaste.adapters.postgres.id_map import PostgresIdMap
from foretaste.domain.clock import MICROS_PER_DAY
from foretaste.testing.contracts.event_log import events, submitted
from foretaste.testing.contracts.exposure_log import NOW, an_exposure
from foretaste.testing.postgres_sites import PostgresSite

PARTITIONS = """SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
WHERE inhparent = %s::regclass ORDER BY 1"""


@pytest.fixture
def database(postgres):
    with closing(PostgresSite(postgres)) as site:
        site.open()
        with closing(PostgresDatabase(postgres, site.schema, connections=3)) as opened:
            yield opened


@contextmanager
def a_backup(postgres, schema, table):
    """Read a table in a transaction that stays open, as `pg_dump` does."""
    with psycopg.connect(postgres) as connection:
        connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, table)))
        yield


def partitions(database, parent):
    return [name for (name,) in database.run(lambda lent: lent.execute(PARTITIONS, (parent,)).fetchall())]


def shown(log, name, time):
    log.record(an_exposure(name, time=time))
    log.flush()
    return [one.recommendation_id for one in log.read()]


def test_events_of_a_new_day_are_stored_beside_a_backup_and_old_keys_are_dropped_after_it(database, postgres):
    today = [20_000]
    log = PostgresEventLog(
        database, PostgresIdMap(database), dedupe_days=5, clock=lambda: today[0] * MICROS_PER_DAY
    )
    with closing(log):
        submitted(log, events(0, 1))
        with a_backup(postgres, database.schema, "event_key"):
            today[0] += 15
            assert submitted(log, [*events(0, 1), *events(1, 2)])[-1][1:] == ("accepted", 3)
            assert partitions(database, "event_key") == ["event_key_4000", "event_key_4003"]
        today[0] += 5
        submitted(log, events(2, 3))
        assert partitions(database, "event_key") == ["event_key_4003", "event_key_4004"]


def test_exposures_of_a_new_day_are_stored_beside_a_backup_and_old_ones_are_dropped_after_it(
    database, postgres
):
    now = [NOW]
    with closing(PostgresExposureLog(database, retention_days=2.0, clock=lambda: now[0])) as log:
        shown(log, "old", NOW)
        with a_backup(postgres, database.schema, "exposure"):
            now[0] += 5 * MICROS_PER_DAY
            assert shown(log, "new", now[0]) == ["old", "new"]
        assert shown(log, "newer", now[0]) == ["new", "newer"]
        assert len(partitions(database, "exposure")) == 1


def test_of_the_oldest_day_that_is_kept_only_what_is_too_old_is_removed(database):
    noon = NOW + MICROS_PER_DAY // 2
    now = [noon]
    with closing(PostgresExposureLog(database, retention_days=2.0, clock=lambda: now[0])) as log:
        shown(log, "morning", NOW + 1)
        shown(log, "evening", noon + 1)
        now[0] += 2 * MICROS_PER_DAY
        assert shown(log, "later", now[0]) == ["evening", "later"]

"""The end of a PostgreSQL log, as an archiver reads it beside the writers."""

from contextlib import closing

import psycopg
import pytest
from psycopg import sql

from foretaste.adapters.postgres import event_rows as rows
from foretaste.adapters.postgres.database import PostgresDatabase
from foretaste.adapters.postgres.event_log import PostgresEventLog
from foretaste.adapters.postgres.event_tail import PostgresEventTail
from foretaste.adapters.postgres.id_map import PostgresIdMap
from foretaste.domain.errors import UnavailableError
from foretaste.testing.contracts.event_log import an_event, events


def test_a_tail_sees_what_others_append(postgres, schema):
    database = PostgresDatabase(postgres, schema)
    with closing(PostgresEventLog(database, PostgresIdMap(database))) as log:
        log.submit(events(0, 5)).result()
        tail = PostgresEventTail(postgres, schema)
        assert (tail.last_seq(), tail.events(0, 10)) == (5, list(enumerate(events(0, 5), 1)))
        log.submit(events(5, 8)).result()
        assert (tail.last_seq(), tail.events(5, 10)) == (8, list(enumerate(events(5, 8), 6)))
        tail.close()


def test_a_page_of_a_long_log_takes_no_more_events_than_it_has(postgres, schema):
    database = PostgresDatabase(postgres, schema)
    with closing(PostgresEventLog(database, PostgresIdMap(database))) as log:
        for start in range(0, 20_000, 5_000):
            log.submit([an_event(n, user_id=f"u{n % 900}") for n in range(start, start + 5_000)]).result()
        with psycopg.connect(postgres, autocommit=True) as connection:
            connection.execute(sql.SQL("SET search_path TO {}").format(sql.Identifier(schema)))
            connection.execute("ANALYZE")
            explained = connection.execute(
                f"EXPLAIN (ANALYZE, FORMAT JSON) {rows.EVENTS}", (100, 20_000, 500)
            ).fetchone()[0][0]["Plan"]
    assert most_rows(explained) == 500


def most_rows(plan):
    """The rows that the busiest step of a plan gave."""
    return max(plan["Actual Rows"] * plan["Actual Loops"], *map(most_rows, plan.get("Plans", ())), 0)


def test_a_server_that_is_away_is_said_to_be_away():
    with pytest.raises(UnavailableError):
        PostgresEventTail("postgresql://nobody@127.0.0.1:9/none", "foretaste_tail_test", open_seconds=1.0)

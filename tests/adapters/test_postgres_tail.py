"""The end of a PostgreSQL log, as an archiver reads it beside the writers."""

from contextlib import closing

import pytest

from foretaste.adapters.postgres.database import PostgresDatabase
from foretaste.adapters.postgres.event_log import PostgresEventLog
from foretaste.adapters.postgres.event_tail import PostgresEventTail
from foretaste.adapters.postgres.id_map import PostgresIdMap
from foretaste.domain.errors import UnavailableError
from foretaste.testing.contracts.event_log import events


def test_a_tail_sees_what_others_append(postgres, schema):
    database = PostgresDatabase(postgres, schema)
    with closing(PostgresEventLog(database, PostgresIdMap(database))) as log:
        log.submit(events(0, 5)).result()
        tail = PostgresEventTail(postgres, schema)
        assert (tail.last_seq(), tail.events(0, 10)) == (5, list(enumerate(events(0, 5), 1)))
        log.submit(events(5, 8)).result()
        assert (tail.last_seq(), tail.events(5, 10)) == (8, list(enumerate(events(5, 8), 6)))
        tail.close()


def test_a_server_that_is_away_is_said_to_be_away():
    with pytest.raises(UnavailableError):
        PostgresEventTail("postgresql://nobody@127.0.0.1:9/none", "foretaste_tail_test", open_seconds=1.0)

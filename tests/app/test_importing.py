"""Taking in many events where the log cannot confirm a batch in time."""

import time
from concurrent.futures import Future
from contextlib import closing

import pytest

from foretaste.adapters.memory.event_log import MemoryEventLog
from foretaste.adapters.postgres.database import PostgresDatabase
from foretaste.adapters.postgres.event_log import PostgresEventLog
from foretaste.adapters.postgres.id_map import PostgresIdMap
from foretaste.app.importing import import_events
from foretaste.domain.errors import NotDurableError, UnconfirmedError
from foretaste.testing.contracts.event_log import events
from foretaste.testing.servers.postgres import drop_schema, new_schema


class Unsure(MemoryEventLog):
    """Says of the submissions in `unsure` that it does not know; of those in `lost` nothing is stored."""

    def __init__(self, *, unsure=(), lost=(), error=UnconfirmedError):
        super().__init__()
        self.times, self.unsure, self.lost, self.error = 0, unsure, lost, error

    def submit(self, events, *, reached=None):
        self.times += 1
        future = Future()
        if self.times not in self.lost:
            future = super().submit(events, reached=reached)
        if self.times in self.unsure or self.times in self.lost:
            future = Future()
            future.set_exception(self.error("not known", retry_after=0.0))
        return future


def ids(log):
    return [event.event_id for _, event in log.events(0, 1_000)]


def test_what_was_not_confirmed_is_sent_again_and_counts_once():
    log = Unsure(unsure=(1, 2, 4), lost=(3,))
    batches = [events(0, 10), events(5, 20), events(20, 30)]
    assert import_events(log, batches, at_once=1) == (30, 5)
    assert ids(log) == [event.event_id for event in events(0, 30)]


def test_one_at_a_time_events_stand_in_the_order_in_which_they_came():
    log = Unsure(lost=(2,))
    import_events(log, [events(0, 10), events(10, 20), events(20, 30)], at_once=1)
    assert ids(log) == [event.event_id for event in events(0, 30)]


def test_without_end_it_gives_up():
    log = Unsure(lost=range(1, 1_000_000))
    with pytest.raises(UnconfirmedError):
        import_events(log, [events(0, 10)], patience=0.05)


def test_what_the_disk_refuses_is_not_sent_again():
    log = Unsure(lost=(1,), error=NotDurableError)
    with pytest.raises(NotDurableError):
        import_events(log, [events(0, 10)])
    assert log.times == 1


def test_a_state_that_takes_longer_to_begin_than_a_write_may_does_not_end_an_import(postgres):
    schema = new_schema()
    pauses = [1.5]
    with closing(PostgresDatabase(postgres, schema, connections=3)) as database:
        log = PostgresEventLog(
            database,
            PostgresIdMap(database),
            on_commit=lambda _: time.sleep(pauses.pop() if pauses else 0.0),
            write_seconds=0.5,
        )
        with closing(log):
            assert import_events(log, [events(0, 100), events(100, 200)]) == (200, 0)
            assert log.last_seq() == 200
    drop_schema(postgres, schema)

"""What tells a process what the others wrote keeps its promises, and falls behind nobody."""

import threading
import time
from contextlib import closing

import psycopg
import pytest

from foretaste.adapters.postgres import follower
from foretaste.adapters.postgres.catalog import PostgresCatalog
from foretaste.adapters.postgres.database import PostgresDatabase
from foretaste.adapters.postgres.event_log import PostgresEventLog
from foretaste.adapters.postgres.follower import PostgresFollower
from foretaste.adapters.postgres.id_map import PostgresIdMap
from foretaste.adapters.postgres.profiles import PostgresProfiles
from foretaste.domain.errors import CorruptDataError, UnavailableError
from foretaste.testing import postgres_faults as faults
from foretaste.testing.contracts.event_log import events, submitted
from foretaste.testing.contracts.freshness import FreshnessContract, Told
from foretaste.testing.postgres_sites import PostgresSite

SECONDS = 60.0


def told(url, schema, kind=PostgresFollower, **options):
    database = PostgresDatabase(url, schema, connections=3)
    id_map = PostgresIdMap(database)
    log = PostgresEventLog(database, id_map, write_seconds=SECONDS, **options)
    freshness = kind(database, log, answer_seconds=SECONDS)
    return Told(log, PostgresCatalog(database, id_map), PostgresProfiles(database), freshness)


@pytest.fixture
def site(postgres):
    with closing(PostgresSite(postgres)) as opened:
        yield opened


@pytest.fixture
def pair(site, postgres):
    both = told(postgres, site.schema), told(postgres, site.schema)
    yield both
    for one in both:
        one.freshness.close()
        one.log.close()


class TestPostgresFollower(FreshnessContract):
    pass


def test_a_follower_is_told_by_itself_what_others_append(site, postgres):
    heard = []
    here = told(postgres, site.schema, on_commit=lambda columns: heard.extend(columns.seq.tolist()))
    there = site.open().log
    try:
        for number in range(5):
            submitted(there, events(number * 10, number * 10 + 10))
        deadline = time.monotonic() + SECONDS
        while len(heard) < 50 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert heard == list(range(1, 51))
    finally:
        here.freshness.close()
        here.log.close()


def test_a_follower_that_asks_nobody_is_noticed(site, postgres):
    both = [told(postgres, site.schema, faults.AsksNobody) for _ in range(2)]
    try:
        with pytest.raises(AssertionError):
            FreshnessContract().test_the_head_is_that_of_the_person_whoever_wrote_it((both[0], both[1]))
    finally:
        for one in both:
            one.freshness.close()
            one.log.close()


def test_a_busy_subscriber_is_not_taken_for_a_server_that_is_away(site, postgres, monkeypatch):
    monkeypatch.setattr(follower, "FOLLOW_SECONDS", 0.05)
    released, entered = threading.Event(), threading.Event()

    def slow(_):
        entered.set()
        released.wait(SECONDS)

    here = told(postgres, site.schema, on_commit=slow)
    there = site.open().log
    try:
        submitted(there, events(0, 1))
        assert entered.wait(SECONDS)
        time.sleep(0.3)  # several looks that cannot get through
        assert here.freshness.head_of("user-0").user_seq == 1
    finally:
        released.set()
        here.freshness.close()
        here.log.close()


def test_a_log_that_lost_its_end_is_noticed_and_nothing_is_acknowledged_any_more(site, postgres):
    here = told(postgres, site.schema)
    try:
        submitted(here.log, events(0, 5))
        with psycopg.connect(postgres, options=f"-c search_path={site.schema}") as connection:
            connection.execute("DELETE FROM event WHERE seq > 3")
        with pytest.raises(CorruptDataError, match="ends at 3"):
            here.log.require_same_log()
        with pytest.raises(UnavailableError):
            submitted(here.log, events(9, 10))
        with pytest.raises(UnavailableError):
            here.log.catch_up()
    finally:
        here.freshness.close()
        here.log.close()


def test_catching_up_waits_until_the_subscriber_has_taken_the_events_in(site, postgres):
    released, entered, heard = threading.Event(), threading.Event(), []

    def slow(columns):
        entered.set()
        released.wait(SECONDS)
        heard.extend(columns.seq.tolist())

    here = told(postgres, site.schema, on_commit=slow)
    there = site.open().log
    try:
        submitted(there, events(0, 1))
        assert entered.wait(SECONDS)
        assert here.log.last_seq() == 1
        known = []
        waits = threading.Thread(target=lambda: known.append((here.freshness.catch_up(1), list(heard))))
        waits.start()
        waits.join(0.3)
        assert waits.is_alive()
        released.set()
        waits.join(SECONDS)
        assert known == [(None, [1])]
    finally:
        released.set()
        here.freshness.close()
        here.log.close()

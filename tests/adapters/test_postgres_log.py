"""What the log in PostgreSQL promises beyond the port: many writers, odd texts, horizons, crashes."""

import random
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from postgres_child import numbered

from foretaste.adapters.postgres.database import PostgresDatabase
from foretaste.adapters.postgres.event_log import PostgresEventLog
from foretaste.adapters.postgres.id_map import PostgresIdMap
from foretaste.domain.clock import MICROS_PER_DAY
from foretaste.domain.errors import (
    InvalidEventError,
    InvalidInputError,
    NotDurableError,
    UnavailableError,
)
from foretaste.testing import postgres_faults as faults
from foretaste.testing.contracts.event_log import (
    EventLogContract,
    an_event,
    events,
    expected,
    submitted,
    told,
)
from foretaste.testing.postgres_sites import PostgresSite
from foretaste.testing.rounds import assert_none_lost_or_doubled, kill_rounds
from foretaste.testing.servers.fixtures import required
from foretaste.testing.servers.postgres import own_postgres
from foretaste.testing.sites import Stores
from foretaste.testing.waiting import until

CHILD = Path(__file__).with_name("postgres_child.py")
SECONDS = 60.0
LARGE = 2_001
KILLS = kill_rounds(3)


@pytest.fixture
def site(postgres):
    with closing(PostgresSite(postgres)) as opened:
        yield opened


def opened(url, schema, **options):
    database = PostgresDatabase(url, schema, connections=3)
    id_map = PostgresIdMap(database)
    return Stores(PostgresEventLog(database, id_map, **{"write_seconds": SECONDS, **options}), id_map, None)


def child(url, schema, first, count, seed=0, kind="sound"):
    command = [sys.executable, str(CHILD), url, schema, str(first), str(count), str(seed), kind]
    return subprocess.Popen(command, stdout=subprocess.PIPE)


def test_text_with_nul_comes_back_and_stays_apart(site):
    stores = site.open()
    odd = ["a\0b", "a\x1a0b", "a\x1ab", "a\x1a1b", "\0", "\x1a", "", "ab", "\x1a0"]
    batch = [
        an_event(
            n,
            event_id=f"e{text}",
            user_id=text,
            item_id=text,
            session_id=text,
            recommendation_id=text,
            context={text: text},
        )
        for n, text in enumerate(odd)
    ]
    assert [status for _, status, _ in submitted(stores.log, batch)] == ["accepted"] * len(odd)
    assert [event for _, event in stores.log.events(0, 100)] == batch
    assert stores.id_map.names("user") == odd
    assert site.open().id_map.names("item") == odd


def test_what_cannot_be_stored_is_refused_and_hurts_nobody_else(site):
    log = site.open().log
    with pytest.raises(InvalidEventError, match="surrogate"):
        log.submit([an_event(0, user_id="\ud800")])
    with pytest.raises(InvalidEventError, match="longer"):
        log.submit([an_event(0, item_id="é" * 1001)])
    with pytest.raises(InvalidEventError, match="finite"):
        log.submit([an_event(0, value=float("inf"))])
    types = [an_event(number, type=f"type-{number}") for number in range(1025)]
    futures = [log.submit(events(0, 1)), log.submit(types), log.submit(events(2000, 2001))]
    with pytest.raises(InvalidInputError, match="most there can be"):
        futures[1].result(SECONDS)
    assert [futures[place].result(SECONDS)[0].seq for place in (0, 2)] == [1, 2]
    assert log.last_seq() == len(log.read(0, 10**6)) == 2


def test_a_large_batch_is_stored_like_any_other(site):
    stores = site.open()
    batch = [an_event(n, value=n / 7 if n % 2 else None, context={"n": str(n)}) for n in range(LARGE)]
    batch.append(batch[3])
    outcomes = submitted(stores.log, batch)
    assert outcomes[-1] == (batch[3].event_id, "duplicate", 4)
    assert [event for _, event in stores.log.events(0, 10**6)] == batch[:-1]
    assert told(stores, stores.log.read(0, 10**6)) == expected(batch[:-1])
    again = submitted(stores.log, batch)
    assert {status for _, status, _ in again} == {"duplicate"}
    assert stores.log.last_seq() == LARGE


APPEND_OF_THE_RELEASE_BEFORE = """SELECT append_events(
    ARRAY[%s::bigint], ARRAY[%s], ARRAY[%s], ARRAY['i'], ARRAY['view'], ARRAY[7::bigint],
    ARRAY[NULL::double precision], ARRAY[NULL::text], ARRAY[NULL::text], ARRAY[NULL::text],
    NULL, 30, ARRAY[]::text[], ARRAY[]::bigint[])"""


def test_a_process_of_the_release_before_appends_beside_ours(site, postgres):
    log = site.open().log
    with psycopg.connect(postgres, options=f"-c search_path={site.schema}") as connection:
        for n in range(6):
            if n % 2:
                submitted(log, [an_event(10 * n + k, user_id=user) for k, user in enumerate(("a", f"u{n}"))])
                submitted(log, [an_event(100 + n, user_id="a")])
            else:
                arguments = (n, f"old-{n}", "a")
                connection.execute(APPEND_OF_THE_RELEASE_BEFORE, arguments)
                connection.commit()
    assert_every_user_s_events_are_linked(site, postgres)
    assert log.last_seq() == 12


def test_who_followed_a_log_that_lost_its_end_does_not_append_to_it(site, postgres):
    log = site.open().log
    submitted(log, events(0, 3))
    with psycopg.connect(postgres, options=f"-c search_path={site.schema}") as connection:
        connection.execute("TRUNCATE event, name, event_key, user_head")
    with pytest.raises(NotDurableError, match="lost events"):
        submitted(log, events(3, 4))


def test_names_that_mean_something_else_by_now_are_not_appended_under(site, postgres):
    log = site.open().log
    submitted(log, events(0, 3))
    with psycopg.connect(postgres, options=f"-c search_path={site.schema}") as connection:
        connection.execute("UPDATE name SET id = id || ' of another log' WHERE kind = 1")
    with pytest.raises(NotDurableError, match="lost events"):
        submitted(log, events(3, 4))
    with pytest.raises(UnavailableError, match="restart"):
        log.catch_up()


def test_an_event_id_is_recognized_within_the_horizon_and_its_keys_are_dropped_after_it(site, postgres):
    today = [20_000]
    site.open()
    with closing(
        opened(postgres, site.schema, dedupe_days=30, clock=lambda: today[0] * MICROS_PER_DAY).log
    ) as log:
        assert submitted(log, events(0, 1))[0][1:] == ("accepted", 1)
        today[0] += 29
        assert submitted(log, events(0, 1))[0][1:] == ("duplicate", 1)
        today[0] += 1
        assert submitted(log, events(0, 1))[0][1:] == ("accepted", 2)
        today[0] += 10
        submitted(log, events(1, 2))
    with psycopg.connect(postgres) as connection:
        kept = connection.execute(
            "SELECT relname FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace"
            " WHERE nspname = %s AND relname ~ 'event_key_[0-9]+$' ORDER BY 1",
            (site.schema,),
        ).fetchall()
    assert [name for (name,) in kept] == ["event_key_4005", "event_key_4006", "event_key_4008"]


def test_a_user_s_events_are_linked_and_their_head_is_known(site, postgres):
    log = site.open().log
    for n in range(4):
        submitted(log, [an_event(3 * n + k, user_id=("a", "b", "a")[k]) for k in range(3)])
    assert_every_user_s_events_are_linked(site, postgres)


def assert_every_user_s_events_are_linked(site, postgres):
    with psycopg.connect(postgres, options=f"-c search_path={site.schema}") as connection:
        chain = connection.execute("SELECT user_ordinal, seq, previous FROM event ORDER BY seq").fetchall()
        heads = dict(connection.execute("SELECT user_ordinal, seq FROM user_head").fetchall())
    before = {}
    for user, seq, previous in chain:
        assert previous == before.get(user, 0)
        before[user] = seq
    assert heads == before


def test_a_subscriber_hears_of_other_processes_before_its_own_acknowledgement(site):
    heard = []
    here = site.open(heard.append)
    there = site.open().log
    for number in range(20):
        submitted(there, events(number * 10, number * 10 + 3))
        submitted(here.log, events(number * 10 + 3, number * 10 + 5))
        assert sum(map(len, heard)) == 5 * (number + 1)
    assert [seq for columns in heard for seq in columns.seq.tolist()] == list(range(1, 101))
    rows = [row for columns in heard for row in told(here, columns)]
    assert rows == told(here, here.log.read(0, 1000))
    here.log.catch_up()
    assert submitted(here.log, events(0, 3))[0][1] == "duplicate"


def test_a_duplicate_of_what_another_process_wrote_is_told_before_it_is_acknowledged(site):
    heard = []
    here, there = site.open(heard.append).log, site.open().log
    submitted(there, events(0, 3))
    assert submitted(here, events(2, 3)) == [("event-2", "duplicate", 3)]
    assert sum(map(len, heard)) == 3


def test_a_log_that_does_not_follow_others_is_noticed(postgres):
    log = faults.TellsNobodyElse
    with closing(PostgresSite(postgres, log=log)) as site, pytest.raises(AssertionError):
        test_a_subscriber_hears_of_other_processes_before_its_own_acknowledgement(site)


@pytest.mark.parametrize(
    ("fault", "promise"),
    [
        (faults.ForgetsKeysAtOnce, "test_an_event_id_counts_once_across_batches"),
        (faults.ForgetsKeysAtOnce, "test_an_event_id_counts_once_across_a_crash"),
        (faults.LosesNames, "test_events_are_numbered_from_one_in_the_order_given"),
        (faults.TellsTwice, "test_subscribers_hear_the_log_in_order_and_once"),
    ],
)
def test_a_planted_fault_breaks_the_promise_it_attacks(postgres, fault, promise):
    with closing(PostgresSite(postgres, log=fault)) as site, pytest.raises((AssertionError, IndexError)):
        getattr(EventLogContract(), promise)(site)


def followed(postgres, schema, *, writers, each, seconds=SECONDS):
    """Return the numbers that a reader saw while processes wrote beside an open transaction, and all."""
    seen = []
    with closing(
        opened(postgres, schema, on_commit=lambda columns: seen.extend(columns.seq.tolist())).log
    ) as log:
        idle = psycopg.connect(postgres, options=f"-c search_path={schema}")
        idle.execute("SELECT count(*) FROM event")  # a transaction that stays open all the time
        idle.execute("SELECT txid_current()")
        children = [child(postgres, schema, 100_000 * number, each, number) for number in range(writers)]
        try:
            deadline = time.monotonic() + seconds
            while any(one.poll() is None for one in children) and time.monotonic() < deadline:
                log.catch_up()
            assert all(one.wait(1) == 0 for one in children)
        finally:
            for one in children:
                one.kill()
                one.communicate()
            idle.close()
        log.catch_up()
        stored = log.read(0, 10**9).seq.tolist()
    return seen, stored


def test_no_reader_skips_or_repeats_while_processes_write_beside_long_transactions(site, postgres):
    site.open()
    seen, stored = followed(postgres, site.schema, writers=3, each=1_000)
    assert len(stored) == 3_000
    assert seen == stored == list(range(1, 3_001))


def test_the_check_would_notice_numbers_that_become_visible_out_of_order(site, postgres):
    stores = site.open()
    with stores.log._database.lend() as connection:
        faults.plant(connection, faults.NUMBERS_BY_SEQUENCE)
    seen, stored = followed(postgres, site.schema, writers=3, each=300)
    assert seen != stored


def test_writers_that_do_not_wait_for_each_other_are_noticed(site):
    log = site.open().log
    with log._database.lend() as connection:
        faults.plant(connection, faults.NUMBERS_WITHOUT_WAITING)
        connection.execute("BEGIN")
        connection.execute(
            "SELECT * FROM change_items(ARRAY['x'], ARRAY[''::bytea], ARRAY['{}'], ARRAY['[]'],"
            " ARRAY[NULL::text], true, 0, 0)"
        )
        waits = threading.Thread(target=lambda: log.submit([an_event(0, item_id="y")]).exception(SECONDS))
        waits.start()
        waits.join(0.5)
        blocked = waits.is_alive()
        connection.execute("COMMIT")
        waits.join(SECONDS)
    assert blocked, "both gave the ordinal 0"


def test_the_isolation_level_of_a_server_does_not_matter(site, postgres):
    with psycopg.connect(postgres, autocommit=True) as admin:
        admin.execute("ALTER DATABASE postgres SET default_transaction_isolation = 'serializable'")
        admin.execute("ALTER DATABASE postgres SET synchronous_commit = off")
    try:
        log = site.open().log
        assert submitted(log, events(0, 1))[0][1] == "accepted"
        with log._database.lend() as connection:
            assert connection.execute("SHOW synchronous_commit").fetchone() == ("on",)
    finally:
        with psycopg.connect(postgres, autocommit=True) as admin:
            admin.execute("ALTER DATABASE postgres RESET default_transaction_isolation")
            admin.execute("ALTER DATABASE postgres RESET synchronous_commit")


@pytest.fixture(scope="module")
def own():
    with required(own_postgres()) as server:
        yield server


TRIES = 5


def killed(server, schema, chance, kind, rounds):
    """Kill the server so often while a process writes; return what was acknowledged and what is stored."""
    opened(server.url, schema).log.close()
    with child(server.url, schema, 0, 0, kind=kind) as writer:
        lines = []
        reader = threading.Thread(target=lambda: lines.extend(iter(writer.stdout.readline, b"")))
        reader.start()
        for _ in range(rounds):
            begun = len(lines)
            wanted = begun + chance.randrange(5, 40)
            until(lambda wanted=wanted: len(lines) >= wanted)
            server.kill()
            if kind == "lazy":
                writer.kill()  # it would bring back what was lost
            server.start()
        if kind == "sound":
            begun = len(lines)
            until(lambda: len(lines) > begun + 3)
        writer.kill()
        reader.join()
    acknowledged = {n for line in lines if line.endswith(b"\n") for n in range(*map(int, line.split()))}
    with closing(opened(server.url, schema).log) as log:
        whole = log.events(0, 10**9)
    assert len(acknowledged) > 10 * rounds
    return acknowledged, whole


def test_a_server_killed_under_load_loses_nothing_acknowledged_and_stores_nothing_twice(own):
    acknowledged, whole = killed(own, "foretaste_killed", random.Random(7), "sound", KILLS)
    numbers = [int(event.event_id.removeprefix("event-")) for _, event in whole]
    assert [seq for seq, _ in whole] == list(range(1, len(whole) + 1))
    assert_none_lost_or_doubled("PostgreSQL's log", KILLS, acknowledged, numbers)
    assert [event for _, event in whole] == [numbered(number) for number in numbers]


def test_the_check_would_notice_commits_that_do_not_wait_for_the_disk():
    with required(own_postgres({"wal_writer_delay": "10000"})) as server:
        assert any(loses_something(server, f"foretaste_lazy_{number}") for number in range(TRIES))


def loses_something(server, schema):
    """Return whether one kill lost what was acknowledged: not where the log was just written by chance."""
    acknowledged, whole = killed(server, schema, random.Random(7), "lazy", 1)
    return not acknowledged <= {int(event.event_id.removeprefix("event-")) for _, event in whole}


def test_a_server_that_hangs_makes_writes_fail_in_time_and_recovers_by_itself(own):
    log = opened(own.url, "foretaste_hangs", write_seconds=0.6).log
    with closing(log):
        submitted(log, events(0, 1))
        own.pause()
        try:
            begun = time.monotonic()
            with pytest.raises(NotDurableError) as refused:
                log.submit(events(1, 2)).result(SECONDS)
            assert time.monotonic() - begun < 2.0
            assert refused.value.retry_after > 0
            with pytest.raises(UnavailableError):
                log.catch_up(seconds=0.2)
        finally:
            own.resume()
        until(lambda: log.submit(events(1, 2)).exception(SECONDS) is None)
        assert log.last_seq() == 2

"""PostgreSQL away: reads go on and say so, writes are refused in time, and all comes back by itself.

One test per cell: down at start, dies, hangs, slow, returns; each for reading and for writing.
"""

import threading
import time
from contextlib import contextmanager

import pytest

from foretaste.app.settings import Settings
from foretaste.app.wiring import open_home
from foretaste.domain.errors import NotDurableError, UnavailableError
from foretaste.domain.item import Item
from foretaste.domain.query import Query
from foretaste.testing.servers.fixtures import required
from foretaste.testing.servers.postgres import own_postgres
from foretaste.testing.waiting import until

NOW = 1_700_000_000_000_000
SECONDS = 60.0
WRITE_SECONDS = 0.8
READ_DEADLINE = 2.0
"""How long an answer may take while the server is away, on a machine that others use too."""
WRITE_DEADLINE = 4.0
SLOW_HEAD = """
CREATE OR REPLACE FUNCTION head_of(user_id text, OUT user_seq bigint, OUT catalog_version bigint,
    OUT people_version bigint) LANGUAGE sql AS $$ SELECT 0::bigint, 0::bigint, 0::bigint
    FROM pg_sleep(5) $$"""
SLOW_APPEND = """
CREATE OR REPLACE FUNCTION begin_numbering() RETURNS void LANGUAGE sql AS $$ SELECT pg_sleep(5) $$"""


@pytest.fixture(scope="module")
def server():
    with required(own_postgres()) as running:
        yield running


@pytest.fixture
def settings(server, request):
    return Settings(
        database_url=server.url,
        database_schema=f"away_{abs(hash(request.node.name))}",
        database_connections=3,
        database_write_seconds=WRITE_SECONDS,
    )


@pytest.fixture
def home(tmp_path, settings):
    with open_home(tmp_path / "home", settings=settings, create=True) as opened:
        until(lambda: written(opened) is None)
        opened.put_items([Item(item_id=f"i{n}") for n in range(5)])
        until(lambda: answered(opened).source != "stale")
        yield opened


def answered(home):
    return home.answerer.recommend(Query(now=NOW, seed=1, user_id="ann"), dry_run=True)


def written(home, item_id="i0"):
    """Return what stood against recording an event, None if it was acknowledged."""
    try:
        home.recorder.record([{"user_id": "ann", "item_id": item_id, "type": "purchase"}], now=NOW)
    except UnavailableError as error:
        return error
    return None


@contextmanager
def within(seconds):
    begun = time.monotonic()
    yield
    assert time.monotonic() - begun < seconds


def assert_reads_go_on(home):
    with within(READ_DEADLINE):
        first = answered(home)
    assert {item.item_id for item in first.items} == {"i1", "i2", "i3", "i4"}
    assert first.source == "stale"


def assert_writes_are_refused(home):
    seq = home.state.seq
    with within(WRITE_DEADLINE):
        refused = written(home, "i1")
    assert isinstance(refused, NotDurableError)
    assert refused.retry_after > 0
    assert home.state.seq == seq
    with within(WRITE_DEADLINE + 3.0), pytest.raises(UnavailableError):
        home.put_items([Item(item_id="new")])


def assert_all_is_well_again(home):
    until(lambda: answered(home).source != "stale")
    until(lambda: written(home, "i2") is None)
    assert "i2" not in [item.item_id for item in answered(home).items]
    assert home.log.last_seq() == home.state.seq


@contextmanager
def dead(server):
    server.kill()
    try:
        yield
    finally:
        server.start()


@contextmanager
def hanging(server):
    server.pause()
    try:
        yield
    finally:
        server.resume()


@contextmanager
def slow(home, statement):
    """Let one of the server's functions take five seconds."""
    database = home.log._database
    (known,) = database.run(
        lambda lent: lent.execute(
            "SELECT pg_get_functiondef(oid) FROM pg_proc WHERE proname = substring(%s FROM 'FUNCTION (\\w+)')"
            " AND pronamespace = current_schema()::regnamespace",
            (statement,),
        ).fetchone()
    )
    database.run(lambda lent: lent.execute(statement))
    try:
        yield
    finally:
        database.run(lambda lent: lent.execute(known))


@pytest.mark.parametrize("away", [dead, hanging], ids=["dies", "hangs"])
def test_reads_go_on_and_say_so(server, home, away):
    with away(server):
        assert_reads_go_on(home)
        with within(0.5):
            for _ in range(10):
                assert answered(home).source == "stale"
        assert home.lag_seconds() > 0
    assert_all_is_well_again(home)


@pytest.mark.parametrize("away", [dead, hanging], ids=["dies", "hangs"])
def test_writes_are_refused_in_time_and_nothing_half_done_is_left(server, home, away):
    with away(server):
        assert_writes_are_refused(home)
    assert_all_is_well_again(home)


def test_reads_go_on_while_the_server_is_slow(home):
    with slow(home, SLOW_HEAD):
        assert_reads_go_on(home)
    assert_all_is_well_again(home)


def test_writes_are_refused_in_time_while_the_server_is_slow(home):
    with slow(home, SLOW_APPEND):
        assert_writes_are_refused(home)
    assert_all_is_well_again(home)


def test_a_server_that_is_down_at_the_start_is_waited_for(tmp_path, server, settings):
    opened, failed = [], []

    def start():
        try:
            opened.append(open_home(tmp_path / "home", settings=settings, create=True))
        except UnavailableError as error:
            failed.append(error)

    thread = threading.Thread(target=start)
    with dead(server):
        thread.start()
        thread.join(0.5)
        assert thread.is_alive()
    thread.join(SECONDS)
    assert failed == []
    with opened[0] as home:
        until(lambda: written(home) is None)
        assert answered(home).versions.state_seq >= 1


def test_what_was_written_elsewhere_meanwhile_is_known_after_the_return(tmp_path, server, home, settings):
    with hanging(server):
        assert_reads_go_on(home)
    with open_home(tmp_path / "other", settings=settings, create=True) as other:
        until(lambda: written(other, "i3") is None)
    until(lambda: answered(home).source != "stale")
    assert "i3" not in [item.item_id for item in answered(home).items]
    assert home.state.seq == home.log.last_seq() >= 2


def test_while_the_server_is_away_only_one_thread_asks_it(server, home, monkeypatch):
    asked = []
    database = home.log._database
    lend = database.lend

    def counted(**more):
        asked.append(threading.current_thread().name)
        return lend(**more)

    with hanging(server):
        until(lambda: answered(home).source == "stale")
        monkeypatch.setattr(database, "lend", counted)
        for _ in range(200):
            answered(home)
    assert set(asked) <= {"foretaste-follower"}
    monkeypatch.undo()
    assert_all_is_well_again(home)

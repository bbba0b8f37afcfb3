"""What the SQLite stores promise beyond the ports: grouping, bounds, locks, versions, a full disk."""

import sqlite3
import threading
from contextlib import closing

import pytest

from foretaste.adapters.sqlite.catalog import SqliteCatalog
from foretaste.adapters.sqlite.database import SqliteDatabase
from foretaste.adapters.sqlite.event_log import SqliteEventLog
from foretaste.adapters.sqlite.id_map import MOST, SqliteIdMap
from foretaste.adapters.sqlite.read_only import ReadOnlyDatabase
from foretaste.domain.clock import MICROS_PER_DAY
from foretaste.domain.errors import (
    CorruptDataError,
    InvalidEventError,
    InvalidInputError,
    NotDurableError,
    UnavailableError,
)
from foretaste.domain.item import Item
from foretaste.testing.contracts.event_log import an_event, events, expected, submitted, told
from foretaste.testing.sites import SqliteSite, Stores


@pytest.fixture
def path(tmp_path):
    return tmp_path / "home" / "foretaste.db"


def opened(database, **options):
    id_map = SqliteIdMap(database)
    return Stores(SqliteEventLog(database, id_map, **options), id_map, SqliteCatalog(database, id_map))


@pytest.fixture
def database(path):
    with closing(SqliteDatabase(path, most_waiting=100)) as database:
        yield database


@pytest.fixture
def held(database):
    """Hold the writer's thread until the event is set."""
    release, started = threading.Event(), threading.Event()

    def wait(_):
        started.set()
        release.wait(30)

    database.writer.submit(wait)
    started.wait(30)
    yield release
    release.set()


def test_a_file_with_damaged_pages_is_named_wherever_it_is_read(path):
    with closing(SqliteDatabase(path)) as database:
        stores = opened(database)
        stores.log.submit([an_event(n) for n in range(500)]).result()
        pages = path.parent / "damaged.db"
        with database.reading() as connection:
            connection.execute(f"VACUUM INTO '{pages}'")
    content = pages.read_bytes()
    pages.write_bytes(content[:4096] + b"?" * (len(content) - 4096))
    for kind in (SqliteDatabase, ReadOnlyDatabase):
        with (
            closing(kind(pages)) as database,
            pytest.raises(CorruptDataError, match=r"damaged\.db is damaged.*restore it"),
        ):
            SqliteIdMap(database)


def pragma(database, name):
    return database.writer.call(lambda begin: begin().execute(f"PRAGMA {name}").fetchone()[0])


def test_commits_are_synced_to_the_disk(database):
    assert (pragma(database, "journal_mode"), pragma(database, "synchronous")) == ("wal", 2)


def test_batches_that_wait_together_share_one_transaction(database, held):
    heard = []
    log = opened(database, on_commit=heard.append).log
    futures = [log.submit([event]) for event in events(0, 20)]
    held.set()
    assert [future.result(30)[0].seq for future in futures] == list(range(1, 21))
    assert [len(columns) for columns in heard] == [20]


def test_past_the_bound_a_batch_is_refused_and_nothing_of_it_is_kept(database, held):
    log = opened(database).log
    kept = log.submit(events(0, 100))
    with pytest.raises(UnavailableError, match="try again") as refused:
        log.submit(events(100, 101))
    assert refused.value.retry_after > 0
    held.set()
    kept.result(30)
    assert submitted(log, events(100, 101)) == [("event-100", "accepted", 101)]


def test_a_batch_that_cannot_be_stored_does_not_hurt_those_beside_it(database, held):
    stores = opened(database)
    good = stores.log.submit(events(0, 3))
    too_many = [an_event(1000 + n, type=f"invented-{n}") for n in range(MOST["type"] + 1)]
    bad = stores.log.submit(too_many[: MOST["type"]])
    held.set()
    assert [outcome.seq for outcome in good.result(30)] == [1, 2, 3]
    with pytest.raises(InvalidInputError, match="types"):
        bad.result(30)
    assert submitted(stores.log, events(3, 5)) == [("event-3", "accepted", 4), ("event-4", "accepted", 5)]
    assert told(stores, stores.log.read(0, 100)) == expected(events(0, 5))
    assert stores.id_map.names("type") == ["view", "click", "purchase"]


@pytest.mark.parametrize(
    "wrong",
    [{"user_id": "\ud800"}, {"event_id": "\ud800"}, {"timestamp": 2**63}, {"value": float("nan")}],
    ids=lambda wrong: next(iter(wrong)),
)
def test_an_event_that_cannot_be_stored_is_refused_at_once(database, wrong):
    log = opened(database).log
    with pytest.raises(InvalidEventError):
        log.submit([an_event(0), an_event(1, **wrong)])
    assert log.last_seq() == 0


def test_a_batch_that_was_cancelled_while_it_waited_is_not_written(database, held):
    log = opened(database).log
    futures = [log.submit([event]) for event in events(0, 3)]
    assert futures[1].cancel()
    held.set()
    assert [futures[0].result(30)[0].seq, futures[2].result(30)[0].seq] == [1, 2]


def test_a_second_writer_is_told_who_has_the_file(database, path):
    with pytest.raises(UnavailableError, match=r"in use by process \d+"):
        SqliteDatabase(path)
    database.close()
    SqliteDatabase(path).close()


def test_a_file_of_a_newer_version_is_left_alone(path):
    SqliteDatabase(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(UnavailableError, match="newer Foretaste"):
        SqliteDatabase(path)


def test_a_database_of_another_program_is_left_alone(path):
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    with pytest.raises(CorruptDataError, match="another program"):
        SqliteDatabase(path)


def test_a_file_that_is_no_database_is_named(path):
    path.parent.mkdir()
    path.write_bytes(b"certainly not a database, but a long enough text" * 100)
    with pytest.raises(CorruptDataError, match=r"foretaste\.db"):
        SqliteDatabase(path)


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UnavailableError, match="cannot be written"):
        SqliteDatabase(tmp_path / "file" / "foretaste.db")


def test_a_file_that_cannot_be_opened_leaves_the_lock(path):
    path.mkdir(parents=True)
    with pytest.raises(UnavailableError, match=r"foretaste\.db"):
        SqliteDatabase(path)
    path.rmdir()
    SqliteDatabase(path).close()


def test_a_subscriber_may_not_write_to_the_log(database):
    refusals = []

    def write(_):
        try:
            stores.id_map.assign("user", ["somebody new"])
        except UnavailableError as error:
            refusals.append(error.message)

    stores = opened(database, on_commit=write)
    submitted(stores.log, events(0, 1))
    assert "wait for itself" in refusals[0]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_event_that_the_subscriber_failed_on_is_not_acknowledged_and_the_log_stops(path):
    def fail(_):
        raise LookupError

    with closing(SqliteDatabase(path)) as database:
        log = opened(database, on_commit=fail).log
        with pytest.raises(UnavailableError, match="restart"):
            log.submit(events(0, 1)).result(30)
        with pytest.raises(UnavailableError):
            log.submit(events(1, 2))
    with closing(SqliteDatabase(path)) as database:
        assert submitted(opened(database).log, events(0, 2)) == [
            ("event-0", "duplicate", 1),
            ("event-1", "accepted", 2),
        ]


def test_an_event_id_is_known_within_the_horizon_and_may_return_after_it(path):
    day = [20_000]
    options = {"dedupe_days": 30, "clock": lambda: day[0] * MICROS_PER_DAY}
    with closing(SqliteDatabase(path)) as database:
        log = opened(database, **options).log
        submitted(log, events(0, 1))
        day[0] += 15
        submitted(log, events(1, 2))
        day[0] += 14
        assert submitted(log, events(0, 2)) == [("event-0", "duplicate", 1), ("event-1", "duplicate", 2)]
        day[0] += 1
        submitted(log, events(2, 3))
        assert submitted(log, events(0, 2)) == [("event-0", "accepted", 4), ("event-1", "duplicate", 2)]
    with closing(SqliteDatabase(path)) as database:
        log = opened(database, **options).log
        assert submitted(log, events(0, 2)) == [("event-0", "duplicate", 4), ("event-1", "duplicate", 2)]


def test_a_full_database_refuses_clearly_keeps_what_it_has_and_goes_on_when_there_is_room(database):
    stores = opened(database)
    submitted(stores.log, events(0, 10))
    pages = pragma(database, "page_count")
    pragma(database, f"max_page_count = {pages}")
    new = [an_event(n, user_id=f"new-{n}") for n in range(1000, 1500)]
    with pytest.raises(NotDurableError, match="disk space"):
        stores.log.submit(new).result(30)
    assert stores.log.last_seq() == 10
    assert told(stores, stores.log.read(0, 100)) == expected(events(0, 10))
    assert stores.id_map.find("user", ["new-1000"]).tolist() == [-1]
    pragma(database, "max_page_count = 100000")
    assert submitted(stores.log, new)[0] == ("event-1000", "accepted", 11)
    assert told(stores, stores.log.read(10, 1000)) == expected(new, 11)
    assert stores.id_map.names("user", 5) == [f"new-{n}" for n in range(1000, 1500)]


def test_a_catalog_that_could_not_be_written_keeps_its_version(database):
    stores = opened(database)
    stores.catalog.put([Item(item_id="a")])
    pragma(database, f"max_page_count = {pragma(database, 'page_count')}")
    with pytest.raises(NotDurableError):
        stores.catalog.put([Item(item_id=f"i{n}", text="x" * 1000) for n in range(50)])
    assert (stores.catalog.version(), stores.id_map.names("item")) == (1, ["a"])
    pragma(database, "max_page_count = 100000")
    assert stores.catalog.put([Item(item_id="b")]) == 2


def test_a_user_s_events_are_found_after_reopening_and_among_many(tmp_path):
    with closing(SqliteSite(tmp_path)) as site:
        submitted(site.open().log, events(0, 700))
        left = site.after_crash().log
        submitted(left, events(700, 800))
        mine = [event for event in events(0, 800) if event.user_id == "user-3"]
        assert left.of_user("user-3", 1000) == mine
        assert left.of_user("user-3", 5) == mine[-5:]

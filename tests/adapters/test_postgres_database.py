"""How a PostgreSQL is opened: its tables brought up to date, its errors explained, its settings checked."""

import threading
from contextlib import closing

import psycopg
import pytest

from foretaste.adapters.postgres import migrations
from foretaste.adapters.postgres.catalog import PostgresCatalog
from foretaste.adapters.postgres.checks import checks, checks_of
from foretaste.adapters.postgres.database import PostgresDatabase
from foretaste.adapters.postgres.exposure_log import PostgresExposureLog, ReadExposures
from foretaste.adapters.postgres.id_map import PostgresIdMap
from foretaste.adapters.postgres.profiles import PostgresProfiles
from foretaste.domain.errors import CorruptDataError, InvalidInputError, NotDurableError, UnavailableError
from foretaste.domain.item import Item
from foretaste.events.vectors import packed_vector
from foretaste.testing import postgres_faults as faults
from foretaste.testing.contracts.event_log import an_event, events, submitted
from foretaste.testing.contracts.exposure_log import NOW, an_exposure
from foretaste.testing.postgres_sites import PostgresSite
from foretaste.testing.servers.fixtures import required
from foretaste.testing.servers.postgres import own_postgres


@pytest.fixture
def site(postgres):
    with closing(PostgresSite(postgres)) as opened:
        yield opened


@pytest.fixture
def database(site, postgres):
    site.open()
    with closing(PostgresDatabase(postgres, site.schema, connections=2)) as opened:
        yield opened


def run(database, statement, *arguments):
    return database.run(lambda connection: connection.execute(statement, arguments).fetchall())


def test_why_a_server_takes_no_connection_is_said(postgres):
    url = f"{postgres.rpartition('/')[0]}/no_such_database"
    with pytest.raises(UnavailableError, match=r'"no_such_database" does not exist.*database_url') as refused:
        PostgresDatabase(url, "foretaste_default", open_seconds=1.0)
    assert refused.value.field == "database_url"


@pytest.mark.parametrize(
    "url",
    [
        "mysql://shop:geheim@host/name",
        "postgresql://shop:ge heim@host/name",
        "postgresql://shop:geheim/x@host/name",
        "postgresql://shop:1/geheim@host/name",
        "postgresql://shop:geheim@[host/name",
        "postgresql://shop:geheim@host/name?no_such_option=1",
    ],
)
def test_what_is_no_url_is_refused_without_telling_the_password(url):
    with pytest.raises(InvalidInputError, match="password is written as %2F") as refused:
        PostgresDatabase(url, "foretaste_default", open_seconds=1.0)
    assert "heim" not in f"{refused.value} {refused.value.__cause__}"
    assert refused.value.field == "database_url"


def test_processes_that_open_a_new_schema_at_once_agree(site):
    opened, failed = [], []

    def start():
        try:
            opened.append(site.open())
        except Exception as error:  # noqa: BLE001 - told by the assertion
            failed.append(error)

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert [submitted(stores.log, [an_event(n)])[0][2] for n, stores in enumerate(opened)] == [1, 2, 3, 4]


def test_steps_are_recorded_with_what_they_were(database):
    found = run(database, "SELECT number, name, checksum FROM migration ORDER BY number")
    assert found == [(step.number, step.name, step.checksum) for step in migrations.shipped()]
    assert [number for number, _, _ in found] == list(range(1, len(found) + 1))


def test_a_step_that_was_run_with_another_text_is_refused(database, postgres):
    run(database, "UPDATE migration SET checksum = 'other' WHERE number = 2 RETURNING 1")
    with pytest.raises(CorruptDataError, match="0002"):
        PostgresDatabase(postgres, database.schema)


def test_a_schema_of_the_next_release_is_worked_with(database, site):
    run(database, "INSERT INTO migration (number, name, checksum) VALUES (999, 'later', 'x') RETURNING 1")
    database.run(lambda connection: connection.execute("ALTER TABLE event ADD COLUMN later text"))
    assert submitted(site.open().log, events(0, 3))[-1][2] == 3


def test_who_migrates_beside_another_says_what_it_ran_itself_and_whom_it_waited_for(database, postgres):
    last = migrations.shipped()[-1]
    run(database, "DELETE FROM migration WHERE number = %s RETURNING 1", last.number)
    with psycopg.connect(postgres) as other:
        other.execute("SELECT pg_advisory_xact_lock(%s)", (migrations.OUR_LOCK,))
        with pytest.raises(UnavailableError, match="another process that does the same"):
            PostgresDatabase(postgres, database.schema, connections=2)
    with closing(PostgresDatabase(postgres, database.schema, connections=2)) as opened:
        assert opened.migrate() == (last.name,)
    with closing(PostgresDatabase(postgres, database.schema, connections=2)) as late:
        assert late.migrate() == ()


def test_only_who_may_migrate_does(postgres):
    with pytest.raises(UnavailableError, match="foretaste migrate"):
        PostgresDatabase(postgres, "foretaste_never_made", migrating=False)


def test_what_is_opened_for_reading_writes_nothing(site, postgres):
    submitted(site.open().log, events(0, 1))
    with closing(PostgresDatabase(postgres, site.schema, read_only=True)) as database:
        ids = PostgresIdMap(database)
        with pytest.raises(UnavailableError, match="refuses to write"):
            PostgresCatalog(database, ids).put([Item(item_id="a")])
        with pytest.raises(UnavailableError, match="refuses to write"):
            PostgresProfiles(database).put({"anna": {}})
        assert ids.names("user") == ["user-0"]


def test_exposures_are_read_beside_those_who_write_them(site, postgres):
    site.open()
    with (
        closing(PostgresDatabase(postgres, site.schema, connections=2)) as writing,
        closing(PostgresDatabase(postgres, site.schema, read_only=True, connections=2)) as reading,
        closing(PostgresExposureLog(writing, clock=lambda: NOW)) as log,
    ):
        log.record(an_exposure("theirs"))
        log.flush()
        read = ReadExposures(reading)
        read.record(an_exposure("mine"))
        assert [one.recommendation_id for one in read.read()] == ["theirs"]
        assert read.get("theirs") == an_exposure("theirs")
        assert read.get("mine") == an_exposure("mine")
        assert log.get("mine") is None


def test_an_url_that_is_none_is_an_error_that_says_so(postgres):
    for url in ("mysql://root@127.0.0.1/x", "nonsense"):
        with pytest.raises(InvalidInputError, match="database_url"):
            PostgresDatabase(url, "foretaste_x")
    with closing(PostgresDatabase(postgres.replace("postgresql", "postgresql+psycopg"), "public")) as opened:
        assert "postgres" in opened.where


def test_a_server_that_is_not_there_is_reported_in_time_without_its_password():
    with pytest.raises(UnavailableError) as refused:
        PostgresDatabase("postgresql://u:secret@127.0.0.1:1/x", "foretaste_x", open_seconds=0.5)
    assert "127.0.0.1:1/x" in refused.value.message
    assert "secret" not in refused.value.message


def test_a_sound_server_passes_the_checks(database):
    assert [check.words for check in checks(database) if check.level == "problem"] == []


def test_commits_that_do_not_wait_for_the_disk_are_found(database, postgres):
    with closing(faults.CommitsLazily(postgres, database.schema, connections=2)) as lazy:
        (found,) = [check for check in checks(lazy) if check.level == "problem"]
    assert "synchronous_commit is off" in found.words
    assert found.remedy


@pytest.fixture(scope="module")
def with_vectors():
    with required(own_postgres({"fsync": "off"}, from_wheel=True)) as server:
        yield server.url


def test_a_server_that_does_not_sync_is_found(with_vectors):
    with closing(PostgresDatabase(with_vectors, "foretaste_unsafe", connections=2)) as database:
        problems = [check.words for check in checks(database) if check.level == "problem"]
    assert any("fsync is off" in words for words in problems)


def test_the_extension_for_vectors_is_used_by_the_migration_after_it_came(with_vectors):
    with closing(PostgresDatabase(with_vectors, "foretaste_late", connections=2)) as database:
        database.migrate()
        database.run(lambda connection: connection.execute("DROP TABLE embedding"))
        with closing(PostgresDatabase(with_vectors, database.schema, connections=2)) as again:
            assert again.migrate() == ()
        assert run(database, "SELECT to_regclass('embedding')")[0][0] == "embedding"


def test_vectors_are_kept_beside_the_items_where_pgvector_is(with_vectors):
    with closing(PostgresSite(with_vectors)) as site:
        catalog = site.open().catalog
        catalog.put(
            [Item(item_id=name, vector=packed_vector([x] * 384)) for name, x in (("a", 1.0), ("b", -1.0))]
        )
        catalog.put([Item(item_id="c"), Item(item_id="b")])
        with psycopg.connect(with_vectors, options=f"-c search_path={site.schema},public") as connection:
            kept = connection.execute("SELECT item_ordinal FROM embedding").fetchall()
            connection.execute("SET enable_seqscan = off")
            plan = connection.execute(
                "EXPLAIN SELECT item_ordinal FROM embedding WHERE vector_dims(vector) = 384"
                " ORDER BY vector::vector(384) <=> %s::vector(384) LIMIT 1",
                (str([1.0] * 384),),
            ).fetchall()
        assert kept == [(0,)]
        assert "embedding_384" in str(plan)


def test_attributes_can_be_asked_by_sql_with_an_index(database, site):
    stores = site.open()
    stores.catalog.put([Item(item_id="fox", categories=("red",), attributes={"new": True, "colour": "r\0d"})])
    PostgresProfiles(database).put({"anna": {"country": "France", "age": 20.0}})
    items = "SELECT item_ordinal FROM catalog WHERE attributes @> '{\"new\": true}' AND categories @> '{red}'"
    people = 'SELECT user_id FROM profile WHERE attributes @> \'{"country": "France"}\''
    assert run(database, items) == [(0,)]
    assert run(database, people) == [("anna",)]

    def plan(connection):
        connection.execute("SET enable_seqscan = off")
        return str([connection.execute(f"EXPLAIN {asked}").fetchall() for asked in (items, people)])

    found = database.run(plan)
    assert "profile_by_attributes" in found
    assert "catalog_by_" in found


def test_what_the_server_refuses_to_store_is_not_acknowledged(site):
    log = site.open().log
    with log._database.lend() as connection:
        connection.execute("ALTER TABLE event ADD CONSTRAINT refusing CHECK (seq < 3) NOT VALID")
    assert submitted(log, events(0, 2))[-1][2] == 2
    with pytest.raises(NotDurableError):
        log.submit(events(2, 3)).result(60)
    assert log.last_seq() == 2


def test_a_schema_that_was_never_made_is_found_by_the_checks(postgres):
    problems = [check for check in checks_of(postgres, "foretaste_never_made") if check.level == "problem"]
    assert [check.remedy for check in problems] == ["foretaste migrate"]

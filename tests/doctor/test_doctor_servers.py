"""`foretaste doctor` and `migrate` look at the real servers that are set."""

import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from secrets import token_hex
from threading import Thread

import pytest

from foretaste.adapters.kafka.cluster import KafkaCluster
from foretaste.app.cli.doctor_servers import server_findings
from foretaste.app.settings import Settings
from foretaste.domain import extras
from foretaste.testing.servers.fixtures import required
from foretaste.testing.servers.process import free_port
from foretaste.testing.servers.redis import FAMILIES, redis_server, redis_url


def told(settings):
    """What was found, by server: the levels and the words."""
    found = {}
    for finding in server_findings(settings):
        found.setdefault(finding.about, []).append((finding.level, finding.words, finding.remedy))
    return found


def words(found):
    return " ".join(text for _, text, _ in found)


def test_nothing_is_said_of_servers_that_are_not_set():
    assert told(Settings()) == {}


def test_a_missing_driver_comes_with_its_install_command(monkeypatch):
    def absent(_):
        raise ModuleNotFoundError(name="psycopg")

    monkeypatch.setattr(extras, "import_module", absent)
    ((level, said, remedy),) = told(Settings(database_url="postgresql://server/name"))["PostgreSQL"]
    assert (level, remedy) == ("problem", "pip install 'foretaste[postgres]'")
    assert said == "database_url needs the package psycopg"


def test_a_database_without_our_tables_is_brought_up_by_migrate(postgres, schema, foretaste, monkeypatch):
    settings = Settings(database_url=postgres, database_schema=schema)
    before = told(settings)["PostgreSQL"]
    assert ("problem", "foretaste migrate") in [(level, remedy) for level, _, remedy in before]
    monkeypatch.setenv("FORETASTE_DATABASE_URL", postgres)
    monkeypatch.setenv("FORETASTE_DATABASE_SCHEMA", schema)
    first, again = (foretaste("migrate", "--home", "home", "--json").json["steps"] for _ in range(2))
    assert first[0].startswith("0001")
    assert again == []
    after = told(settings)["PostgreSQL"]
    assert "problem" not in [level for level, _, _ in after]
    assert "up to date" in words(after)
    assert "commits survive a crash" in words(after)


def test_the_whole_doctor_says_how_it_is(postgres, schema, foretaste, monkeypatch):
    monkeypatch.setenv("FORETASTE_DATABASE_URL", postgres)
    monkeypatch.setenv("FORETASTE_DATABASE_SCHEMA", schema)
    foretaste("migrate", "--home", "home")
    outcome = foretaste("doctor", "--home", "home", "--json")
    assert outcome.code == 0
    about = {finding["about"] for finding in outcome.json["findings"]}
    assert "PostgreSQL" in about


@pytest.mark.parametrize("family", FAMILIES)
def test_a_redis_that_is_well_and_one_that_may_grow_without_bounds(redis_at, family):
    found = told(Settings(redis_url=redis_at(family)))["Redis"]
    assert family in words(found).lower()
    assert "no maxmemory" in words(found)
    assert "a restart empties it" in words(found)


def test_a_redis_with_limits_and_persistence_is_good(tmp_path):
    port = free_port()
    limits = ("--maxmemory", "64mb", "--maxmemory-policy", "allkeys-lru")
    with required(redis_server("redis", tmp_path, port, appendonly=True, extra=limits)):
        found = told(Settings(redis_url=redis_url(port)))["Redis"]
    assert {level for level, _, _ in found} == {"good"}


def test_kafka_s_topics_are_looked_at(broker):
    settings = Settings(kafka_url=broker.url, namespace=f"t{token_hex(4)}")
    before = told(settings)["Kafka"]
    assert "is not there yet" in words(before)
    KafkaCluster.of(broker.url).make_topics([f"{settings.namespace}.events"], partitions=3)
    after = told(settings)["Kafka"]
    assert f"{settings.namespace}.events: 3 partitions, 1 replica each" in words(after)


@pytest.mark.parametrize(
    ("about", "setting", "url"),
    [
        ("PostgreSQL", "database_url", "postgresql://nobody@127.0.0.1:{port}/x"),
        ("Redis", "redis_url", "redis://127.0.0.1:{port}/0"),
        ("Kafka", "kafka_url", "kafka://127.0.0.1:{port}"),
        ("Redis", "redis_url", "http://{port}"),
    ],
)
def test_a_server_that_is_away_is_a_problem_with_a_remedy(about, setting, url):
    ((level, text, remedy),) = told(Settings(**{setting: url.format(port=free_port())}))[about]
    assert level == "problem"
    assert text
    assert setting in remedy or remedy == "start it"


def test_the_doctor_does_not_wait_for_a_database_that_takes_no_connection(foretaste, monkeypatch, tmp_path):
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("FORETASTE_DATABASE_URL", f"postgresql://nobody@127.0.0.1:{free_port()}/x")
    began = time.monotonic()
    outcome = foretaste("doctor", "--home", str(tmp_path / "home"), "--json")
    assert time.monotonic() - began < 8.0
    assert outcome.code == 1
    (found,) = [each for each in outcome.json["findings"] if each["level"] == "problem"]
    assert "refused" in found["words"]
    assert "database_url" in found["remedy"]


def test_an_archive_says_how_far_it_is(tmp_path):
    ((level, text, remedy),) = told(Settings(archive_url=str(tmp_path / "archive")))["archive"]
    assert (level, remedy) == ("note", "foretaste archive")
    assert "number 0" in text


def test_an_archive_that_is_damaged_is_told_in_a_line_with_the_setting(tmp_path):
    log = tmp_path / "archive" / "_delta_log"
    log.mkdir(parents=True)
    (log / f"{0:020}.json").write_text("no commit")
    ((level, text, remedy),) = told(Settings(archive_url=str(tmp_path / "archive")))["archive"]
    assert (level, remedy) == ("problem", "start it, or correct archive_url")
    assert "cannot be read" in text
    assert "\n" not in text


QDRANT = {
    "/": b'{"title": "qdrant - vector search engine", "version": "1.16.0"}',
    "/aliases": b'{"result": {"aliases": [{"alias_name": "ft_default_items", "collection_name": "c"}, '
    b'{"alias_name": "ft_other_items", "collection_name": "d"}]}, "status": "ok", "time": 0.0}',
}


@contextmanager
def a_qdrant(key=""):
    """What a Qdrant says of itself, to those with the key; no package brings a real one."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            allowed = self.path == "/" or self.headers.get("api-key", "") == key
            self.send_response(200 if allowed else 401)
            self.end_headers()
            self.wfile.write(QDRANT[self.path] if allowed else b"")

        def log_message(self, *_):
            """Write nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


def test_a_qdrant_is_good_and_tells_which_indexes_it_holds():
    with a_qdrant() as address:
        found = told(Settings(vector_index=f"qdrant://{address}"))["vector index"]
        other = told(Settings(vector_index=f"qdrant://{address}", namespace="new"))["vector index"]
    assert [level for level, _, _ in found] == ["good", "good"]
    assert "version 1.16.0" in words(found)
    assert "holds items" in words(found)
    assert [level for level, _, _ in other] == ["good", "note"]


def test_a_qdrant_that_refuses_the_key_is_a_problem():
    with a_qdrant("secret") as address:
        ((level, said, _),) = told(Settings(vector_index=f"http://{address}"))["vector index"]
    assert (level, "refuses the key" in said) == ("problem", True)


@pytest.mark.parametrize(
    ("settings", "about"),
    [
        (Settings(vector_index=f"qdrant://127.0.0.1:{free_port()}"), "vector_index"),
        (Settings(vector_index="quadrant"), "vector_index"),
        (Settings(vector_index="pgvector"), "database_url"),
    ],
)
def test_a_vector_index_that_is_not_there_is_a_problem_and_the_setting_is_named(settings, about):
    ((level, said, remedy),) = told(settings)["vector index"]
    assert level == "problem"
    assert about in f"{said} {remedy}"

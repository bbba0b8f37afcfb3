"""Vector indexes in a real PostgreSQL keep the promises of their port."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from itertools import count

import numpy as np
import pytest
from psycopg import sql

from foretaste.adapters.memory.vector_index import MemoryVectorIndex
from foretaste.adapters.postgres.database import PostgresDatabase
from foretaste.adapters.postgres.vector_index import PgVectorIndex
from foretaste.domain.errors import CorruptArtifactError, InvalidInputError, UnavailableError
from foretaste.testing.contracts.vector_index import (
    VectorIndexContract,
    labels,
    rows,
    share_found,
    truth,
)
from foretaste.testing.servers.fixtures import required
from foretaste.testing.servers.postgres import own_postgres

NUMBERS = count()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with required(own_postgres({"fsync": "off"}, from_wheel=True)) as server:
        yield server.url


@pytest.fixture(scope="module")
def database(url) -> Iterator[PostgresDatabase]:
    with closing(PostgresDatabase(url, "foretaste_vectors")) as opened:
        yield opened


def new_index(database, **options) -> PgVectorIndex:
    return PgVectorIndex(database, f"index_{next(NUMBERS)}", **options)


class TestPgVectorIndex(VectorIndexContract):
    recall = 0.95

    @pytest.fixture(autouse=True)
    def _in(self, database):
        self.database = database

    def new(self):
        return new_index(self.database)


def many_rows(count: int = 8_000) -> np.ndarray:
    return rows(4, count)


@pytest.fixture(scope="module")
def large(database):
    """An index large enough that the planner takes the links."""
    index = new_index(database)
    index.build(many_rows(), labels(len(many_rows())))
    return index


def one(database, statement: str, *parameters):
    return database.run(lambda connection: connection.execute(statement, parameters).fetchone())[0]


def scans(database) -> int:
    def read(connection):
        connection.execute("SELECT pg_stat_force_next_flush()")
        return connection.execute(
            "SELECT sum(idx_scan)::integer FROM pg_stat_user_indexes WHERE indexrelname LIKE '%embedding%'"
        ).fetchone()

    return database.run(read)[0]


def reaches(wanted: int, read) -> bool:
    deadline = time.monotonic() + 20.0
    while read() < wanted and time.monotonic() < deadline:
        time.sleep(0.05)
    return read() >= wanted


def answers_again(index) -> bool:
    deadline = time.monotonic() + 20.0
    while time.monotonic() < deadline:
        with suppress(UnavailableError):
            return index.search(rows(1, 1), 3)[0].shape == (1, 3)
    return False


def tables(database, name: str) -> set[str]:
    found = database.run(
        lambda connection: connection.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname ~ %s", [f"^vectors_{name}_"]
        ).fetchall()
    )
    return {table for (table,) in found}


def test_the_links_are_used_for_one_query_and_for_a_batch_and_recall_holds(database, large):
    queries = rows(5, 40)
    right = truth(many_rows(), queries, 10)
    before = scans(database)
    found, _ = large.search(queries, 10)
    assert share_found(found, right) >= 0.95
    assert large.recall >= 0.95
    assert large.search(queries[:1], 10)[0].tolist() == found[:1].tolist()
    assert reaches(before + 41, lambda: scans(database))


@pytest.mark.parametrize("share", [0.5, 0.3])
def test_a_filter_far_from_the_question_keeps_recall_in_a_large_index(large, share):
    vectors = many_rows()
    for query in rows(6, 3):
        allowed = np.zeros(len(vectors), np.bool_)
        allowed[np.argsort(vectors @ query)[: int(share * len(vectors))]] = True
        found, _ = large.search(query[None], 10, allowed)
        assert share_found(found, truth(vectors, query[None], 10, allowed)) >= 0.95


def test_what_is_built_again_is_found_there(database):
    index, other = PgVectorIndex(database, "twice"), PgVectorIndex(database, "twice")
    index.build(rows(), labels())
    (table,) = tables(database, "twice")
    identity = one(database, "SELECT to_regclass(%s)::oid", table)
    other.build(rows(), labels())
    assert tables(database, "twice") == {table}
    assert one(database, "SELECT to_regclass(%s)::oid", table) == identity
    assert other.search(rows(1, 5), 10)[0].tolist() == index.search(rows(1, 5), 10)[0].tolist()


def test_many_may_build_the_same_at_once(database):
    indexes = [PgVectorIndex(database, "at_once") for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda index: index.build(rows()), indexes))
    assert len(tables(database, "at_once")) == 1
    answers = [index.search(rows(1, 5), 10)[0].tolist() for index in indexes]
    assert all(answer == answers[0] for answer in answers)


def test_other_labels_are_another_build(database):
    index = PgVectorIndex(database, "labelled")
    index.build(rows())
    index.build(rows(), labels())
    assert len(tables(database, "labelled")) == 2


def test_who_searches_a_build_is_not_disturbed_by_the_next_and_is_told_after_the_one_after_that(database):
    reader, builder = PgVectorIndex(database, "shared"), PgVectorIndex(database, "shared")
    reader.build(rows(0, 300))
    before = reader.search(rows(1, 5), 10)[0].tolist()
    builder.build(rows(7, 200))
    assert reader.search(rows(1, 5), 10)[0].tolist() == before
    builder.build(rows(8, 100))
    assert len(tables(database, "shared")) == 2
    with pytest.raises(UnavailableError, match="built anew"):
        reader.search(rows(1, 5), 10)


def test_a_build_that_is_gone_cannot_be_loaded(database, tmp_path):
    index = PgVectorIndex(database, "gone")
    index.build(rows(0, 50))
    index.save(tmp_path / "items.index")
    database.run(
        lambda connection: connection.execute(
            sql.SQL("DROP TABLE {}").format(sql.Identifier(*tables(database, "gone")))
        )
    )
    with pytest.raises(CorruptArtifactError, match="does not have any more"):
        PgVectorIndex(database, "gone").load(tmp_path / "items.index")


def test_an_index_of_another_namespace_is_refused(database, url, tmp_path):
    new = new_index(database)
    new.build(rows(0, 50))
    new.save(tmp_path / "items.index")
    with (
        closing(PostgresDatabase(url, "foretaste_other")) as other,
        pytest.raises(CorruptArtifactError, match="foretaste_vectors"),
    ):
        PgVectorIndex(other).load(tmp_path / "items.index")


def test_any_name_will_do(database):
    for name in ("emoji 🍋", 'Robert"); DROP TABLE students;--', "ä" * 500):
        index = PgVectorIndex(database, name)
        index.build(rows(0, 30))
        assert index.search(rows(1, 1), 3)[0].shape == (1, 3)


def test_a_label_that_the_database_cannot_store_is_refused(database):
    index = new_index(database)
    with pytest.raises(InvalidInputError, match="PostgreSQL cannot store"):
        index.build(rows(0, 1), [{"category": ["\0"]}])
    with pytest.raises(InvalidInputError, match="at most 16000"):
        index.build(np.ones((1, 16_001), np.float32))


def test_long_vectors_are_all_compared(database):
    vectors = np.random.default_rng(0).standard_normal((60, 2_001)).astype(np.float32)
    index, exact = new_index(database), MemoryVectorIndex()
    for each in (index, exact):
        each.build(vectors)
    assert index.search(vectors[:4], 10)[0].tolist() == exact.search(vectors[:4], 10)[0].tolist()


def test_a_server_that_is_away_or_lacks_pgvector_is_said_to_be():
    with (
        required(own_postgres({"fsync": "off"}, from_wheel=True)) as server,
        closing(PostgresDatabase(server.url, "foretaste_away")) as database,
    ):
        index = PgVectorIndex(database, seconds=1.0)
        index.build(rows(0, 50))
        server.kill()
        with pytest.raises(UnavailableError, match="does not answer"):
            index.search(rows(1, 1), 3)
        server.start()
        assert answers_again(index)
        database.run(lambda connection: connection.execute("DROP EXTENSION vector CASCADE"))
        with pytest.raises(UnavailableError, match="CREATE EXTENSION vector"):
            PgVectorIndex(database)

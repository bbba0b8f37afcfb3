"""Earlier versions of the catalog can be seen as they were."""

import sqlite3
from contextlib import closing

import pytest

from foretaste.adapters.memory.catalog import MemoryCatalog
from foretaste.adapters.sqlite.catalog import SqliteCatalog
from foretaste.adapters.sqlite.database import SqliteDatabase
from foretaste.adapters.sqlite.id_map import SqliteIdMap
from foretaste.adapters.sqlite.read_only import ReadOnlyDatabase
from foretaste.adapters.sqlite.schema import APPLICATION, STORE_TABLES
from foretaste.domain.errors import NotFoundError
from foretaste.domain.item import Item
from foretaste.testing.contracts.catalog_past import DAY, CatalogPastContract, Shelf


class SetClock:
    def __init__(self):
        self.now = DAY

    def __call__(self):
        return self.now

    def set(self, now):
        self.now = now


class TestMemoryCatalogPast(CatalogPastContract):
    @pytest.fixture
    def shelf(self):
        clock = SetClock()
        catalog = MemoryCatalog(retention_days=10.0, clock=clock)
        return Shelf(catalog, catalog, clock.set)


class TestSqliteCatalogPast(CatalogPastContract):
    @pytest.fixture
    def shelf(self, tmp_path):
        clock = SetClock()
        with closing(SqliteDatabase(tmp_path / "foretaste.db")) as database:
            catalog = SqliteCatalog(database, SqliteIdMap(database), retention_days=10.0, clock=clock)
            yield Shelf(catalog, catalog, clock.set)


@pytest.fixture
def of_first_release(tmp_path):
    """A file as the first schema left it: a catalog of one item at version 3, no past."""
    path = tmp_path / "foretaste.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript(
            f"{STORE_TABLES} PRAGMA application_id = {APPLICATION}; PRAGMA user_version = 1;"
        )
        connection.execute("INSERT INTO item_id VALUES (0, 'hen')")
        connection.execute('INSERT INTO catalog VALUES (0, 3, \'{"item_id":"hen"}\')')
    return path


def test_a_file_of_the_first_release_is_taken_over_and_remembers_from_then_on(of_first_release):
    with closing(SqliteDatabase(of_first_release)) as database:
        catalog = SqliteCatalog(database, SqliteIdMap(database))
        before = catalog.changes(0)
        assert catalog.put([Item(item_id="hen", title="The Hen")]) == 4
        assert catalog.at(3) == before
        with pytest.raises(NotFoundError, match="not kept"):
            catalog.at(2)


def test_reading_a_file_of_the_first_release_says_what_to_do(of_first_release):
    with closing(ReadOnlyDatabase(of_first_release)) as database:
        catalog = SqliteCatalog(database, SqliteIdMap(database))
        assert catalog.version() == 3
        with pytest.raises(NotFoundError, match="opens it for writing"):
            catalog.at(3)

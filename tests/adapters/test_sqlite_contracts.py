"""The stores in SQLite keep every promise."""

from contextlib import closing

import pytest

from foretaste.testing.contracts.catalog import CatalogContract
from foretaste.testing.contracts.event_log import EventLogContract
from foretaste.testing.contracts.exposure_log import ExposureLogContract
from foretaste.testing.contracts.id_map import IdMapContract
from foretaste.testing.sites import SqliteExposureSite, SqliteSite


@pytest.fixture
def site(tmp_path):
    with closing(SqliteSite(tmp_path)) as opened:
        yield opened


class TestSqliteEventLog(EventLogContract):
    pass


class TestSqliteIdMap(IdMapContract):
    pass


class TestSqliteCatalog(CatalogContract):
    pass


class TestSqliteExposureLog(ExposureLogContract):
    @pytest.fixture
    def site(self, tmp_path):
        with closing(SqliteExposureSite(tmp_path)) as opened:
            yield opened

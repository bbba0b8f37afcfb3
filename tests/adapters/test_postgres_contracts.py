"""The stores in PostgreSQL keep every promise."""

from contextlib import closing

import pytest

from foretaste.testing.contracts.catalog import CatalogContract
from foretaste.testing.contracts.catalog_past import DAY, CatalogPastContract, Shelf
from foretaste.testing.contracts.event_log import EventLogContract
from foretaste.testing.contracts.exposure_log import ExposureLogContract
from foretaste.testing.contracts.id_map import IdMapContract
from foretaste.testing.contracts.profiles import ProfilesContract
from foretaste.testing.postgres_sites import PostgresExposureSite, PostgresSite


@pytest.fixture
def site(postgres):
    with closing(PostgresSite(postgres)) as opened:
        yield opened


class TestPostgresEventLog(EventLogContract):
    pass


class TestPostgresIdMap(IdMapContract):
    pass


class TestPostgresCatalog(CatalogContract):
    pass


class TestPostgresCatalogPast(CatalogPastContract):
    @pytest.fixture
    def shelf(self, site):
        now = [DAY]
        catalog, past = site.shelf(lambda: now[0], retention_days=10.0)
        return Shelf(catalog, past, lambda moment: now.__setitem__(0, moment))


class TestPostgresProfiles(ProfilesContract):
    @pytest.fixture
    def reopen(self, site):
        return site.profiles


class TestPostgresExposureLog(ExposureLogContract):
    @pytest.fixture
    def site(self, postgres):
        with closing(PostgresExposureSite(postgres)) as opened:
            yield opened

"""The trust record in PostgreSQL keeps the promises of its port."""

from contextlib import closing

import pytest

from foretaste.adapters.postgres.trust import PostgresTrust
from foretaste.testing.contracts.trust import TrustRecordContract
from foretaste.testing.postgres_sites import PostgresSite


class TestPostgresTrust(TrustRecordContract):
    @pytest.fixture
    def record(self, postgres):
        with closing(PostgresSite(postgres)) as site:
            yield PostgresTrust(site._schema.database())

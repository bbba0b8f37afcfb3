import pytest

from foretaste.testing.servers.fixtures import required
from foretaste.testing.servers.postgres import postgres_url


@pytest.fixture(scope="session")
def postgres():
    with required(postgres_url()) as url:
        yield url

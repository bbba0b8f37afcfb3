import pytest

from foretaste.testing.servers.fixtures import required
from foretaste.testing.servers.postgres import postgres_url
from foretaste.testing.servers.redis import FAMILIES, running_redis


@pytest.fixture(scope="session")
def postgres():
    with required(postgres_url()) as url:
        yield url


@pytest.fixture(scope="session", params=FAMILIES)
def redis(request):
    with required(running_redis(request.param)) as url:
        yield url

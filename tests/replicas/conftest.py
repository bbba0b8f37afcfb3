import pytest

from foretaste.testing.servers.redis import FAMILIES


@pytest.fixture(scope="session", params=FAMILIES)
def redis(request, redis_at):
    return redis_at(request.param)

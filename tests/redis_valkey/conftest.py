"""One Redis and one Valkey for all tests of this folder; tests that hurt a server start their own."""

from uuid import uuid4

import pytest

from foretaste.testing.servers.redis import FAMILIES


@pytest.fixture(params=FAMILIES)
def family(request):
    return request.param


@pytest.fixture
def redis_url(redis_at, family):
    return redis_at(family)


@pytest.fixture
def namespace():
    return f"test-{uuid4().hex[:10]}"

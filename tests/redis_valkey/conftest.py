"""One Redis and one Valkey for all tests of this folder; tests that hurt a server start their own."""

from contextlib import ExitStack
from uuid import uuid4

import pytest

from foretaste.testing.servers.fixtures import required
from foretaste.testing.servers.redis import FAMILIES, running_redis


@pytest.fixture(scope="session")
def shared_urls():
    """Give the URL of a server by family, started when first asked for."""
    with ExitStack() as servers:
        urls = {}

        def url_of(family):
            if family not in urls:
                urls[family] = servers.enter_context(required(running_redis(family)))
            return urls[family]

        yield url_of


@pytest.fixture(params=FAMILIES)
def family(request):
    return request.param


@pytest.fixture
def redis_url(shared_urls, family):
    return shared_urls(family)


@pytest.fixture
def namespace():
    return f"test-{uuid4().hex[:10]}"

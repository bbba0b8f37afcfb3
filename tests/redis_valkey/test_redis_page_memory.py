"""What pages have shown, in Redis and in Valkey."""

from contextlib import ExitStack, closing

import pytest
import redis

from foretaste.adapters.memory.telemetry import MemoryTelemetry
from foretaste.adapters.redis.page_memory import RedisPageMemory
from foretaste.domain.errors import UnavailableError
from foretaste.testing.contracts.page_memory import PageMemoryContract


@pytest.fixture
def make_memory(redis_url, namespace):
    with ExitStack() as opened:

        def make(**how):
            memory = RedisPageMemory(redis_url, MemoryTelemetry(), **{"namespace": namespace, **how})
            return opened.enter_context(closing(memory))

        yield make


class TestServers(PageMemoryContract):
    pass


def test_what_one_process_showed_every_other_knows(make_memory):
    one, other = make_memory(), make_memory()
    assert one.add("page", ["a"], 0)
    assert other.shown("page") == ("a",)
    assert not other.add("page", ["b"], 0)


def test_a_page_ends_its_time_after_the_last_box(make_memory, redis_url, namespace):
    memory = make_memory(ttl_seconds=60.0)
    assert memory.add("page", ["a"], 0)
    with redis.Redis.from_url(redis_url, protocol=2) as raw:
        assert 50_000 < raw.pttl(f"ft:{namespace}:page:page") <= 60_000


def test_a_server_that_is_away_is_said_to_be():
    memory = RedisPageMemory("redis://127.0.0.1:1/0", MemoryTelemetry())
    with closing(memory), pytest.raises(UnavailableError):
        memory.shown("page")

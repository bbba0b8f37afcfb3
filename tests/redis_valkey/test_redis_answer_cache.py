"""Answers in Redis and in Valkey keep the promises of their port."""

from contextlib import ExitStack, closing

import pytest
import redis

from foretaste.adapters.memory.telemetry import MemoryTelemetry
from foretaste.adapters.redis.answer_cache import RedisAnswerCache
from foretaste.testing.contracts.answer_cache import FEED, LIST, ONE, TWO, AnswerCacheContract, found


@pytest.fixture
def make_cache(redis_url, namespace):
    with ExitStack() as opened:

        def make(**how):
            cache = RedisAnswerCache(redis_url, MemoryTelemetry(), **{"namespace": namespace, **how})
            return opened.enter_context(closing(cache))

        yield make


@pytest.fixture
def raw(redis_url):
    with redis.Redis.from_url(redis_url, protocol=2) as client:
        yield client


class TestServers(AnswerCacheContract):
    pass


def test_keys_are_those_that_operators_look_for(make_cache, raw, namespace):
    cache = make_cache(namespace="default")
    cache.put(f"42 of {namespace}", ONE, LIST, b"answer")
    assert raw.exists(f"recs:42 of {namespace}")
    assert cache.key(None) == "recs"
    cache.forget([f"42 of {namespace}"])
    assert make_cache().key("42") == f"ft:{namespace}:recs:42"


def test_answers_end_with_their_time_counted_from_the_first(make_cache, raw):
    cache = make_cache(ttl_seconds=3600.0)
    cache.put("anna", ONE, LIST, b"first")
    key = cache.key("anna")
    assert 3_590_000 < raw.pttl(key) <= 3_600_000
    raw.pexpire(key, 5000)
    cache.put("anna", ONE, FEED, b"second")
    assert raw.pttl(key) <= 5000
    cache.put("anna", TWO, FEED, b"third")
    assert raw.pttl(key) > 3_590_000
    lasting = make_cache(ttl_seconds=0.0)
    lasting.put("ben", ONE, LIST, b"answer")
    assert raw.pttl(lasting.key("ben")) == -1


def test_one_key_holds_all_of_a_person(make_cache, raw, namespace):
    cache = make_cache()
    for request in (LIST, FEED):
        cache.put("anna", ONE, request, b"answer")
    assert raw.keys(f"*{namespace}*") == [cache.key("anna").encode()]


def test_what_others_left_under_our_key_is_written_over(make_cache, raw):
    cache = make_cache()
    raw.lpush(cache.key("anna"), "not ours")
    assert found(cache, "anna") is None
    cache.put("anna", ONE, LIST, b"answer")
    assert found(cache, "anna") == b"answer"


def test_the_script_is_sent_again_where_the_server_forgot_it(make_cache, raw):
    cache = make_cache()
    raw.script_flush()
    cache.put("anna", ONE, LIST, b"answer")
    assert found(cache, "anna") == b"answer"

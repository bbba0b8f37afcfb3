"""`foretaste warm` fills the cache in Redis that a service answers from."""

from secrets import token_hex

import pytest
import redis as driver

import foretaste as ft
from foretaste.app.caching import active_users, warm_cache
from foretaste.app.settings import Settings
from foretaste.app.wiring import open_home
from foretaste.domain.errors import UnavailableError
from foretaste.pipeline.compose import answer
from foretaste.testing.servers.fixtures import required
from foretaste.testing.servers.process import free_port
from foretaste.testing.servers.redis import redis_server
from foretaste.testing.servers.redis import redis_url as address
from foretaste.testing.waiting import at_once, until


def test_a_service_answers_from_what_another_process_warmed(redis_url, tmp_path):
    settings = Settings(redis_url=redis_url, namespace=f"t{token_hex(5)}")
    shop = ft.datasets.synthetic(n_users=40, n_items=30, n_events=1_500, seed=3)
    with ft.Recommender.train(
        shop.events, items=shop.events.items, home=tmp_path, settings=settings, seed=1
    ) as serving:
        serving.record(user_id="u1", item_id="i1", type="click")
        with open_home(tmp_path, settings=settings, read_only=True) as beside:
            people = active_users(beside, days=100_000.0)
            assert warm_cache(beside, people, k=5).made == len(people)
        assert serving.recommend("u1", k=5).source == "cache"
        serving.record(user_id="u1", item_id="i2", type="click")
        assert serving.recommend("u1", k=5).source == "personalized"
        with driver.Redis.from_url(redis_url) as client:
            assert client.type(f"ft:{settings.namespace}:recs:u1") == b"hash"
            assert 0 < client.ttl(f"ft:{settings.namespace}:recs:u1") <= 3600


def test_a_cache_that_is_away_or_keeps_nothing_is_not_said_to_be_warm(tmp_path):
    port = free_port()
    settings = Settings(redis_url=address(port), redis_seconds=2.0)
    shop = ft.datasets.synthetic(n_users=5, n_items=10, n_events=300, seed=3)
    ft.Recommender.train(shop.events, home=tmp_path / "home", seed=1).close()
    with open_home(tmp_path / "home", settings=settings, read_only=True) as home:
        with pytest.raises(UnavailableError, match="Connection refused"):
            warm_cache(home, ["u1"])
        with required(redis_server("redis", tmp_path / "redis", port)):
            assert warm_cache(home, ["u1"]).unkept == 0
            with driver.Redis.from_url(address(port)) as client:
                client.config_set("maxmemory-clients", "0")
                client.config_set("maxmemory", "1")
                until(lambda: refuses(client))
            with pytest.raises(UnavailableError, match="none of 2 answers was kept"):
                warm_cache(home, ["u2", "u3"])


def refuses(client):
    """Whether a server refuses to write."""
    try:
        client.set("more", "x")
    except driver.ResponseError:
        return True
    return False


def test_equal_questions_of_one_moment_are_worked_out_once(redis_url, tmp_path, monkeypatch):
    settings = Settings(redis_url=redis_url, namespace=f"t{token_hex(5)}")
    worked_out = []

    def noted(query, view):
        worked_out.append(query.k)
        return answer(query, view)

    monkeypatch.setattr("foretaste.serving.answering.answer", noted)
    shop = ft.datasets.synthetic(n_users=20, n_items=15, n_events=600, seed=3)
    with ft.Recommender.train(
        shop.events, items=shop.events.items, home=tmp_path, settings=settings, seed=1
    ) as serving:
        worked_out.clear()
        for k in range(3, 9):
            slates = at_once(lambda k=k: serving.recommend("u1", k=k))
            assert len({slate.recommendation_id for slate in slates}) == len(slates)
            assert sorted(slate.source for slate in slates)[:-1] == ["cache"] * (len(slates) - 1)
        assert worked_out == list(range(3, 9))

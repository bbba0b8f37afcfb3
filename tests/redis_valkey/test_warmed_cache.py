"""`foretaste warm` fills the cache in Redis that a service answers from."""

from secrets import token_hex

import redis as driver

import foretaste as ft
from foretaste.app.caching import active_users, warm_cache
from foretaste.app.settings import Settings
from foretaste.app.wiring import open_home


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

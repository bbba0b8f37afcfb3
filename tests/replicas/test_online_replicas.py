"""What one replica acknowledged is in the next answer of every other, with Redis between them."""

import random
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import redis as driver
from online_shop import is_trusted, measured, replicas, settings_for

from foretaste.testing.servers.fixtures import required
from foretaste.testing.servers.process import free_port
from foretaste.testing.servers.redis import redis_server, redis_url
from foretaste.testing.waiting import until

ITEMS = [{"item_id": f"i{number}", "title": f"Item {number}"} for number in range(40)]


def knows(rec, user, count):
    """Whether the next answer for a user is from a state with so many events of theirs."""
    slate = rec.recommend(user, k=3)
    state, found = rec.home.state, int(rec.home.id_map.find("user", [user])[0])
    return slate.source != "stale" and state.summary(state.person(found)).events == count


def misses(shop, trials, seed):
    """Write on one replica, ask another, at random; return how often the answer did not know."""
    draw, counts, missed = random.Random(seed), {}, 0
    for _ in range(trials):
        one, other = draw.sample(shop, 2)
        user = f"u{draw.randrange(20)}"
        click = {"user_id": user, "item_id": f"i{draw.randrange(40)}", "type": "click"}
        receipt = one.record_many([click])
        counts[user] = counts.get(user, 0) + 1
        slate = other.recommend(user, k=3)
        found = int(other.home.id_map.find("user", [user])[0])
        known = found >= 0 and other.home.state.summary(found).events >= counts[user]
        missed += not (known and slate.versions.state_seq >= receipt.state_seq)
    return missed


@pytest.fixture
def shop(postgres, redis, tmp_path):
    with replicas(tmp_path, settings_for(postgres, redis), 3) as opened:
        opened[0].put_items(ITEMS)
        yield opened


def test_an_event_is_in_the_next_answer_of_every_other_replica(shop):
    until(lambda: all(map(is_trusted, shop)))
    assert misses(shop, 600, seed=1) == 0
    believed = sum(measured(rec, "online_store_reads_total", outcome="believed") for rec in shop)
    assert believed > 300


def test_a_store_that_lost_everything_is_found_out(shop, redis):
    until(lambda: all(map(is_trusted, shop)))
    assert misses(shop, 60, seed=2) == 0
    with driver.Redis.from_url(redis) as client:
        client.flushall()
    one, other, _ = shop
    one.record(user_id="u1", item_id="i1", type="click")
    found = int(one.home.id_map.find("user", ["u1"])[0])
    other.recommend("u1")
    assert other.home.state.summary(found).events == one.home.state.summary(found).events


def test_a_deleted_item_is_in_no_answer_of_another_replica(shop):
    one, other, _ = shop
    for number in range(5):
        shown = other.recommend(None, k=40)
        gone = shown[number].item_id
        one.delete_items([gone])
        assert gone not in {place.item_id for place in other.recommend(None, k=40)}


def test_what_is_told_of_people_reaches_every_replica(shop):
    one, other, _ = shop
    one.add_users({"u1": {"country": "FR"}})
    other.recommend("u1")
    assert other.home.circumstances_of("u1") == one.home.circumstances_of("u1") != ()


def test_merged_people_are_one_on_every_replica(shop):
    until(lambda: all(map(is_trusted, shop)))
    one, other, third = shop
    one.record(user_id="anonymous", item_id="i1", type="click")
    other.record(user_id="anna", item_id="i2", type="click")
    one.merge_users("anonymous", "anna")
    assert knows(other, "anonymous", 2)
    assert knows(third, "anna", 2)
    one.record(user_id="anonymous", item_id="i3", type="click")
    assert knows(other, "anna", 3)
    one.record(user_id="anonymous", item_id="i4", type="click")
    assert knows(third, "anonymous", 4)


def test_the_promise_fails_where_events_are_not_published(shop, monkeypatch):
    until(lambda: all(map(is_trusted, shop)))
    assert misses(shop, 60, seed=3) == 0
    for rec in shop:
        monkeypatch.setattr(rec.home.log, "on_append", None)
    assert misses(shop, 300, seed=4) > 0


@pytest.fixture
def mortal(postgres, tmp_path):
    """A shop with a Redis of its own that survives nothing."""
    port = free_port()
    with (
        TemporaryDirectory() as folder,
        required(redis_server("redis", Path(folder), port)) as server,
        replicas(tmp_path, settings_for(postgres, redis_url(port)), 2) as opened,
    ):
        opened[0].put_items(ITEMS)
        yield server, opened


def test_without_the_store_people_are_answered_from_the_log(mortal):
    server, shop = mortal
    until(lambda: all(map(is_trusted, shop)))
    assert misses(shop, 40, seed=5) == 0
    server.kill()
    assert misses(shop, 40, seed=6) == 0
    assert not any(map(is_trusted, shop))


def test_health_says_what_the_store_said(mortal):
    server, (rec, _) = mortal
    until(lambda: is_trusted(rec))
    (address,) = [rec.home.settings.redis_url]
    with driver.Redis.from_url(address) as raw:
        raw.config_set("maxmemory-clients", "0")
        raw.config_set("maxmemory-policy", "noeviction")
        raw.config_set("maxmemory", "1")
        rec.record(user_id="u1", item_id="i1", type="click")
        assert "maxmemory" in said_of_redis(rec)
        assert measured(rec, "online_store_refused_total") == 1
        raw.config_set("maxmemory", "0")
        rec.record(user_id="u1", item_id="i2", type="click")
        assert said_of_redis(rec) == ""
        raw.execute_command("REPLICAOF", "127.0.0.1", str(free_port()))
        until(lambda: "primary" in said_of_redis(rec))
        raw.execute_command("REPLICAOF", "NO", "ONE")
    until(lambda: said_of_redis(rec) == "")
    server.kill()
    until(lambda: "Connection refused" in said_of_redis(rec))


def said_of_redis(rec):
    """What health says of the store, nothing where that is well."""
    return " ".join(words for words in rec.home.condition.wrong() if "redis" in words)


def test_a_store_that_comes_back_empty_is_filled_and_trusted_again(mortal):
    server, shop = mortal
    until(lambda: all(map(is_trusted, shop)))
    assert misses(shop, 40, seed=7) == 0
    server.kill()
    server.start()
    assert misses(shop, 80, seed=8) == 0
    until(lambda: all(map(is_trusted, shop)))
    assert misses(shop, 80, seed=9) == 0


def test_a_store_that_hangs_is_left_alone(mortal):
    server, shop = mortal
    until(lambda: all(map(is_trusted, shop)))
    server.pause()
    try:
        assert misses(shop, 20, seed=10) == 0
    finally:
        server.resume()
    until(lambda: all(map(is_trusted, shop)))
    assert misses(shop, 40, seed=11) == 0

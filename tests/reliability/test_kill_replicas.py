"""`kill -9` at random moments of a service, its PostgreSQL and its Redis, while clients send events.

Nothing acknowledged is lost, nothing counts twice, the next answer of a replica that survives knows all of
it, and every replica's state is that of the log folded anew.
"""

import random
import time
from contextlib import ExitStack

import pytest
from shop_under_load import Shop

from foretaste.testing.rounds import kill_rounds
from foretaste.testing.servers.fixtures import required
from foretaste.testing.servers.postgres import own_postgres
from foretaste.testing.servers.process import free_port
from foretaste.testing.servers.redis import redis_server, redis_url
from foretaste.testing.waiting import until

ROUNDS = kill_rounds(1)
ROUNDS_PER_SHOP = 20
ROUNDS_PER_TRUST = 4
"""After each death a store is trusted again later, so a shop sees only so many."""


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    """A PostgreSQL and a Redis of these tests alone, and the URL of the Redis."""
    port = free_port()
    with ExitStack() as running:
        postgres = running.enter_context(required(own_postgres()))
        folder = tmp_path_factory.mktemp("redis")
        redis = running.enter_context(required(redis_server("redis", folder, port)))
        yield postgres, redis, redis_url(port)


@pytest.fixture
def opened(servers, tmp_path):
    """Make a shop; it ends with the test."""
    postgres, _, redis = servers
    with ExitStack() as shops:

        def shop(kind="sound", seed=0):
            return shops.enter_context(Shop(tmp_path, postgres.url, redis, kind, seed))

        yield shop


def wait_for_load(shop, chance):
    """Return at a random moment under load."""
    wanted = shop.clients.batches + chance.randrange(1, 20)
    until(lambda: shop.clients.batches >= wanted)
    time.sleep(chance.uniform(0.0, 0.02))


def kill_service(shop, rounds, seed=0):
    """Kill the service and start it again."""
    chance = random.Random(seed)
    for done in range(1, rounds + 1):
        wait_for_load(shop, chance)
        shop.kill()
        shop.assert_survivor_knows(chance)
        shop.start()
        shop.assert_sound("service", done)


def kill_database(shop, server, rounds, seed):
    """Kill the database and start it again; until it is there, answers say that they are stale."""
    chance = random.Random(seed)
    for done in range(1, rounds + 1):
        wait_for_load(shop, chance)
        server.kill()
        time.sleep(chance.uniform(0.0, 0.3))
        server.start()
        shop.assert_survivor_knows(chance, stale=True)
        shop.assert_sound("PostgreSQL", done)


def kill_online_store(shop, server, rounds, seed):
    """Kill the online store whenever it is trusted, and start it again, empty; no answer is stale."""
    chance = random.Random(seed)
    for done in range(1, rounds + 1):
        until(shop.trusts_online_store)
        wait_for_load(shop, chance)
        server.kill()
        shop.assert_survivor_knows(chance)
        time.sleep(chance.uniform(0.0, 0.3))
        server.start()
        shop.assert_survivor_knows(chance)
        shop.assert_sound("Redis", done)


@pytest.mark.parametrize("begun", range(0, ROUNDS, ROUNDS_PER_SHOP))
def test_a_service_that_is_killed_loses_and_doubles_nothing(opened, begun):
    kill_service(opened(seed=begun), min(ROUNDS_PER_SHOP, ROUNDS - begun), begun)


@pytest.mark.parametrize("begun", range(0, ROUNDS, ROUNDS_PER_SHOP))
def test_a_database_that_is_killed_loses_and_doubles_nothing(opened, servers, begun):
    kill_database(opened(seed=begun), servers[0], min(ROUNDS_PER_SHOP, ROUNDS - begun), begun)


@pytest.mark.parametrize("begun", range(0, ROUNDS, ROUNDS_PER_TRUST))
def test_an_online_store_that_is_killed_loses_and_doubles_nothing(opened, servers, begun):
    kill_online_store(opened(seed=begun), servers[1], min(ROUNDS_PER_TRUST, ROUNDS - begun), begun)


def test_the_check_would_notice_a_service_that_acknowledges_before_the_commit(opened):
    with pytest.raises(AssertionError, match="an acknowledged event was lost"):
        kill_service(opened("hasty"), 5)


def test_the_check_would_notice_a_service_that_takes_what_is_sent_again_for_new(opened):
    with pytest.raises(AssertionError, match="an event was applied twice"):
        kill_service(opened("forgetful"), 5)

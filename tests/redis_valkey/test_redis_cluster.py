"""A cluster of three primaries: commands find their nodes, and a change of it is another incarnation."""

from contextlib import ExitStack, closing

import pytest
import redis
from live_shop import answers

from foretaste.adapters.memory.telemetry import MemoryTelemetry
from foretaste.adapters.redis.answer_cache import RedisAnswerCache
from foretaste.adapters.redis.checks import checks
from foretaste.adapters.redis.online_store import RedisOnlineStore
from foretaste.domain.errors import UnavailableError
from foretaste.testing.contracts.answer_cache import LIST, ONE, found
from foretaste.testing.contracts.online_store import (
    USERS,
    OnlineStoreContract,
    People,
    assert_knows,
)
from foretaste.testing.event_factories import random_events
from foretaste.testing.servers.fixtures import required
from foretaste.testing.servers.process import free_port
from foretaste.testing.servers.redis import FAMILIES, redis_server, redis_url
from foretaste.testing.waiting import until

SLOTS = 16_384
SHARES = ((0, 5_460), (5_461, 10_922), (10_923, SLOTS - 1))


class Node:
    """A node with a client of its own."""

    def __init__(self, stack, family, folder):
        self.port = free_port()
        self.process = redis_server(
            family, folder, self.port, cluster=True, extra=("--cluster-node-timeout", "2000")
        )
        stack.enter_context(required(self.process))
        self.url = redis_url(self.port)
        self.raw = stack.enter_context(redis.Redis.from_url(self.url, protocol=2))
        self.name = self.says("CLUSTER", "MYID").decode()
        self.bus = int(self.raw.config_get("cluster-port")["cluster-port"])

    def says(self, *command):
        return self.raw.execute_command(*command)

    def info(self):
        said = self.raw.execute_command("CLUSTER INFO")
        return said["cluster_state"], int(said["cluster_slots_ok"]), int(said["cluster_known_nodes"])


class Cluster:
    """Three primaries that share the slots."""

    def __init__(self, stack, family, folder):
        self.nodes = [Node(stack, family, folder / str(place)) for place in range(3)]
        first = self.nodes[0]
        for node, share in zip(self.nodes, SHARES, strict=True):
            node.says("CLUSTER", "ADDSLOTSRANGE", *share)
            if node is not first:
                node.says("CLUSTER", "MEET", "127.0.0.1", first.port, first.bus)
        self.wait()

    @property
    def url(self):
        return self.nodes[0].url

    def wait(self):
        until(lambda: all(node.info() == ("ok", SLOTS, 3) for node in self.nodes))

    def move(self, slot, source, target):
        """Let a slot and the keys in it change hands, in the order that the manual gives."""
        target.says("CLUSTER", "SETSLOT", slot, "IMPORTING", source.name)
        source.says("CLUSTER", "SETSLOT", slot, "MIGRATING", target.name)
        yield "under way"
        for key in source.says("CLUSTER", "GETKEYSINSLOT", slot, 1000):
            source.raw.execute_command("MIGRATE", "127.0.0.1", target.port, key, 0, 5000)
        for node in self.nodes:
            node.says("CLUSTER", "SETSLOT", slot, "NODE", target.name)
        yield "done"


@pytest.fixture(scope="module", params=FAMILIES)
def cluster(request, tmp_path_factory):
    with ExitStack() as stack:
        yield Cluster(stack, request.param, tmp_path_factory.mktemp("cluster"))


@pytest.fixture
def make_store(cluster, namespace):
    with ExitStack() as opened:
        yield lambda limits, **how: opened.enter_context(
            closing(
                RedisOnlineStore(cluster.url, MemoryTelemetry(), limits=limits, namespace=namespace, **how)
            )
        )


@pytest.fixture
def cache(cluster, namespace):
    with closing(RedisAnswerCache(cluster.url, MemoryTelemetry(), namespace=namespace)) as opened:
        yield opened


class TestOnlineStoreInACluster(OnlineStoreContract):
    pass


def written(store, people, seed=7):
    """Store what several people did, whose records are on all nodes; return them."""
    events = random_events(seed, 120, n_users=len(USERS), n_items=9)
    store.apply(people.folded(events))
    return sorted({int(user) for user in events.user})


def test_records_are_spread_over_all_nodes(cluster, make_store):
    people = People()
    written(make_store(people.limits), people)
    assert all(node.says("DBSIZE") for node in cluster.nodes)


def test_finished_answers_are_kept(cache):
    users = [f"user-{n}" for n in range(20)]
    for user in users:
        cache.put(user, ONE, LIST, user.encode())
    assert [found(cache, user) for user in users] == [user.encode() for user in users]
    assert cache.forget(users) == len(users)


def test_a_slot_that_moved_is_found_again_in_another_incarnation(cluster, make_store):
    people = People()
    store = make_store(people.limits)
    users = written(store, people)
    before = store.get(()).incarnation
    key = store.key(USERS[users[0]])
    slot = cluster.nodes[0].says("CLUSTER", "KEYSLOT", key)
    holds = next(
        node for node, (first, last) in zip(cluster.nodes, SHARES, strict=True) if first <= slot <= last
    )
    other = next(node for node in cluster.nodes if node is not holds)
    steps = cluster.move(slot, holds, other)
    next(steps)
    absent = store.get(["nobody in this slot", USERS[users[0]]])
    assert absent.records[1] is not None
    next(steps)
    reading = store.get([USERS[users[0]]])
    assert reading.records[0].seq > 0
    assert reading.incarnation not in ("", before)
    assert_knows(store, people, users)
    for _ in cluster.move(slot, other, holds):
        pass
    assert store.get([USERS[users[0]]]).incarnation == before


def test_what_is_asked_of_a_slot_under_way_is_in_doubt(cluster, make_store):
    people = People()
    store = make_store(people.limits)
    written(store, people)
    slot = cluster.nodes[0].says("CLUSTER", "KEYSLOT", store.key("newcomer"))
    holds = next(
        node for node, (first, last) in zip(cluster.nodes, SHARES, strict=True) if first <= slot <= last
    )
    other = next(node for node in cluster.nodes if node is not holds)
    steps = cluster.move(slot, holds, other)
    next(steps)
    reading = store.get(["newcomer"])
    assert (reading.records, reading.incarnation) == ((None,), "")
    next(steps)
    for _ in cluster.move(slot, other, holds):
        pass
    assert store.get(["newcomer"]).incarnation


def test_the_doctor_says_that_it_is_a_cluster(cluster):
    said = checks(cluster.url, MemoryTelemetry())
    assert said[0].words == "a cluster of 3 primaries"
    assert [check for check in said if check.level == "problem"] == []


def test_a_node_that_dies_is_away_and_one_that_comes_back_empty_is_another_incarnation(
    cluster, make_store, namespace
):
    people = People()
    store = make_store(people.limits)
    users = written(store, people)
    before = store.get(()).incarnation
    dead = max(cluster.nodes, key=lambda node: len(node.raw.keys(f"*{namespace}*")))
    dead.process.kill()
    with pytest.raises(UnavailableError):
        store.get([USERS[user] for user in users])
    dead.process.start()
    cluster.wait()
    until(lambda: answers(store))
    after = store.get([USERS[user] for user in users])
    assert after.incarnation not in ("", before)
    assert any(record is None for record in after.records)
    assert any(record is not None for record in after.records)

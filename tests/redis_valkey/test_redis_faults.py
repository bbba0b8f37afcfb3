"""Servers that die, hang, fill up, lose data or change roles are recognized; nothing stale is believed."""

from contextlib import ExitStack, closing
from time import monotonic

import pytest
import redis
from live_shop import LIMITS, Replica, Shop, answers

from foretaste.adapters.memory.telemetry import MemoryTelemetry
from foretaste.adapters.memory.trust import MemoryTrust
from foretaste.adapters.redis.answer_cache import RedisAnswerCache
from foretaste.adapters.redis.online_store import RedisOnlineStore
from foretaste.domain.errors import UnavailableError
from foretaste.features.person import PersonLimits, person_of
from foretaste.testing.contracts.answer_cache import LIST, ONE, found
from foretaste.testing.contracts.online_store import (
    USERS,
    People,
    assert_knows,
    assert_same_person,
    record_of,
)
from foretaste.testing.event_factories import random_events
from foretaste.testing.servers.fixtures import required
from foretaste.testing.servers.process import free_port
from foretaste.testing.servers.redis import redis_server, redis_url
from foretaste.testing.waiting import until


class Server:
    """A server of one's own with clients to it."""

    def __init__(self, stack, process, port):
        self.stack, self.process, self.url = stack, process, redis_url(port)
        self.raw = stack.enter_context(redis.Redis.from_url(self.url, protocol=2))

    def store(self, limits=LIMITS, **how):
        return self.stack.enter_context(
            closing(RedisOnlineStore(self.url, MemoryTelemetry(), limits=limits, **how))
        )

    def cache(self, **how):
        return self.stack.enter_context(closing(RedisAnswerCache(self.url, MemoryTelemetry(), **how)))

    def restart(self):
        self.process.kill()
        self.process.start()


@pytest.fixture
def start(family, tmp_path):
    with ExitStack() as stack:

        def started(name="server", **how):
            port = free_port()
            process = redis_server(family, tmp_path / name, port, **how)
            stack.enter_context(required(process))
            return Server(stack, process, port)

        yield started


@pytest.mark.parametrize("appendonly", [True, False])
def test_a_server_that_was_killed_is_another_one_with_or_without_its_data(start, appendonly):
    server = start(appendonly=appendonly)
    people = People()
    store = server.store(people.limits)
    store.apply(people.folded(random_events(1, 20, n_users=1)))
    before = store.get([USERS[0]])
    store.confirm({USERS[0]: before.records[0].token}, 5)
    server.restart()
    after = store.get([USERS[0]])
    assert after.incarnation
    assert after.incarnation != before.incarnation
    assert (after.records[0] is not None) == appendonly
    if appendonly:
        assert record_of(store, USERS[0]).epoch == 5
        assert_knows(store, people, [0])


def test_what_was_lost_with_a_server_is_never_believed_and_rebuilt_from_the_log(start):
    """The server falls back to an older state of a record that was believed."""
    server = start(appendonly=True)
    shop = Shop(MemoryTrust())
    writer, reader = Replica(shop, server.store()), Replica(shop, server.store())
    until(
        lambda: writer.keeper.belief() and reader.keeper.belief(),
        each=lambda: (writer.watch.look(), reader.watch.look()),
    )
    writer.write(0)
    key = server.store().key("anna")
    for _ in range(2):
        assert reader.people.standing("anna").head == 1
    older = server.raw.dump(key)
    newest = writer.write(0)
    assert reader.people.standing("anna").source == "store"
    server.raw.restore(key, 0, older, replace=True)
    server.restart()
    until(lambda: answers(reader.store))
    stale = reader.store.get(["anna"])
    assert stale.records[0].as_of < newest
    standing = reader.people.standing("anna")
    assert (standing.head, standing.source, standing.record) == (newest, "log", None)
    until(
        lambda: reader.people.catch_up("anna").source == "store",
        each=lambda: (writer.watch.look(), reader.watch.look()),
    )
    standing = reader.people.standing("anna")
    assert standing.head == newest
    assert_same_person(standing.record.person, person_of(writer.state, 0, LIMITS))


def test_a_write_while_the_server_is_dead_is_acknowledged_when_nobody_believes_it(start):
    server = start()
    shop = Shop(MemoryTrust())
    writer, reader = Replica(shop, server.store()), Replica(shop, server.store())
    until(
        lambda: writer.keeper.belief() and reader.keeper.belief(),
        each=lambda: (writer.watch.look(), reader.watch.look()),
    )
    server.process.kill()
    began = monotonic()
    seq = writer.write(1)
    assert 0.5 < monotonic() - began < 3.0
    assert reader.keeper.belief() is None
    assert reader.people.standing("ben").head == seq
    began = monotonic()
    assert writer.write(1) == seq + 1
    assert monotonic() - began < 0.5


def test_a_frozen_server_costs_one_time_limit_and_soon_nothing(start):
    server = start()
    replica = Replica(Shop(MemoryTrust()), server.store(timeout_seconds=0.1), failures=3)
    until(replica.keeper.belief, each=replica.watch.look)
    replica.write(0)
    server.process.pause()
    took = []
    for _ in range(6):
        replica.keeper.poll()
        began = monotonic()
        assert replica.people.standing("anna").source == "log"
        took.append(monotonic() - began)
    assert max(took) < 0.5
    assert replica.breaker.state == "open"
    assert min(took[3:]) < 0.05
    server.process.resume()
    until(
        lambda: replica.breaker.state == "closed",
        each=lambda: (replica.keeper.poll(), replica.people.standing("anna")),
    )


def test_an_answer_that_came_too_late_is_not_taken_for_the_next_one(start):
    server = start()
    people = People()
    store = server.store(people.limits, timeout_seconds=0.15)
    store.apply(people.folded(random_events(2, 30, n_users=3)))
    expected = [record_of(store, user_id).person for user_id in USERS[:3]]
    server.process.pause()
    with pytest.raises(UnavailableError, match="does not answer"):
        store.get([USERS[0]])
    server.process.resume()
    for user_id, person in zip(USERS[:3], expected, strict=True):
        assert_same_person(record_of(store, user_id).person, person)


def test_events_that_arrive_after_their_time_limit_are_folded_once(start):
    server = start()
    people = People()
    store = server.store(people.limits, timeout_seconds=0.15)
    events = random_events(3, 30, n_users=1)
    store.apply(people.folded(events.take(0, 10)))
    late = people.folded(events.take(10, 20))
    server.process.pause()
    with pytest.raises(UnavailableError):
        store.apply(late)
    server.process.resume()
    assert store.apply(late).fates[0] in {"seen", "applied"}
    store.apply(people.folded(events.take(20, 30)))
    assert_knows(store, people, [0])


def test_a_full_server_that_refuses_writes_loses_the_record_rather_than_an_event(start):
    server = start()
    people = People()
    store, cache = server.store(people.limits), server.cache()
    events = random_events(4, 30, n_users=1)
    store.apply(people.folded(events.take(0, 10)))
    cache.put("anna", ONE, LIST, b"answer")
    server.raw.config_set("maxmemory-policy", "noeviction")
    server.raw.config_set("maxmemory", "1mb")
    server.raw.config_set("maxmemory-clients", "0")
    assert store.apply(people.folded(events.take(10, 20))).fates == ("dropped",)
    assert "maxmemory" in store.refused
    assert store.get([USERS[0]]).records == (None,)
    store.put({USERS[0]: people.person(0)})
    assert store.get([USERS[0]]).records == (None,)
    cache.put("anna", ONE, LIST, b"newer answer")
    assert found(cache, "anna") is None
    cache.put("nobody was here yet", ONE, LIST, b"answer")
    assert found(cache, "nobody was here yet") is None
    server.raw.config_set("maxmemory", "0")
    late = people.folded(events.take(20, 30))
    assert store.apply(late).fates == ("gap",)
    assert store.refused == ""
    store.put({USERS[0]: people.person(0)})
    assert_knows(store, people, [0])


def test_a_full_server_that_evicts_loses_records_that_are_rebuilt(start):
    server = start()
    people = People(history_length=50)
    store = server.store(people.limits)
    people.folded(random_events(5, 400, n_users=1))
    person = people.person(0)
    server.raw.config_set("maxmemory-policy", "allkeys-lru")
    server.raw.config_set("maxmemory", str(server.raw.info("memory")["used_memory"] + 2_000_000))
    many = [f"user {number}" for number in range(2000)]
    for start_at in range(0, 2000, 100):
        store.put(dict.fromkeys(many[start_at : start_at + 100], person))
    present = [found is not None for found in store.get(many).records]
    assert 0 < sum(present) < 2000
    assert server.raw.info("stats")["evicted_keys"] > 0
    lost = many[present.index(False)]
    store.put({lost: person})
    assert_same_person(record_of(store, lost).person, person)
    assert record_of(store, lost).epoch == 0


def test_a_server_that_became_a_replica_is_not_believed_nor_written_to(start):
    server, other = start(), start("other")
    people = People()
    store = server.store(people.limits)
    events = random_events(6, 20, n_users=1)
    store.apply(people.folded(events.take(0, 10)))
    primary = store.get(()).incarnation
    host, _, port = other.url.removeprefix("redis://").partition("/")[0].partition(":")
    server.raw.execute_command("REPLICAOF", host, port)
    assert store.get(()).incarnation == ""
    with pytest.raises(UnavailableError, match=r"refuses to write|does not answer"):
        store.apply(people.folded(events.take(10, 20)))
    server.raw.execute_command("REPLICAOF", "NO", "ONE")
    promoted = store.get(()).incarnation
    assert promoted
    assert promoted != primary


def test_every_command_is_fit_for_a_cluster(start):
    server = start(cluster=True)
    server.raw.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
    until(lambda: server.raw.execute_command("CLUSTER INFO")["cluster_state"] == "ok")
    people = People()
    store, cache = server.store(people.limits), server.cache()
    events = random_events(7, 60, n_users=len(USERS), n_items=9)
    store.apply(people.folded(events))
    users = sorted({int(user) for user in events.user})
    assert_knows(store, people, users)
    tokens = store.put({USERS[user]: people.person(user) for user in users}).tokens
    assert store.confirm(dict(zip([USERS[user] for user in users], tokens, strict=True)), 1) == len(users)
    cache.put("anna", ONE, LIST, b"answer")
    assert found(cache, "anna") == b"answer"
    assert (store.delete(USERS), cache.forget(["anna"])) == (len(users), 1)


def test_a_password_that_is_wrong_is_told_without_being_shown(start):
    server = start(extra=("--requirepass", "right"))
    url = server.url.replace("redis://", "redis://:very-secret@")
    with (
        closing(RedisOnlineStore(url, MemoryTelemetry(), limits=PersonLimits())) as store,
        pytest.raises(UnavailableError, match="check `redis_url`") as error,
    ):
        store.get(["anna"])
    assert "very-secret" not in error.value.message


def test_what_our_user_may_not_read_is_told_and_not_taken_for_absent(start):
    server = start()
    server.raw.execute_command("ACL", "SETUSER", "some", "on", ">word", "+@all", "~ours:*", "-info")
    url = server.url.replace("redis://", "redis://some:word@")
    with (
        closing(RedisOnlineStore(url, MemoryTelemetry(), limits=PersonLimits())) as store,
        closing(RedisAnswerCache(url, MemoryTelemetry())) as cache,
    ):
        with pytest.raises(UnavailableError, match="info"):
            store.get(())
        server.raw.execute_command("ACL", "SETUSER", "some", "+info")
        for ask in (lambda: store.get(["anna"]), lambda: cache.get("anna", ONE, LIST)):
            with pytest.raises(UnavailableError, match="key"):
                ask()


def test_no_server_is_told_with_the_remedy():
    url = redis_url(free_port())
    with (
        closing(RedisOnlineStore(url, MemoryTelemetry(), limits=PersonLimits())) as store,
        pytest.raises(UnavailableError, match="check `redis_url`"),
    ):
        store.get(["anna"])

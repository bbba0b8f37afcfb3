"""Writers and readers on replicas of their own while the server is killed again and again."""

import random
import sys
from contextlib import closing
from dataclasses import replace
from threading import Event, RLock, Thread
from time import monotonic, sleep

import pytest
from live_shop import LIMITS, USERS, Replica, Shop, answers

from foretaste.adapters.memory.telemetry import MemoryTelemetry
from foretaste.adapters.memory.trust import MemoryTrust
from foretaste.adapters.redis.online_store import RedisOnlineStore
from foretaste.domain.errors import UnavailableError
from foretaste.features.person import person_of
from foretaste.serving.trust import TrustKeeper
from foretaste.testing.contracts.online_store import assert_same_person
from foretaste.testing.rounds import kill_rounds
from foretaste.testing.servers.fixtures import required
from foretaste.testing.servers.process import free_port
from foretaste.testing.servers.redis import redis_server, redis_url
from foretaste.testing.waiting import until

KILLS = max(kill_rounds(4) // 4, 1)
"""Of each of the four variants: two servers, with and without their data."""
KILLS_PER_SHOP = 4
"""After each death a store is trusted again later, so a shop sees only so many."""


class LockedShop(Shop):
    """A log that several threads append to and read."""

    def __init__(self):
        super().__init__(MemoryTrust())
        self.lock = RLock()
        self.latest = dict.fromkeys(USERS, 0)

    def append(self, user):
        with self.lock:
            events = super().append(user)
            self.latest[USERS[user]] = events.last_seq
            return events

    def read(self, after):
        with self.lock:
            return super().read(after)

    def heads(self, user_ids):
        with self.lock:
            return [self.latest[user_id] for user_id in user_ids]


class Traffic:
    """Threads that write and read until told to stop, and what they found."""

    def __init__(self, replicas):
        self.replicas = replicas
        self.stop = Event()
        self.acknowledged = dict.fromkeys(USERS, 0)
        self.latest = USERS[0]
        self.reads = {"store": 0, "log": 0}
        self.wrong = []
        self.threads = [
            Thread(target=work, args=(replica,), daemon=True)
            for replica in replicas
            for work in (self.write, self.read)
        ]

    def write(self, replica):
        rng = random.Random(id(replica))
        while not self.stop.is_set():
            user = rng.randrange(len(USERS))
            seq = replica.write(user)
            self.acknowledged[USERS[user]] = max(seq, self.acknowledged[USERS[user]])
            self.latest = USERS[user]
            sleep(rng.uniform(0.0, 0.01))

    def read(self, replica):
        while not self.stop.is_set():
            user_id = self.latest
            required_head = self.acknowledged[user_id]
            standing = replica.people.standing(user_id)
            self.reads[standing.source] += 1
            if standing.head < required_head:
                self.wrong.append((user_id, required_head, standing))
            sleep(0.001)


def traffic_while_killed(process, replicas, kills, seed):
    """Kill the server at random moments when it is believed; return what all found who wrote and read."""
    rng, traffic = random.Random(seed), Traffic(replicas)
    for replica in replicas:
        replica.watch.start()
    for thread in traffic.threads:
        thread.start()
    try:
        for _ in range(kills):
            wait_for_belief(replicas, seconds=60.0)
            answered = traffic.reads["store"]
            until(lambda: traffic.reads["store"] > answered)  # noqa: B023
            sleep(rng.uniform(0.0, 0.5))
            process.kill()
            sleep(rng.uniform(0.0, 0.3))
            process.start()
        wait_for_belief(replicas, seconds=60.0)
        sleep(0.5)
    finally:
        traffic.stop.set()
        for thread in traffic.threads:
            thread.join(30.0)
    return traffic


def stores_at(port):
    """Return the stores of three replicas."""
    return [
        RedisOnlineStore(redis_url(port), MemoryTelemetry(), limits=LIMITS, timeout_seconds=0.2)
        for _ in range(3)
    ]


@pytest.mark.parametrize("begun", range(0, KILLS, KILLS_PER_SHOP))
@pytest.mark.parametrize("appendonly", [True, False])
def test_no_acknowledged_event_is_missed_while_the_server_dies_again_and_again(
    family, tmp_path, appendonly, begun
):
    kills = min(KILLS_PER_SHOP, KILLS - begun)
    port = free_port()
    process = redis_server(family, tmp_path / "server", port, appendonly=appendonly)
    shop = LockedShop()
    with required(process):
        stores = stores_at(port)
        replicas = [Replica(shop, store) for store in stores]
        traffic = traffic_while_killed(process, replicas, kills, begun)
        assert traffic.wrong == []
        assert shop.trust.read().epoch >= 1 + 2 * kills  # withdrawn and restored each time
        assert_records_are_what_the_log_says(replicas)
        told = f"{family}, {kills} kills, {len(shop.rows)} acknowledged, {sum(traffic.reads.values())} reads"
        sys.stdout.write(f"\n{told}, {len(traffic.wrong)} that missed one\n")
        for replica, store in zip(replicas, stores, strict=True):
            replica.watch.close()
            with closing(store):
                assert replica.count("online_store_trusted") == 1.0


class TakesAllServersForOne(RedisOnlineStore):
    """Does not see that a server was started again."""

    def get(self, user_ids):
        return replace(super().get(user_ids), incarnation="the server")

    def apply(self, events):
        return replace(super().apply(events), incarnation="the server")

    def put(self, people):
        return replace(super().put(people), incarnation="the server")


def missed_after_return(folder, kind):
    """Write while the server is dead, let it return with its data, and return whose events are missed."""
    port = free_port()
    process = redis_server("redis", folder, port, appendonly=True)
    shop, acknowledged, missed = LockedShop(), {}, []
    with required(process), closing(kind(redis_url(port), MemoryTelemetry(), limits=LIMITS)) as store:
        writer, reader = Replica(shop, store), Replica(shop, store)
        until(
            lambda: writer.keeper.belief() and reader.keeper.belief(),
            each=lambda: (writer.watch.look(), reader.watch.look()),
        )
        for user, user_id in enumerate(USERS):
            writer.write(user)
            until(lambda: reader.people.standing(user_id).source == "store", each=reader.watch.look)  # noqa: B023
        process.kill()
        for user, user_id in enumerate(USERS):
            acknowledged[user_id] = writer.write(user)
        process.start()
        until(lambda: answers(store), each=reader.watch.look)
        for user_id, seq in acknowledged.items():
            reader.watch.look()
            if reader.people.standing(user_id).head < seq:
                missed.append(user_id)
    return missed


def test_what_was_written_while_the_server_was_dead_is_known_when_it_returns_with_old_data(tmp_path):
    assert missed_after_return(tmp_path / "server", RedisOnlineStore) == []


def test_the_check_would_notice_writers_that_acknowledge_without_the_store(tmp_path, monkeypatch):
    """They withdraw no trust, and nobody sees that the server that returns is another one."""
    monkeypatch.setattr(TrustKeeper, "settle", lambda *_: None)
    assert missed_after_return(tmp_path / "server", TakesAllServersForOne) != []


def wait_for_belief(replicas, *, seconds):
    deadline = monotonic() + seconds
    while not all(replica.keeper.belief() for replica in replicas):
        assert monotonic() < deadline, "trust was not restored"
        sleep(0.05)


def assert_records_are_what_the_log_says(replicas):
    reader = replicas[0]
    reader.catch_up()
    for user, user_id in enumerate(USERS):
        deadline = monotonic() + 20.0
        while (standing := reader.people.catch_up(user_id)).record is None:
            assert monotonic() < deadline, "the record was not rebuilt"
            sleep(0.05)
        assert_same_person(standing.record.person, person_of(reader.state, user, LIMITS))


def test_the_watch_goes_on_where_nothing_answers():
    def away(*_):
        raise UnavailableError("away")

    shop = LockedShop()
    with closing(RedisOnlineStore(redis_url(free_port()), MemoryTelemetry(), limits=LIMITS)) as store:
        replica = Replica(shop, store)
        replica.watch.start()
        deadline = monotonic() + 20.0
        while replica.count("online_store_trusted") != 0.0 or replica.keeper._trust is None:
            assert monotonic() < deadline
            sleep(0.01)
        assert replica.keeper.belief() is None
        shop.trust.read = away
        replica.watch.close()

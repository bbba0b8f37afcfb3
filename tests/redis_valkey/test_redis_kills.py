"""Writers and readers on replicas of their own while the server is killed again and again."""

import random
from contextlib import closing
from threading import Event, RLock, Thread
from time import monotonic, sleep

import pytest
from live_shop import LIMITS, USERS, Replica, Shop

from foretaste.adapters.memory.telemetry import MemoryTelemetry
from foretaste.adapters.memory.trust import MemoryTrust
from foretaste.adapters.redis.online_store import RedisOnlineStore
from foretaste.domain.errors import UnavailableError
from foretaste.features.person import person_of
from foretaste.testing.contracts.online_store import assert_same_person
from foretaste.testing.rounds import kill_rounds
from foretaste.testing.servers.fixtures import required
from foretaste.testing.servers.process import free_port
from foretaste.testing.servers.redis import redis_server, redis_url

KILLS = max(kill_rounds(20) // 4, 1)
"""Of each of the four variants: two servers, with and without their data."""


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


@pytest.mark.parametrize("appendonly", [True, False])
def test_no_acknowledged_event_is_missed_while_the_server_dies_again_and_again(family, tmp_path, appendonly):
    rng, port = random.Random(7), free_port()
    process = redis_server(family, tmp_path / "server", port, appendonly=appendonly)
    shop = LockedShop()
    with required(process):
        stores = [
            RedisOnlineStore(redis_url(port), MemoryTelemetry(), limits=LIMITS, timeout_seconds=0.2)
            for _ in range(3)
        ]
        replicas = [Replica(shop, store) for store in stores]
        traffic = Traffic(replicas)
        for replica in replicas:
            replica.watch.start()
        for thread in traffic.threads:
            thread.start()
        try:
            for _ in range(KILLS):
                sleep(rng.uniform(0.5, 1.5))
                process.kill()
                sleep(rng.uniform(0.0, 0.3))
                process.start()
            wait_for_belief(replicas, seconds=60.0)
            sleep(0.5)
        finally:
            traffic.stop.set()
            for thread in traffic.threads:
                thread.join(30.0)
        assert traffic.wrong == []
        assert traffic.reads["store"] > 50
        assert shop.trust.read().epoch >= 3  # withdrawn and restored at least once
        assert_records_are_what_the_log_says(replicas)
        for replica, store in zip(replicas, stores, strict=True):
            replica.watch.close()
            with closing(store):
                assert replica.count("online_store_trusted") == 1.0


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

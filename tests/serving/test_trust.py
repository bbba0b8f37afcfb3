"""No replica believes a record that lacks an acknowledged event, whatever fails and whoever comes first."""

import copy
from contextlib import suppress
from random import Random

import numpy as np
import pytest

from foretaste.adapters.memory.id_map import MemoryIdMap
from foretaste.adapters.memory.online_store import MemoryOnlineStore
from foretaste.adapters.memory.telemetry import MemoryTelemetry
from foretaste.adapters.memory.trust import MemoryTrust
from foretaste.domain.errors import UnavailableError
from foretaste.domain.event import EventColumns, no_events
from foretaste.features.person import limits_of, previous_seqs
from foretaste.features.state import State, StateConfig
from foretaste.serving.breaker import Breaker
from foretaste.serving.names import Names
from foretaste.serving.people_online import LivePeople
from foretaste.serving.trust import LEASE_SECONDS, PATIENCE_SECONDS, Belief, TrustKeeper
from foretaste.testing.event_factories import EVENT_TYPES
from foretaste.testing.interleaving import Interleaver

USERS = ("anna", "ben", "cleo")
REPLICAS = 3
SECONDS = 30.0
CONFIG = StateConfig(history_length=5)
LIMITS = limits_of(CONFIG)


class World:
    """A log, servers of the online store that fail, and replicas that write and read."""

    def __init__(self, seed, *, keeper=TrustKeeper, live=LivePeople, store=MemoryOnlineStore):
        self.random = Random(seed)
        self.turns = Interleaver(self.random)
        self.store_type = store
        self.rows = []
        self.acknowledged = dict.fromkeys(USERS, 0)
        self.latest = USERS[0]
        self.trust = MemoryTrust()
        self.generation = 0
        self.servers = [self.new_server()]
        self.backups = []
        self.telemetry = MemoryTelemetry()
        self.sources = {"store": 0, "log": 0}
        self.id_map = MemoryIdMap()
        self.id_map.assign("user", USERS)
        self.id_map.assign("item", ["a", "b", "c"])
        self.id_map.assign("type", EVENT_TYPES)
        self.replicas = [Replica(self, keeper, live) for _ in range(REPLICAS)]

    def new_server(self):
        self.generation += 1
        return self.store_type(LIMITS, clock=self.turns.clock, incarnation=f"server {self.generation}")

    def commit(self, user):
        row = user, *(self.random.randrange(n) for n in (3, len(EVENT_TYPES), 9))
        self.rows.append(row)
        return len(self.rows)

    def read(self, after):
        rows = np.array(self.rows[after:], np.int64).reshape(-1, 4)
        seq = np.arange(after + 1, len(self.rows) + 1)
        return EventColumns(
            previous_seq=after,
            seq=seq,
            user=rows[:, 0].astype(np.int32),
            item=rows[:, 1].astype(np.int32),
            type=rows[:, 2].astype(np.int16),
            time=rows[:, 3] * 1_000_000,
            key=seq,
            value=np.full(len(rows), np.nan, np.float32),
        )

    def heads(self, user_ids):
        self.turns.pause()
        found = [
            max((seq for seq, row in enumerate(self.rows, 1) if USERS[row[0]] == user_id), default=0)
            for user_id in user_ids
        ]
        self.turns.pause()
        return found

    def chaos(self):
        while True:
            self.turns.wait(self.random.expovariate(0.7))
            server = self.servers[-1]
            match self.random.randrange(5):
                case 0:
                    server.delete([self.random.choice(USERS)])  # evicted
                case 1:
                    self.servers.append(self.new_server())  # restarted, empty
                case 2:
                    self.backups.append(snapshot_of(server))
                case 3 if self.backups:  # fell back to a copy that lags
                    kept = snapshot_of(self.random.choice(self.backups))
                    self.generation += 1
                    kept.incarnation = f"server {self.generation}"
                    self.servers.append(kept)
                case _:
                    pass

    def run(self):
        self.turns.spawn(self.chaos)
        for replica in self.replicas:
            for task in (replica.write, replica.write, replica.read, replica.read, replica.watch):
                self.turns.spawn(task)
        self.turns.run(until=SECONDS)


def snapshot_of(server):
    other = MemoryOnlineStore(LIMITS, clock=server._clock, incarnation=server.incarnation)
    other.__class__ = type(server)
    other._kept, other._tokens = copy.copy(server._kept), server._tokens
    return other


class FaultyConnection:
    """A connection that may lead to a former server for a while, fail before or after, or deliver late."""

    def __init__(self, world):
        self.world = world
        self.server = world.servers[-1]

    def __getattr__(self, name):
        def call(*arguments):
            world, random = self.world, self.world.random
            world.turns.pause()
            if self.server is not world.servers[-1] and random.random() < 0.3:
                self.server = world.servers[-1]
                raise UnavailableError("the connection is gone")
            server, fate = self.server, random.random()
            if fate < 0.003:
                raise UnavailableError("refused")
            if fate < 0.006:
                self.deliver_late(server, name, arguments)
                raise UnavailableError("timed out, and done later")
            answer = getattr(server, name)(*arguments)
            if fate < 0.009:
                raise UnavailableError("timed out, but done")
            world.turns.pause()
            return answer

        return call

    def deliver_late(self, server, name, arguments):
        def later():
            self.world.turns.wait(self.world.random.uniform(0.0, 3.0))
            getattr(server, name)(*arguments)

        self.world.turns.spawn(later)


class PausingTrust:
    """The trust record, which others may change just before and just after a call."""

    def __init__(self, world):
        self.world = world

    def __getattr__(self, name):
        def call(*arguments):
            self.world.turns.pause()
            if self.world.random.random() < 0.01:
                raise UnavailableError("the database is away")
            answer = getattr(self.world.trust, name)(*arguments)
            self.world.turns.pause()
            return answer

        return call


class Replica:
    """A process with its own state; also the follower of the log."""

    def __init__(self, world, keeper, live):
        self.world = world
        self.state = State(CONFIG, lambda: EVENT_TYPES)
        self.store = FaultyConnection(world)
        self.keeper = keeper(
            PausingTrust(world), world.telemetry, clock=world.turns.clock, wait=world.turns.wait
        )
        self.people = live(
            self.store,
            self.keeper,
            self,
            Names(world.id_map),
            world.heads,
            world.telemetry,
            limits=LIMITS,
            breaker=Breaker(random=world.random.random, first_seconds=0.1, longest_seconds=1.0),
            clock=world.turns.clock,
        )

    def catch_up(self):
        self.state.apply(self.world.read(self.state.seq))

    def write(self):
        world = self.world
        while True:
            world.turns.wait(world.random.expovariate(4.0))
            user = world.random.randrange(len(USERS))
            self.catch_up()
            seq = world.commit(user)
            own = world.read(seq - 1)
            previous = previous_seqs(self.state, own)
            world.turns.pause()
            self.catch_up()
            repeated = {}
            if world.random.random() < 0.1:  # the sender dies here; the client sends the event again
                own, previous, repeated = no_events(seq), previous[:0], {USERS[user]: seq}
            with suppress(UnavailableError):
                self.people.publish(own, previous, repeated=repeated)
                world.latest = USERS[user]
                world.acknowledged[world.latest] = max(seq, world.acknowledged[world.latest])

    def read(self):
        world = self.world
        while True:
            world.turns.wait(world.random.expovariate(10.0))
            user_id = world.random.choice((*USERS, world.latest, world.latest, world.latest))
            required = world.acknowledged[user_id]
            with suppress(UnavailableError):
                standing = self.people.catch_up(user_id)
                world.sources[standing.source] += 1
                assert standing.head >= required
                assert self.state.seq >= required
                if standing.record is not None:
                    assert standing.record.as_of >= required

    def watch(self):
        while True:
            with suppress(UnavailableError):
                self.keeper.poll()
                self.keeper.mend(self.store.get(()).incarnation)
            self.world.turns.wait(0.2 if self.world.random.random() < 0.94 else 3.0)


@pytest.mark.parametrize("seed", range(10))
def test_no_replica_believes_a_record_that_lacks_an_acknowledged_event(seed):
    world = World(seed)
    world.run()
    assert world.sources["store"] > 100
    assert min(world.acknowledged.values()) > 0


class NeverWaits(TrustKeeper):
    """Acknowledges as soon as trust is withdrawn, while others still believe."""

    def settle(self, incarnation):
        wait, self._wait = self._wait, lambda _: None
        super().settle(incarnation)
        self._wait = wait


class NeverWithdraws(TrustKeeper):
    """Acknowledges what did not reach the store."""

    def settle(self, incarnation):
        pass


class TakesAnyServer(TrustKeeper):
    """Counts events as delivered whichever server has them."""

    def settle(self, incarnation):
        if incarnation is None:
            super().settle(None)


class BelievesForEver(TrustKeeper):
    """Does not let its lease run out."""

    def belief(self):
        trust = self._trust
        believes = trust is not None and trust.trusted
        return Belief(epoch=trust.epoch, incarnation=trust.incarnation) if believes else None


class RestoresAtOnce(TrustKeeper):
    """Does not wait until the leases of the former epoch have run out."""

    def mend(self, incarnation):
        self._since, self._calm = -1e9, 0.0
        super().mend(incarnation)


class ConfirmsAnything(LivePeople):
    """Confirms records without having compared them with the log."""

    def standing(self, user_id):
        belief = self._trust.belief()
        reading = self._asked(lambda: self._store.get([user_id]))
        if belief and reading and reading.records[0]:
            self._asked(lambda: self._store.confirm({user_id: reading.records[0].token}, belief.epoch))
        return super().standing(user_id)


class IgnoresGaps(MemoryOnlineStore):
    """Folds events although earlier ones are missing."""

    def apply(self, events):
        bridged = copy.copy(events)
        object.__setattr__(bridged, "previous", np.zeros_like(events.previous))
        return super().apply(bridged)


@pytest.mark.parametrize(
    ("fault", "first"),
    [
        ({"keeper": NeverWaits}, 0),
        ({"keeper": NeverWithdraws}, 0),
        ({"keeper": TakesAnyServer}, 1),
        ({"keeper": BelievesForEver}, 6),
        ({"keeper": RestoresAtOnce}, 6),
        ({"live": ConfirmsAnything}, 11),
        ({"store": IgnoresGaps}, 0),
    ],
    ids=lambda fault: next(iter(fault.values())).__name__ if isinstance(fault, dict) else "",
)
def test_each_mechanism_is_needed(fault, first):
    """Interleavings from number `first` on, which shows the fault where the order of steps is as it was."""
    for seed in range(first, first + 60):
        try:
            World(seed, **fault).run()
        except AssertionError:
            return
    pytest.fail("no interleaving showed the fault")


class Clock:
    """Simulated seconds; waiting takes them."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now

    def wait(self, seconds):
        self.now += seconds


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def record():
    return MemoryTrust()


@pytest.fixture
def keeper(clock, record):
    return TrustKeeper(record, MemoryTelemetry(), clock=clock, wait=clock.wait)


def trusted(keeper, clock, incarnation="server"):
    """Bring a keeper to trust a server."""
    keeper.poll()
    clock.now += PATIENCE_SECONDS
    keeper.mend(incarnation)


def test_nothing_is_believed_before_the_record_was_read(keeper, record):
    record.restore(0, "server")
    assert keeper.belief() is None
    keeper.poll()
    assert keeper.belief() == Belief(epoch=1, incarnation="server")


def test_belief_ends_with_the_lease(keeper, clock):
    trusted(keeper, clock)
    keeper.poll()
    clock.now += LEASE_SECONDS - 0.001
    assert keeper.belief() is not None
    clock.now += 0.001
    assert keeper.belief() is None
    keeper.poll()
    assert keeper.belief() is not None


def test_what_reached_the_trusted_server_is_acknowledged_at_once_and_without_asking(keeper, clock, record):
    trusted(keeper, clock)
    before, epoch = clock.now, record.read().epoch
    record.read = None
    keeper.settle("server")
    assert (clock.now, keeper.belief().epoch) == (before, epoch)


def test_what_may_not_have_arrived_is_acknowledged_when_nobody_believes_any_more(keeper, clock, record):
    trusted(keeper, clock)
    before = clock.now
    keeper.settle(None)
    assert not record.read().trusted
    assert clock.now == pytest.approx(before + PATIENCE_SECONDS)
    keeper.settle(None)
    assert clock.now == pytest.approx(before + PATIENCE_SECONDS)


def test_what_reached_another_server_did_not_arrive(keeper, clock, record):
    trusted(keeper, clock)
    keeper.settle("another server")
    assert not record.read().trusted


def test_a_replica_waits_even_where_another_withdrew_trust(keeper, clock, record):
    trusted(keeper, clock)
    record.distrust(record.read().epoch)
    before = clock.now
    keeper.settle(None)
    assert clock.now == pytest.approx(before + PATIENCE_SECONDS)


def test_a_server_that_was_replaced_is_distrusted_then_trusted_under_a_new_epoch(keeper, clock, record):
    trusted(keeper, clock)
    epoch = record.read().epoch
    keeper.mend("new server")
    assert not record.read().trusted
    keeper.mend("new server")
    assert not record.read().trusted
    clock.now += 120.0
    keeper.mend("new server")
    assert record.read().incarnation == "new server"
    assert record.read().epoch == epoch + 2


def test_trust_that_does_not_last_is_restored_more_and_more_slowly(keeper, clock, record):
    trusted(keeper, clock)
    waits = []
    for _ in range(8):
        keeper.settle(None)
        began = clock.now
        while not record.read().trusted:
            clock.now += 0.1
            keeper.poll()
            keeper.mend("server")
        waits.append(clock.now - began)
    assert waits == sorted(waits)
    assert waits[0] < 1.0
    assert 30.0 < waits[-1] < 34.0


def test_a_server_that_does_not_say_who_it_is_is_not_trusted(keeper, clock, record):
    trusted(keeper, clock, incarnation="")
    assert not record.read().trusted

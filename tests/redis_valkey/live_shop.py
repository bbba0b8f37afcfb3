"""A log in memory and replicas that share one online store."""

from time import monotonic

from foretaste.adapters.memory.id_map import MemoryIdMap
from foretaste.adapters.memory.telemetry import MemoryTelemetry
from foretaste.domain.errors import UnavailableError
from foretaste.features.person import limits_of, previous_seqs
from foretaste.features.state import State, StateConfig
from foretaste.serving.breaker import Breaker
from foretaste.serving.names import Names
from foretaste.serving.people_online import LivePeople
from foretaste.serving.trust import TrustKeeper, TrustWatch
from foretaste.testing.event_factories import EVENT_TYPES, event_columns

CONFIG = StateConfig(history_length=10)
LIMITS = limits_of(CONFIG)
USERS = ("anna", "ben", "🦊 {}")


class Shop:
    """The log and the trust record, which replicas share; `asked` counts how often the log told a head."""

    def __init__(self, trust):
        self.trust = trust
        self.rows = []
        self.asked = 0
        self.id_map = MemoryIdMap()
        self.id_map.assign("user", USERS)
        self.id_map.assign("type", EVENT_TYPES)

    def append(self, user):
        self.rows.append((user, len(self.rows) % 7, 1, len(self.rows)))
        return self.read(len(self.rows) - 1)

    def read(self, after):
        return event_columns(self.rows[after:], previous_seq=after)

    def heads(self, user_ids):
        self.asked += 1
        return [
            max((seq for seq, row in enumerate(self.rows, 1) if USERS[row[0]] == user_id), default=0)
            for user_id in user_ids
        ]


class Replica:
    """One process: its state, its connection to the store, its view of trust."""

    def __init__(self, shop, store, *, failures=3, clock=monotonic):
        self.shop = shop
        self.store = store
        self.telemetry = MemoryTelemetry()
        self.state = State(CONFIG, lambda: EVENT_TYPES)
        self.keeper = TrustKeeper(shop.trust, self.telemetry)
        self.watch = TrustWatch(self.keeper, store)
        self.breaker = Breaker(random=lambda: 1.0, failures=failures, first_seconds=0.3)
        self.people = LivePeople(
            store,
            self.keeper,
            self,
            Names(shop.id_map),
            shop.heads,
            self.telemetry,
            limits=LIMITS,
            breaker=self.breaker,
            clock=clock,
        )

    def catch_up(self):
        self.state.apply(self.shop.read(self.state.seq))

    def write(self, user):
        """Append an event and return when it is acknowledged."""
        self.catch_up()
        own = self.shop.append(user)
        tail = self.shop.read(self.state.seq)  # others may have appended before
        previous = previous_seqs(self.state, tail)[tail.seq == own.last_seq]
        self.state.apply(tail)
        self.people.publish(own, previous)
        return own.last_seq

    def count(self, name, **labels):
        """Return what was counted under a name."""
        written = "".join(f'{{{key}="{value}"}}' for key, value in labels.items())
        for line in self.telemetry.exposition().decode().splitlines():
            if line.startswith(f"{name}{written} "):
                return float(line.rpartition(" ")[2])
        return 0.0


def answers(store):
    """Return whether the store answers."""
    try:
        store.get(())
    except UnavailableError:
        return False
    return True

"""A simulation on its way to a target: in batches, as fast as it goes or in its own time."""

import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol

import msgspec

from foretaste.domain.arrays import MICROS_PER_SECOND
from foretaste.domain.clock import Clock, system_clock
from foretaste.domain.errors import InvalidInputError
from foretaste.domain.event import Event
from foretaste.domain.item import Item
from foretaste.events.vocabulary import CONSUMING_TYPES
from foretaste.testing.simulator.judging import Judgement, judged
from foretaste.testing.simulator.traffic import Delivery, deliveries
from foretaste.testing.simulator.world import World

BATCH = 500
LIVE_SECONDS = 0.5
"""Live batches are sent at least so often."""


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a batch. `retried` is how often it had to be sent again."""

    accepted: int = 0
    duplicates: int = 0
    rejected: int = 0
    retried: int = 0


class Target(Protocol):
    """Where a simulation goes. Safe for as many threads as `concurrency` says."""

    concurrency: int

    def put_items(self, items: Sequence[Item]) -> None:
        """Put items into the catalog, where the target has one."""
        ...

    def send(self, events: Sequence[Event]) -> Sent:
        """Send a batch; return when it is there. Raises `UnavailableError` where the target stays away."""
        ...

    def slate(self, user_id: str, k: int, now: int) -> Sequence[str]:
        """Return what the target recommends; raise `InvalidInputError` where it cannot be asked."""
        ...

    def close(self) -> None:
        """Finish, and release everything."""
        ...


class SimulationReport(msgspec.Struct, frozen=True, kw_only=True):
    """What was sent and what became of it; `start` (microseconds UTC) and `seed` give the same events again.

    `events` are the different ones, `deliveries` count those sent again too.
    """

    target: str
    start: int
    seed: int
    events: int
    deliveries: int
    accepted: int
    duplicates: int
    rejected: int
    retried: int
    seconds: float
    judgement: Judgement | None = None


class Simulation:
    """Sends the traffic of `world` to `target`, and judges what the target makes of it.

    With `live` every event is sent when it is due by `clock` (microseconds UTC), waiting by `sleep`.
    """

    def __init__(
        self,
        world: World,
        target: Target,
        *,
        batch: int = BATCH,
        live: bool = False,
        clock: Clock = system_clock,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._world = world
        self._target = target
        self._batch = batch
        self._live = live
        self._clock = clock
        self._sleep = sleep
        self._popular: Counter[str] = Counter()
        self._had: defaultdict[str, set[str]] = defaultdict(set)
        self._total: Counter[str] = Counter()

    def run(self, advance: Callable[[int], object] = lambda _amount: None) -> Counter[str]:
        """Send everything; return counts by the names of the report's fields. `advance` is told deliveries.

        Raises what the target's `send` does; what was sent before stays sent.
        """
        self._target.put_items(self._world.items)
        waiting: deque[Future[Sent]] = deque()
        with ThreadPoolExecutor(self._target.concurrency) as pool:
            for batch in self._batches(deliveries(self._world)):
                self._count(batch)
                waiting.append(pool.submit(self._target.send, [delivery.event for delivery in batch]))
                if len(waiting) >= 2 * self._target.concurrency:
                    self._settle(waiting.popleft())
                advance(len(batch))
            while waiting:
                self._settle(waiting.popleft())
        return self._total

    def judge(self, people: int, k: int = 10) -> Judgement:
        """Ask the target for slates of the `people` most active people at the end, after `run`.

        What a person is done with is nobody's answer. Raises what the target's `slate` does.
        """
        order = (-self._world.activity).argsort(kind="stable")[:people]
        return judged(
            self._world,
            self._world.scenery.end,
            lambda user_id, k: self._target.slate(user_id, k, self._world.scenery.end),
            people=[self._world.users[number] for number in order],
            popular=self.popular(),
            k=k,
            had=self.had,
        )

    def popular(self) -> list[str]:
        """Return the items by how often they were taken so far, most first."""
        return [item_id for item_id, _ in self._popular.most_common()]

    def had(self, user_id: str) -> Collection[str]:
        """Return the items that a person is done with so far: they bought them."""
        return self._had.get(user_id, ())

    def _count(self, batch: Sequence[Delivery]) -> None:
        self._total["deliveries"] += len(batch)
        for delivery in batch:
            if not delivery.again:
                event = delivery.event
                self._total["events"] += 1
                self._popular[event.item_id] += 1
                if event.type in CONSUMING_TYPES:
                    self._had[event.user_id].add(event.item_id)

    def _settle(self, future: "Future[Sent]") -> None:
        self._total.update(msgspec.structs.asdict(future.result()))

    def _batches(self, traffic: Iterable[Delivery]) -> Iterator[list[Delivery]]:
        """Yield batches, live ones when their last event is due."""
        span = LIVE_SECONDS * MICROS_PER_SECOND if self._live else float("inf")
        batch: list[Delivery] = []
        for delivery in traffic:
            if batch and (len(batch) >= self._batch or delivery.at >= batch[0].at + span):
                yield self._due(batch)
                batch = []
            batch.append(delivery)
        if batch:
            yield self._due(batch)

    def _due(self, batch: list[Delivery]) -> list[Delivery]:
        while self._live and (wait := batch[-1].at - self._clock()) > 0:
            self._sleep(wait / MICROS_PER_SECOND)
        return batch


def cannot_be_asked(what: str) -> InvalidInputError:
    """Return the error of a target that has no answers."""
    return InvalidInputError(f"{what} gives no recommendations, so --judge cannot ask it", field="judge")

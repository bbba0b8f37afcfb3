"""The traffic of a simulation: sessions of people, bursts of bots, and how their events are delivered."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foretaste.domain.arrays import MICROS_PER_SECOND, Doubles, Int64s
from foretaste.domain.event import Event
from foretaste.testing.simulator.scenery import STEP, STEP_SECONDS, Scenery
from foretaste.testing.simulator.world import EXPLORING, World

SESSION_EVENTS, LONGEST_SESSION = 5.0, 40
"""How many events a session has on the average, and at most."""
GAP_SECONDS, GAP_SPREAD, LONGEST_GAP = 20.0, 1.0, 600.0
"""The median time between two events of a session; its logarithm's standard deviation; the longest."""
MOST_SESSIONS = 10_000_000
"""More than begin in a step: it keeps the names of sessions apart."""
WARM_UP = 12
"""Steps before the start in which sessions begin, so that the first moments are as busy as the others."""
TYPES = ("view", "click", "add_to_cart", "purchase")
TYPE_CHANCES = (0.6, 0.25, 0.08, 0.07)
DEVICES = ("phone", "desktop", "tablet")
DEVICE_CHANCES = (0.6, 0.3, 0.1)
BOT = "bot-"
BOTS, BURST_EVENTS, BURST_SECONDS = 5, 80, 40.0
LATE_SECONDS, LATEST_SECONDS = 300.0, 3600.0
AGAIN_SECONDS = 20.0
_SESSIONS, _CHOICES, _BOTS, _DELIVERY = range(10, 14)


@dataclass(frozen=True, slots=True)
class Delivery:
    """An event as it arrives `at` a moment (microseconds UTC): once, or again under the same id."""

    at: int
    event: Event
    again: bool = False

    @property
    def late(self) -> bool:
        """Whether it arrives after its time."""
        return self.at > self.event.timestamp


@dataclass(frozen=True, slots=True)
class _Visits:
    """Events to be, in equally long columns: when, who, in which session (-1: a bot's), on which device."""

    time: Int64s
    user: Int64s
    session: Int64s
    device: Int64s

    def take(self, chosen: NDArray[np.bool_] | Int64s) -> "_Visits":
        return _Visits(self.time[chosen], self.user[chosen], self.session[chosen], self.device[chosen])


def is_bot(user_id: str) -> bool:
    """Return whether a user id is one of a bot."""
    return user_id.startswith(BOT)


def deliveries(world: World) -> Iterator[Delivery]:
    """Yield what arrives, in the order of arrival; the same scenery gives the same deliveries.

    A session is a run of events of one person minutes apart, with one device. Bots come in bursts of one
    event after the other and take blindly. What is late or delivered again keeps its timestamp. Only a few
    sessions and what is late are held in memory.
    """
    scenery = world.scenery
    visits = _Visits(*(np.empty(0, np.int64) for _ in range(4)))
    held: list[Delivery] = []
    number = 0
    level = scenery.steps / sum(world.liveliness(step) for step in range(scenery.steps))
    for step in range(-WARM_UP, scenery.steps):
        end = min(scenery.start + (step + 1) * STEP, scenery.end)
        visits = _joined(visits, _sessions(world, step, level))
        due = visits.time < end
        now, visits = visits.take(due & (visits.time >= scenery.start)), visits.take(~due)
        if step < 0:
            continue
        events = _events(world, step, _in_order(_joined(now, _bursts(scenery, step))), number)
        number += len(events)
        held = sorted(held + _delivered(scenery, step, events), key=lambda delivery: delivery.at)
        ready = next((at for at, delivery in enumerate(held) if delivery.at >= end), len(held))
        yield from held[:ready]
        held = held[ready:]
    yield from held


def _sessions(world: World, step: int, level: float) -> _Visits:
    """Return the visits of the sessions that begin in a step."""
    scenery, rng = world.scenery, _rng(world.scenery, _SESSIONS, step)
    per_second = scenery.rate * (1.0 - scenery.bots) / SESSION_EVENTS
    n = rng.poisson(per_second * STEP_SECONDS * level * world.liveliness(step))
    lengths = np.minimum(rng.geometric(1.0 / SESSION_EVENTS, size=n), LONGEST_SESSION)
    begin = scenery.start + step * STEP + rng.integers(0, STEP, size=n)
    user = rng.choice(scenery.users, n, p=world.activity)
    gaps = np.minimum(
        np.exp(rng.normal(np.log(GAP_SECONDS), GAP_SPREAD, size=int(lengths.sum()))), LONGEST_GAP
    )
    first = np.cumsum(lengths) - lengths
    gaps[first] = 0.0
    elapsed = np.cumsum(gaps)
    session = np.repeat(np.arange(n), lengths)
    since = ((elapsed - elapsed[first][session]) * MICROS_PER_SECOND).astype(np.int64)
    device = rng.choice(len(DEVICES), n, p=DEVICE_CHANCES)
    named = session + (step + WARM_UP) * MOST_SESSIONS
    return _Visits(begin[session] + since, user[session], named, device[session])


def _bursts(scenery: Scenery, step: int) -> _Visits:
    """Return the visits of the bots of a step: bursts that end within it."""
    rng = _rng(scenery, _BOTS, step)
    seconds = min(STEP_SECONDS, scenery.duration - step * STEP_SECONDS)
    n = rng.poisson(scenery.rate * scenery.bots * seconds / BURST_EVENTS)
    room = max(seconds - BURST_SECONDS, 1.0)
    begin = np.repeat(rng.random(n) * room, BURST_EVENTS)
    after = np.minimum(rng.random(n * BURST_EVENTS) * BURST_SECONDS, seconds - begin - 1e-6)
    time = scenery.start + step * STEP + ((begin + after) * MICROS_PER_SECOND).astype(np.int64)
    bot = np.repeat(rng.integers(BOTS, size=n), BURST_EVENTS)
    return _Visits(time, bot, np.full(len(time), -1), np.zeros(len(time), np.int64))


def _events(world: World, step: int, visits: _Visits, first: int) -> list[Event]:
    """Return visits as events: each with what was chosen, by the chances of this step."""
    rng = _rng(world.scenery, _CHOICES, step)
    chosen = _chosen(world, step, visits, rng)
    kinds = rng.choice(len(TYPES), len(chosen), p=TYPE_CHANCES)
    columns = (visits.time, visits.user, visits.session, visits.device, chosen, kinds)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return [_event(world, number, *row) for number, row in enumerate(rows, start=first)]


def _event(
    world: World, number: int, time: int, user: int, session: int, device: int, item: int, kind: int
) -> Event:
    person = session >= 0
    return Event(
        event_id=f"sim-{world.mark}-{number}",
        user_id=world.users[user] if person else f"{BOT}{user + 1}",
        item_id=world.items[item].item_id,
        type=TYPES[kind] if person else "click",
        timestamp=time,
        session_id=f"s{session}" if person else None,
        context={"device": DEVICES[device]} if person else {},
    )


def _chosen(world: World, step: int, visits: _Visits, rng: np.random.Generator) -> Int64s:
    """Draw an item for each visit."""
    n = len(visits.time)
    within, anything = world.draw(step)
    person = visits.session >= 0
    mixture = world.mixtures(np.where(person, visits.user, 0), step)
    topic = (np.cumsum(mixture, axis=1) < rng.random(n)[:, None]).sum(axis=1).clip(max=mixture.shape[1] - 1)
    blindly = ~person | (rng.random(n) < EXPLORING)
    lot = rng.random(n)
    chosen = _drawn(anything, lot)
    for each in np.unique(topic):
        at = ~blindly & (topic == each)
        chosen[at] = _drawn(within[each], lot[at])
    return chosen


def _drawn(chances: Doubles, lot: Doubles) -> Int64s:
    """Return the item that each number from 0 to 1 stands for, one with a chance above 0."""
    there = np.flatnonzero(chances)
    place = np.searchsorted(np.cumsum(chances[there]), lot, side="right")
    drawn: Int64s = there[place.clip(max=len(there) - 1)]
    return drawn


def _delivered(scenery: Scenery, step: int, events: list[Event]) -> list[Delivery]:
    rng = _rng(scenery, _DELIVERY, step)
    n = len(events)
    late = rng.random(n) < scenery.late
    delay = np.where(late, np.minimum(1.0 + rng.exponential(LATE_SECONDS, n), LATEST_SECONDS), 0.0)
    again = rng.random(n) < scenery.duplicates
    later = delay + rng.exponential(AGAIN_SECONDS, n)
    micros = (np.stack((delay, later)) * MICROS_PER_SECOND).astype(np.int64)
    found = [
        Delivery(event.timestamp + wait, event)
        for event, wait in zip(events, micros[0].tolist(), strict=True)
    ]
    return found + [
        Delivery(events[place].timestamp + int(micros[1, place]), events[place], again=True)
        for place in np.flatnonzero(again)
    ]


def _joined(one: _Visits, other: _Visits) -> _Visits:
    return _Visits(
        np.concatenate((one.time, other.time)),
        np.concatenate((one.user, other.user)),
        np.concatenate((one.session, other.session)),
        np.concatenate((one.device, other.device)),
    )


def _in_order(visits: _Visits) -> _Visits:
    return visits.take(np.argsort(visits.time, kind="stable"))


def _rng(scenery: Scenery, part: int, step: int) -> np.random.Generator:
    return np.random.default_rng([scenery.seed, part, step + WARM_UP])

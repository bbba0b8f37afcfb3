"""The world behind a simulation: people, items, and what each person would take to at each moment."""

from collections.abc import Collection, Sequence
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from foretaste.domain.arrays import MICROS_PER_SECOND, Doubles, Int64s
from foretaste.domain.errors import InvalidInputError
from foretaste.domain.item import Item
from foretaste.testing.simulator.goods import TOPICS, named_item
from foretaste.testing.simulator.scenery import STEP, Scenery

HOUR = 3600 * MICROS_PER_SECOND
DAY = 24 * HOUR
CONCENTRATION = 0.25
"""Of the Dirichlet distribution that tastes are drawn from: a person has two or three topics."""
POPULARITY_SLOPE, ACTIVITY_SLOPE = 0.9, 0.6
"""The n-th most popular item draws n^-0.9 as much as the first, the n-th most active person n^-0.6."""
EXPLORING = 0.05
"""The share of choices that have nothing to do with taste."""
NOVELTY, NOVELTY_DAYS = 3.0, 0.5
"""A new item draws four times as much as it will, and half of the surplus is gone every half day."""
_PEOPLE, _ITEMS, _SEASONS, _DRIFT = range(4)


class World:
    """People and items of a `Scenery`, and the chance that a person's next choice is an item.

    A choice is drawn by `chances`, so ranking by them is the best that any recommender can do. A person's
    taste is a mixture of topics; each day a share `drift` of all people move to another one, in the
    course of that day. What a topic draws depends on the hour and the weekday; what an item draws within
    its topic on its popularity and its novelty. Items that did not arrive yet have chance 0.
    """

    def __init__(self, scenery: Scenery) -> None:
        self.scenery = scenery
        self.mark = scenery.mark
        self.users: Sequence[str] = [f"u{number + 1}" for number in range(scenery.users)]
        self._user = {name: number for number, name in enumerate(self.users)}
        rng = self._rng(_ITEMS)
        initial = max(1, scenery.items - round(scenery.items * scenery.new_items))
        self._n_topics = min(len(TOPICS), initial)
        spread = np.arange(scenery.items) % self._n_topics
        self.topic: NDArray[np.int64] = np.concatenate((spread[:initial], rng.permutation(spread[initial:])))
        self.arrival: Int64s = np.full(scenery.items, scenery.start)
        span = scenery.end - scenery.start
        self.arrival[initial:] += np.sort(rng.integers(0, span, size=scenery.items - initial))
        self.popularity: Doubles = rng.permutation(np.arange(1, scenery.items + 1) ** -POPULARITY_SLOPE)
        self._position = {item.item_id: number for number, item in enumerate(self.items)}
        peaks = self._rng(_SEASONS)
        self._peak_hour = peaks.integers(0, 24, size=self._n_topics)
        self._peak_weekday = peaks.integers(0, 7, size=self._n_topics)
        people = self._rng(_PEOPLE)
        self.activity: Doubles = people.permutation(np.arange(1, scenery.users + 1) ** -ACTIVITY_SLOPE)
        self.activity /= self.activity.sum()
        self._tastes = [self._drawn_tastes(people)]

    @cached_property
    def items(self) -> list[Item]:
        """The catalog; items that arrive on the way are available from then on."""
        start = self.scenery.start
        return [
            named_item(
                f"i{number + 1}",
                number,
                TOPICS[self.topic[number]],
                available_from=int(self.arrival[number]) if self.arrival[number] > start else None,
            )
            for number in range(self.scenery.items)
        ]

    def chances(self, user_id: str, moment: int) -> Doubles:
        """Return the chance of each item to be this person's next choice, float64 [items], sum 1."""
        user = self._user.get(user_id)
        if user is None:
            raise InvalidInputError(f"{user_id!r} is no person of this world", field="user_id")
        step = self.scenery.step_of(moment)
        within, anything = self.draw(step)
        mixture = self.mixtures(np.array([user]), step)[0]
        of_topics: Doubles = mixture @ within
        return (1.0 - EXPLORING) * of_topics + EXPLORING * anything

    def best(self, user_id: str, moment: int, k: int = 10, *, without: Collection[str] = ()) -> list[str]:
        """Return the `k` items that a person takes to with the highest chance, best first: the oracle."""
        chances = self.chances(user_id, moment)
        chances[[self._position[item_id] for item_id in without]] = -1.0
        order = np.argsort(-chances, kind="stable")[:k]
        return [self.items[number].item_id for number in order if chances[number] > 0]

    def reward(self, user_id: str, moment: int, slate: Sequence[str]) -> float:
        """Return the chance that a person's next choice is on the slate; unknown items count nothing."""
        known = list({self._position[item_id] for item_id in slate if item_id in self._position})
        return float(self.chances(user_id, moment)[known].sum())

    def mixtures(self, users: Int64s, step: int) -> Doubles:
        """Return how much each person takes to each topic in a step, float64 [users, topics], sums 1."""
        moment = self.scenery.start + step * STEP
        raw = self.tastes(users, step) * self._season(moment)
        mixed: Doubles = raw / raw.sum(axis=1, keepdims=True)
        return mixed

    def tastes(self, users: Int64s, step: int) -> Doubles:
        """Return the tastes of people in a step without its season, float64 [users, topics], sums 1."""
        day, part = divmod(max(step, 0) * STEP, DAY)
        while len(self._tastes) < day + 2:
            self._tastes.append(self._next_tastes(len(self._tastes)))
        before, after = self._tastes[day][users], self._tastes[day + 1][users]
        moved: Doubles = before + (part / DAY) * (after - before)
        return moved

    def draw(self, step: int) -> tuple[Doubles, Doubles]:
        """Return the chance of each item within each topic [topics, items], and taken blindly [items]."""
        return _draw(self, max(step, 0))

    def liveliness(self, step: int) -> float:
        """Return how much happens in a step, about 1: less at night, more at weekends."""
        hour, weekday = _clock(self.scenery.start + step * STEP)
        daily = 1.0 - self.scenery.season * 0.8 * np.cos(2.0 * np.pi * (hour - 3.0) / 24.0)
        return float(daily * (1.0 + self.scenery.season * (0.3 if weekday >= 5 else -0.12)))

    def _season(self, moment: int) -> Doubles:
        hour, weekday = _clock(moment)
        strength = self.scenery.season
        by_hour = 1.0 + 0.7 * strength * np.cos(2.0 * np.pi * (hour - self._peak_hour) / 24.0)
        by_weekday = 1.0 + 0.5 * strength * (self._peak_weekday == weekday)
        seasonal: Doubles = by_hour * by_weekday
        return seasonal

    def _next_tastes(self, day: int) -> Doubles:
        rng = self._rng(_DRIFT, day)
        moving = rng.random(self.scenery.users) < self.scenery.drift
        return np.where(moving[:, None], self._drawn_tastes(rng), self._tastes[-1])

    def _drawn_tastes(self, rng: np.random.Generator) -> Doubles:
        return rng.dirichlet(np.full(self._n_topics, CONCENTRATION), size=self.scenery.users)

    def _rng(self, *parts: int) -> np.random.Generator:
        return np.random.default_rng([self.scenery.seed, *parts])


@lru_cache(maxsize=8)
def _draw(world: World, step: int) -> tuple[Doubles, Doubles]:
    moment = world.scenery.start + step * STEP
    there = world.arrival <= moment
    age = (moment - world.arrival) / (NOVELTY_DAYS * DAY)
    fresh = np.where(world.arrival > world.scenery.start, NOVELTY * 0.5 ** np.maximum(age, 0.0), 0.0)
    pull = np.where(there, world.popularity * (1.0 + fresh), 0.0)
    of_topic = np.arange(world.topic.max() + 1)[:, None] == world.topic
    raw = np.where(of_topic, pull, 0.0)
    return raw / raw.sum(axis=1, keepdims=True), there / there.sum()


def _clock(moment: int) -> tuple[float, int]:
    """Return the hour (0 to 24) and the weekday (Monday is 0) of a moment, in UTC."""
    return moment % DAY / HOUR, (moment // DAY + 3) % 7

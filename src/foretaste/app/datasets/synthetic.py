"""A made-up shop whose right answers are known."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from foretaste.adapters.files.event_table import Events
from foretaste.adapters.files.reading import read_events
from foretaste.domain.arrays import MICROS_PER_SECOND, Doubles
from foretaste.domain.errors import InvalidInputError
from foretaste.testing.simulator.goods import TOPICS, named_item

START = 1_704_067_200 * MICROS_PER_SECOND
"""2024-01-01 00:00 UTC."""
DAY = 86_400 * MICROS_PER_SECOND
TASTE = 0.25
PURCHASES = 0.2


@dataclass(frozen=True)
class Truth:
    """What the generator knows: every user's chance of choosing each item.

    `preference` float64 [users, items], rows sum to 1. Every choice is drawn by these chances, so that
    ranking by them is the best any recommender can do, also among the items not taken yet.
    """

    users: Sequence[str]
    items: Sequence[str]
    preference: Doubles

    def best(self, user_id: str, k: int = 10, *, without: Sequence[str] = ()) -> list[str]:
        """Return the `k` items that `user_id` chooses with the highest chance, best first."""
        chances = self.preference[self.users.index(user_id)].copy()
        chances[[self.items.index(item_id) for item_id in without]] = -1.0
        order = np.argsort(-chances, kind="stable")[:k]
        return [self.items[item] for item in order if chances[item] >= 0]


class Synthetic(NamedTuple):
    """Made-up events, and the truth behind them."""

    events: Events
    truth: Truth


def synthetic(
    *, n_users: int = 300, n_items: int = 120, n_events: int = 6_000, days: int = 90, seed: int = 0
) -> Synthetic:
    """Return events of made-up people, with items, and the truth behind them.

    Everyone has a taste, a few genres out of eight; an item has one genre and a popularity in it. The
    chance of an item is taste times popularity. The same arguments give the same events. Nothing is
    downloaded.

    Raises `InvalidInputError` where a number is below 1.

    >>> events, truth = ft.datasets.synthetic(n_users=50, seed=7)
    >>> truth.best("u1", k=3)
    """
    if min(n_users, n_items, n_events, days) < 1:
        raise InvalidInputError("n_users, n_items, n_events and days must be at least 1", field="n_events")
    rng = np.random.default_rng(seed)
    genre = rng.integers(len(TOPICS), size=n_items)
    preference = _preference(rng, n_users, genre)
    users = [f"u{number + 1}" for number in range(n_users)]
    items = [f"i{number + 1}" for number in range(n_items)]
    user = rng.integers(n_users, size=n_events)
    item = _choices(rng, preference, user)
    table = pl.DataFrame(
        {
            "user_id": [users[number] for number in user],
            "item_id": [items[number] for number in item],
            "type": np.where(rng.random(n_events) < PURCHASES, "purchase", "click"),
            "timestamp": START + np.sort(rng.integers(days * DAY, size=n_events)),
        }
    )
    catalog = [named_item(item_id, number, TOPICS[genre[number]]) for number, item_id in enumerate(items)]
    return Synthetic(read_events(table, items=catalog), Truth(users, items, preference))


def _choices(rng: np.random.Generator, preference: Doubles, user: NDArray[np.int64]) -> NDArray[np.int64]:
    """Draw one item for each entry of `user`, by the inverse of the cumulative chances."""
    drawn = rng.random(len(user))
    chosen = np.empty(len(user), np.int64)
    for person in np.unique(user):
        at = user == person
        chosen[at] = np.searchsorted(np.cumsum(preference[person]), drawn[at], side="right")
    chosen[chosen == preference.shape[1]] -= 1  # where rounding leaves the last sum below 1
    return chosen


def _preference(rng: np.random.Generator, users: int, genre: NDArray[np.int64]) -> Doubles:
    taste = rng.dirichlet(np.full(len(TOPICS), TASTE), size=users)
    popularity = rng.pareto(1.5, size=len(genre)) + 0.1
    within = np.zeros(len(TOPICS))
    np.add.at(within, genre, popularity)
    raw = taste[:, genre] * (popularity / within[genre]) + 1e-9
    chances: Doubles = raw / raw.sum(axis=1, keepdims=True)
    return chances

"""A made-up shop whose right answers are known."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import polars as pl

from foretaste.adapters.files.event_table import Events
from foretaste.adapters.files.reading import read_events
from foretaste.domain.arrays import MICROS_PER_SECOND, Doubles
from foretaste.domain.errors import InvalidInputError
from foretaste.domain.item import Item

GENRES = ("garden", "kitchen", "music", "outdoor", "office", "toys", "travel", "sports")
ADJECTIVES = ("Amber", "Bright", "Calm", "Drift", "Early", "Fern", "Golden", "Hazel", "Ivory", "Juniper")
NOUNS = {
    "garden": ("Trowel", "Planter", "Lantern", "Trellis"),
    "kitchen": ("Kettle", "Skillet", "Whisk", "Teapot"),
    "music": ("Ukulele", "Metronome", "Drum", "Songbook"),
    "outdoor": ("Tent", "Compass", "Hammock", "Flask"),
    "office": ("Notebook", "Lamp", "Stapler", "Organizer"),
    "toys": ("Puzzle", "Kite", "Blocks", "Spinning Top"),
    "travel": ("Suitcase", "Guidebook", "Pillow", "Adapter"),
    "sports": ("Racket", "Jersey", "Whistle", "Mat"),
}
START = 1_704_067_200 * MICROS_PER_SECOND
"""2024-01-01 00:00 UTC."""
DAY = 86_400 * MICROS_PER_SECOND
TASTE = 0.25
PURCHASES = 0.2


@dataclass(frozen=True)
class Truth:
    """What the generator knows: every user's chance of choosing each item.

    `preference` float64 [users, items], rows sum to 1. A user never takes an item twice; the next one
    is drawn by these chances among those left, so ranking by them is the best any recommender can do.
    """

    users: Sequence[str]
    items: Sequence[str]
    preference: Doubles

    def best(self, user_id: str, k: int = 10, *, without: Sequence[str] = ()) -> list[str]:
        """Return the `k` items that `user_id` takes next with the highest chance, best first."""
        chances = self.preference[self.users.index(user_id)].copy()
        chances[[self.items.index(item_id) for item_id in without]] = -1.0
        order = np.argsort(-chances, kind="stable")[:k]
        return [self.items[item] for item in order if chances[item] >= 0]


class Synthetic(NamedTuple):
    """Made-up events, and the truth behind them."""

    events: Events
    truth: Truth


def synthetic(
    *, users: int = 300, items: int = 120, events_per_user: int = 20, days: int = 90, seed: int = 0
) -> Synthetic:
    """Return events of made-up people, with items, and the truth behind them.

    Everyone has a taste, a few genres out of eight; an item has one genre and a popularity in it. The
    chance of an item is taste times popularity, and nobody takes an item twice. The same arguments give
    the same events. Nothing is downloaded.

    Raises `InvalidInputError` where `events_per_user` is above half of `items`.

    >>> events, truth = ft.datasets.synthetic(users=50, seed=7)
    >>> truth.best("u1", k=3)
    """
    if users < 1 or items < 1 or not 1 <= events_per_user <= max(1, items // 2):
        raise InvalidInputError(
            "users and items must be at least 1, events_per_user between 1 and half of items",
            field="events_per_user",
        )
    rng = np.random.default_rng(seed)
    genre = rng.integers(len(GENRES), size=items)
    preference = _preference(rng, users, genre)
    counts = np.clip(rng.poisson(events_per_user, size=users), 1, max(1, items // 2))
    # Gumbel noise added to log chances and sorted draws without replacement (Plackett-Luce).
    keys = np.log(np.maximum(preference, 1e-300)) + rng.gumbel(size=preference.shape)
    order = np.argsort(-keys, axis=1)
    user = np.repeat(np.arange(users), counts)
    item = np.concatenate([order[person, :count] for person, count in enumerate(counts)])
    moments = [np.sort(rng.integers(days * DAY, size=count)) for count in counts]
    user_ids = [f"u{number + 1}" for number in range(users)]
    item_ids = [f"i{number + 1}" for number in range(items)]
    table = pl.DataFrame(
        {
            "user_id": [user_ids[number] for number in user],
            "item_id": [item_ids[number] for number in item],
            "type": np.where(rng.random(len(user)) < PURCHASES, "purchase", "click"),
            "timestamp": START + np.concatenate(moments),
        }
    ).sort("timestamp", maintain_order=True)
    catalog = [_item(item_id, number, GENRES[genre[number]]) for number, item_id in enumerate(item_ids)]
    return Synthetic(read_events(table, items=catalog), Truth(user_ids, item_ids, preference))


def _preference(rng: np.random.Generator, users: int, genre: np.ndarray) -> Doubles:
    taste = rng.dirichlet(np.full(len(GENRES), TASTE), size=users)
    popularity = rng.pareto(1.5, size=len(genre)) + 0.1
    within = np.zeros(len(GENRES))
    np.add.at(within, genre, popularity)
    raw = taste[:, genre] * (popularity / within[genre]) + 1e-9
    chances: Doubles = raw / raw.sum(axis=1, keepdims=True)
    return chances


def _item(item_id: str, number: int, genre: str) -> Item:
    nouns = NOUNS[genre]
    name = f"{ADJECTIVES[number % len(ADJECTIVES)]} {nouns[number // len(ADJECTIVES) % len(nouns)]}"
    series = number // (len(ADJECTIVES) * len(nouns))
    title = name if not series else f"{name} {series + 1}"
    return Item(item_id=item_id, title=title, text=f"{title}, for {genre}.", categories=(genre,))

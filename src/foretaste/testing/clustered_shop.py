"""A small shop whose customers have plain tastes: what a model should find in it is known."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from foretaste.domain.arrays import Ordinals
from foretaste.domain.event import EventColumns
from foretaste.domain.history import History
from foretaste.domain.interactions import Interactions
from foretaste.domain.item import Item
from foretaste.events.weights import EventWeights
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.features.interactions import interactions_of
from foretaste.features.state import State, StateConfig
from foretaste.models.interface import Moment

TASTES = 4
ITEMS_PER_TASTE = 25
N_ITEMS = TASTES * ITEMS_PER_TASTE
N_USERS = 160
EVENTS_PER_USER = 10
LOYALTY = 0.8
"""The share of a person's events that are on items of their taste."""
START = 1_700_000_000_000_000
MINUTE = 60_000_000
WORDS = ("garden spade soil", "novel poetry chapter", "guitar chord amplifier", "saucepan whisk oven")


@dataclass(frozen=True, slots=True)
class Shop:
    """A folded log, the catalog, and for each person the item they took to next.

    The last item of the catalog never occurs in the log. `next_item` int32 [N_USERS] is not in the log
    either: it is of the person's taste and not in their history.
    """

    state: State
    catalog: CatalogColumns
    interactions: Interactions
    next_item: Ordinals

    @property
    def moment(self) -> Moment:
        """The instant after the last event."""
        return Moment(
            now=int(self.interactions.time[-1]),
            items=self.state.items,
            catalog=self.catalog,
            people=self.state.people,
        )

    def history(self, user: int) -> History:
        """Return a person's history."""
        return self.state.history(user)


def type_names() -> list[str]:
    """Return the names of the shop's event types."""
    return ["view", "purchase"]


@cache
def clustered_shop(seed: int = 0) -> Shop:
    """Return the shop of a seed."""
    generator = np.random.default_rng(seed)
    sequences = [_choices(generator, user % TASTES) for user in range(N_USERS)]
    visits = [(user, step) for step in range(EVENTS_PER_USER) for user in generator.permutation(N_USERS)]
    n_events = len(visits)
    events = EventColumns(
        previous_seq=0,
        seq=np.arange(1, n_events + 1),
        user=np.array([user for user, _ in visits], np.int32),
        item=np.array([sequences[user][step] for user, step in visits], np.int32),
        type=generator.integers(0, 2, n_events).astype(np.int16),
        time=START + np.arange(n_events) * MINUTE,
        key=np.arange(n_events),
        value=np.full(n_events, np.nan, np.float32),
    )
    state = State(StateConfig(), type_names)
    state.apply(events)
    interactions = interactions_of(events, type_names(), EventWeights(), n_users=N_USERS, n_items=N_ITEMS + 1)
    next_item = np.array([sequence[EVENTS_PER_USER] for sequence in sequences], np.int32)
    return Shop(state, shop_catalog(), interactions, next_item)


def shop_catalog() -> CatalogColumns:
    """Return the items: the taste of item i is i modulo `TASTES`; the last one is of taste 0."""
    items = [
        Item(
            item_id=f"item-{ordinal}",
            title=f"Item number {ordinal}",
            text=WORDS[ordinal % TASTES],
            categories=(f"Taste {ordinal % TASTES}",),
        )
        for ordinal in range(N_ITEMS + 1)
    ]
    return CatalogColumns.of(items)


def _choices(generator: np.random.Generator, taste: int) -> Ordinals:
    """Return a person's items in order, popular ones of their taste mostly, the last one new to them."""
    item = np.arange(N_ITEMS)
    liking = np.where(item % TASTES == taste, LOYALTY / (1.0 - LOYALTY) * (TASTES - 1), 1.0)
    liking = liking / (1.0 + item // TASTES)
    chosen = generator.choice(N_ITEMS, EVENTS_PER_USER, p=liking / liking.sum())
    new = liking * (item % TASTES == taste)
    new[chosen] = 0.0
    last = generator.choice(N_ITEMS, 1, p=new / new.sum())
    return np.concatenate((chosen, last)).astype(np.int32)

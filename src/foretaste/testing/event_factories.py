"""Random events and catalogs, the same for the same seed."""

from collections.abc import Sequence

import numpy as np

from foretaste.domain.arrays import MICROS_PER_SECOND, Int64s
from foretaste.domain.event import EventColumns
from foretaste.domain.item import Item

EVENT_TYPES = ("view", "click", "add_to_cart", "purchase", "dislike", "impression", "rating")
"""Type names by the ordinals that `random_events` gives; weights are positive, negative and zero."""

EPOCH = 946_684_800 * MICROS_PER_SECOND
"""When random events begin: 2000-01-01."""


def random_events(
    seed: int,
    n_events: int,
    *,
    n_users: int = 5,
    n_items: int = 8,
    span_seconds: int = 86_400 * 30,
    in_order: bool = True,
) -> EventColumns:
    """Return events numbered from 1, spread evenly over a span; users and items are drawn unevenly.

    Times are whole seconds, so that some coincide where events are dense. Unless `in_order`, events
    arrive in any order.
    """
    rng = np.random.default_rng(seed)
    time = rng.integers(0, span_seconds, n_events) * MICROS_PER_SECOND + EPOCH
    type_ordinal = rng.integers(0, len(EVENT_TYPES), n_events)
    rated = type_ordinal == EVENT_TYPES.index("rating")
    return EventColumns(
        previous_seq=0,
        seq=np.arange(1, n_events + 1),
        user=(rng.random(n_events) ** 2 * n_users).astype(np.int32),
        item=(rng.random(n_events) ** 2 * n_items).astype(np.int32),
        type=type_ordinal.astype(np.int16),
        time=np.sort(time) if in_order else time,
        key=rng.permutation(n_events).astype(np.int64),
        value=np.where(rated, rng.integers(1, 6, n_events), np.nan).astype(np.float32),
    )


def event_columns(
    rows: Sequence[tuple[int, int, int, int]], *, previous_seq: int = 0, keys: Sequence[int] | None = None
) -> EventColumns:
    """Return events of (user, item, type, seconds since `EPOCH`) rows, arriving in this order.

    Keys are those given, else rise with the rows.
    """
    columns = np.array(rows, np.int64).reshape(len(rows), 4)
    first = previous_seq + 1
    return EventColumns(
        previous_seq=previous_seq,
        seq=np.arange(first, first + len(rows)),
        user=columns[:, 0].astype(np.int32),
        item=columns[:, 1].astype(np.int32),
        type=columns[:, 2].astype(np.int16),
        time=columns[:, 3] * MICROS_PER_SECOND + EPOCH,
        key=np.arange(first, first + len(rows)) if keys is None else np.array(keys, np.int64),
        value=np.full(len(rows), np.nan, np.float32),
    )


def rearranged(events: EventColumns, order: Int64s) -> EventColumns:
    """Return the same events as if they had arrived in another order: with sequence numbers of that order."""
    return EventColumns(
        previous_seq=events.previous_seq,
        seq=events.seq,
        user=events.user[order],
        item=events.item[order],
        type=events.type[order],
        time=events.time[order],
        key=events.key[order],
        value=events.value[order],
    )


def random_items(seed: int, n_items: int, *, n_categories: int = 4) -> list[Item]:
    """Return a catalog of items `item-0`, `item-1`, … with one to three categories, a colour and a price."""
    rng = np.random.default_rng(seed)
    items = []
    for ordinal in range(n_items):
        chosen = rng.permutation(n_categories)[: rng.integers(1, min(3, n_categories) + 1)]
        items.append(
            Item(
                item_id=f"item-{ordinal}",
                title=f"Item {ordinal}",
                text=" ".join(f"word{word}" for word in rng.integers(0, 50, 8)),
                categories=tuple(f"category-{category}" for category in chosen),
                attributes={
                    "colour": str(rng.choice(["red", "green", "blue"])),
                    "price": float(rng.integers(1, 100)),
                },
            )
        )
    return items

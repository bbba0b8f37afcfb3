"""What is known of one person, for their own eyes and for those who serve them."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TypedDict

import msgspec
import numpy as np

from foretaste.domain.arrays import Mask
from foretaste.domain.circumstances import TOPICS
from foretaste.domain.errors import UnknownUserError
from foretaste.domain.event import Event
from foretaste.domain.history import History
from foretaste.domain.item import Attribute, Item
from foretaste.events.items import SEPARATOR
from foretaste.events.moments import format_moment
from foretaste.events.vocabulary import CONSUMING_TYPES, RESERVED_TYPES
from foretaste.features.state import Tally
from foretaste.ports.telemetry import Telemetry
from foretaste.serving.live import Live
from foretaste.serving.names import Names
from foretaste.serving.preferences import SOURCE, Preferences, Sign, preferences_of

PURCHASE = "purchase"
TAKEN = CONSUMING_TYPES - {"dislike", "dismiss"}
"""What counts as a purchase where nobody ever purchases: a film rated, watched or liked."""

MOST_READ = 1_000
"""The contexts of so many latest events, looks included, are known to preferences."""


class _Described(TypedDict):
    """What the catalog says of an item."""

    item_id: str
    item_idx: int
    title: str
    categories: tuple[str, ...]
    metadata: dict[str, Attribute]


class PastItem(msgspec.Struct, frozen=True, kw_only=True):
    """An item of a person's past, with what the catalog says of it now."""

    item_id: str
    item_idx: int
    title: str
    categories: tuple[str, ...]
    metadata: dict[str, Attribute]


class Purchase(PastItem, frozen=True, kw_only=True):
    """An item that the person took, how often, and when last."""

    count: int
    purchased_at: str


class PastEvent(PastItem, frozen=True, kw_only=True):
    """One event of the person."""

    event_id: str
    type: str
    value: float | None
    at: str


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """How much of what the person took is of one kind."""

    name: str
    count: int
    percentage: float


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """One person's past.

    `counted_types` are the event types that count as purchases: `purchase` alone, or, where the log holds
    no purchase at all, those after which one is done with an item and content with it. A product's group
    is its attribute `product_group`, else its main category; its type the attribute `product_type`, else
    its second category, else the main one. `preferences` are learnt from all signs of liking.
    """

    user_id: str
    user_idx: int
    total_events: int
    first_activity_at: str | None
    last_activity_at: str | None
    events_by_type: dict[str, int]
    counted_types: tuple[str, ...]
    total_purchases: int
    first_purchase_at: str | None
    last_purchase_at: str | None
    recent_purchases: tuple[Purchase, ...]
    recent_events: tuple[PastEvent, ...]
    top_product_groups: tuple[Share, ...]
    top_product_types: tuple[Share, ...]
    state_seq: int
    preferences: Preferences


class Profiler:
    """Reads profiles from the state, the catalog and the log of `live`."""

    def __init__(self, live: Live, names: Names, telemetry: Telemetry) -> None:
        self._live = live
        self._names = names
        self._telemetry = telemetry

    def profile(self, user_id: str, *, recent_limit: int = 10, top_categories: int = 5) -> Profile:
        """Return the profile of a user; raise `UnknownUserError` if nothing is known of them."""
        self._telemetry.count("user_profile_requests_total")
        self._live.catch_up(user_id)
        state = self._live.state
        with state.lock:
            user = state.person(self._names.ordinal("user", user_id))
            others = state.merged_into(user)
            summary, tally, seq = state.summary(user), state.tally(user), state.seq
            history = state.history(user)
        if summary.events == 0:
            raise UnknownUserError(f"nothing is known of a user {user_id!r}", field="user_id")
        types = self._names.of("type")
        counted = counted_types(types)
        taken = _of_types(tally, counted, types)
        name = self._names.of("user")[user]
        own = [name, *(self._names.of("user")[other] for other in others)]
        again = bool((tally.count[taken] > 1).any())
        past = self._past(own, max(MOST_READ, recent_limit, summary.events if again else 0))
        return Profile(
            user_id=name,
            user_idx=user,
            total_events=summary.events,
            first_activity_at=_written(summary.first),
            last_activity_at=_written(summary.last),
            events_by_type=_by_type(tally, types),
            counted_types=counted,
            total_purchases=int(tally.count[taken].sum()),
            first_purchase_at=_written(_first(past, counted, tally, taken)),
            last_purchase_at=_written(int(tally.last[taken].max()) if taken.any() else None),
            recent_purchases=self._purchases(tally, taken, recent_limit),
            recent_events=self._events(past[-recent_limit:] if recent_limit else []),
            top_product_groups=self._shares(tally, taken, _group, top_categories),
            top_product_types=self._shares(tally, taken, _type, top_categories),
            state_seq=seq,
            preferences=self._preferences(past[-MOST_READ:], history, top_categories),
        )

    def _preferences(self, past: Sequence[Event], history: History, most: int) -> Preferences:
        """Return what the positive events of the history say, joined with the log for their contexts."""
        liked = history.weight > 0.0
        pairs = list(zip(history.item[liked].tolist(), history.time[liked].tolist(), strict=True))
        items = self._names.ordinals("item", [event.item_id for event in past]).tolist()
        contexts = {
            (item, event.timestamp): event.context
            for item, event in zip(items, past, strict=True)
            if event.context
        }
        signs = [self._sign(item, time, contexts.get((item, time), {})) for item, time in pairs]
        return preferences_of(signs, most=most)

    def _sign(self, item: int, time: int, context: Mapping[str, str]) -> Sign:
        entry = self._live.catalog_columns.item(item)
        topics = entry.categories if entry else ()
        told = (topic for topic in context.get(TOPICS, "").split(SEPARATOR) if topic)
        return Sign(time=time, topics=topics or tuple(told), source=context.get(SOURCE))

    def _past(self, own: Sequence[str], limit: int) -> list[Event]:
        """Return the latest `limit` events under any of a person's ids, oldest first."""
        past = [event for name in own for event in self._live.log.of_user(name, limit + len(own))]
        told = [event for event in past if event.type not in RESERVED_TYPES]
        told.sort(key=lambda event: (event.timestamp, event.event_id))
        return told[-limit:] if limit else []

    def _purchases(self, tally: Tally, taken: Mask, limit: int) -> tuple[Purchase, ...]:
        rows = np.flatnonzero(taken)
        latest = rows[np.lexsort((tally.item[rows], -tally.last[rows]))]
        chosen = list(dict.fromkeys(int(item) for item in tally.item[latest]))[:limit]
        purchases = []
        for item in chosen:
            own = taken & (tally.item == item)
            purchases.append(
                Purchase(
                    **self._described(item),
                    count=int(tally.count[own].sum()),
                    purchased_at=format_moment(int(tally.last[own].max())),
                )
            )
        return tuple(purchases)

    def _events(self, past: Sequence[Event]) -> tuple[PastEvent, ...]:
        items = self._names.ordinals("item", [event.item_id for event in past])
        return tuple(
            PastEvent(
                **self._described(int(item)),
                event_id=event.event_id,
                type=event.type,
                value=event.value,
                at=format_moment(event.timestamp),
            )
            for event, item in zip(reversed(past), items[::-1], strict=True)
        )

    def _shares(
        self, tally: Tally, taken: Mask, kind: Callable[[Item], str | None], most: int
    ) -> tuple[Share, ...]:
        counts: Counter[str] = Counter()
        for item, count in zip(tally.item[taken].tolist(), tally.count[taken].tolist(), strict=True):
            entry = self._live.catalog_columns.item(item)
            name = kind(entry) if entry is not None else None
            if name is not None:
                counts[name] += count
        total = counts.total()
        ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
        return tuple(
            Share(name=name, count=count, percentage=round(100.0 * count / total, 2))
            for name, count in ordered[:most]
        )

    def _described(self, item: int) -> _Described:
        entry = self._live.catalog_columns.item(item)
        return {
            "item_id": self._names.of("item")[item],
            "item_idx": item,
            "title": entry.title if entry else "",
            "categories": entry.categories if entry else (),
            "metadata": entry.attributes if entry else {},
        }


def counted_types(type_names: Sequence[str]) -> tuple[str, ...]:
    """Return the event types that count as purchases in a log with these types."""
    return (PURCHASE,) if PURCHASE in type_names else tuple(sorted(TAKEN))


def _first(past: Sequence[Event], counted: tuple[str, ...], tally: Tally, taken: Mask) -> int | None:
    """Return when the person first took something.

    `past` is all of it where they took anything again: of that the tally knows only the latest time.
    """
    if (tally.count[taken] > 1).any():
        return min((event.timestamp for event in past if event.type in counted), default=None)
    return int(tally.last[taken].min()) if taken.any() else None


def _of_types(tally: Tally, wanted: Sequence[str], type_names: Sequence[str]) -> Mask:
    return np.array([name in wanted for name in type_names], np.bool_)[tally.type]


def _by_type(tally: Tally, type_names: Sequence[str]) -> dict[str, int]:
    counts = np.bincount(tally.type, weights=tally.count, minlength=len(type_names))
    return {name: int(count) for name, count in zip(type_names, counts, strict=True) if count}


def _group(item: Item) -> str | None:
    named = item.attributes.get("product_group")
    return str(named) if named is not None else next(iter(item.categories), None)


def _type(item: Item) -> str | None:
    named = item.attributes.get("product_type")
    if named is not None:
        return str(named)
    return item.categories[1] if len(item.categories) > 1 else _group(item)


def _written(moment: int | None) -> str | None:
    return None if moment is None else format_moment(moment)

"""What the service answers, as values with types. What a newer service says besides is not read."""

from typing import Any

import msgspec

Attribute = str | float | bool
"""A value of an attribute of an item or a person."""


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """A past item that speaks for a recommended one; the `contribution_pct` of all listed sum to 100."""

    item_id: str
    item_name: str = ""
    similarity: float = 0.0
    contribution_pct: float = 0.0


class Boosted(msgspec.Struct, frozen=True, kw_only=True):
    """What a boost added to the score of an item."""

    boost: str
    added: float


class Relaxed(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that a list does not keep, as `quotas[0]`, and why."""

    rule: str
    reason: str = ""


class RecommendedItem(msgspec.Struct, frozen=True, kw_only=True):
    """One place of a list: `score` ranked it, `match` (0 to 1) is fit to be shown, `reason` says why."""

    item_id: str
    rank: int
    score: float
    match: float = 0.0
    title: str = ""
    categories: tuple[str, ...] = ()
    metadata: dict[str, Attribute] = {}
    sources: tuple[str, ...] = ()
    reason: str = ""
    propensity: float = 0.0
    explanation: tuple[Evidence, ...] | None = None
    explained_share: float | None = None
    boosts: tuple[Boosted, ...] = ()


class StageSeen(msgspec.Struct, frozen=True, kw_only=True):
    """One stage of an answer: a source by its name, or what comes before and after the sources."""

    stage: str
    milliseconds: float = 0.0
    candidates_in: int = 0
    candidates_out: int = 0


class Debug(msgspec.Struct, frozen=True, kw_only=True):
    """How an answer came about, in milliseconds; `budget` is what it was allowed, None without one."""

    pid: int
    state_seq: int = 0
    milliseconds: float = 0.0
    waiting: float = 0.0
    budget: float | None = None
    stages: tuple[StageSeen, ...] = ()


class Recommendations(msgspec.Struct, frozen=True, kw_only=True):
    """A list for a person, or of what is like an item; send `recommendation_id` with the clicks on it.

    `left_out` names the sources and stages that there was no time for.
    """

    recommendation_id: str
    items: tuple[RecommendedItem, ...]
    source: str = ""
    user_id: str | None = None
    model_version: str = ""
    scenario: str = ""
    instead_of: str | None = None
    title: str = ""
    state_seq: int = 0
    catalog_version: int = 0
    generated_at: str = ""
    filtered: int = 0
    relaxed: tuple[Relaxed, ...] = ()
    next_cursor: str | None = None
    left_out: tuple[str, ...] = ()
    debug: Debug | None = None

    @property
    def ids(self) -> list[str]:
        """The ids of the items, best first."""
        return [item.item_id for item in self.items]


class PersonAnswered(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one of many people: `status` 200 and the `answer`, or another status and the `error`."""

    user_id: str
    status: int
    answer: Recommendations | None = None
    error: str | None = None


class ManyRecommendations(msgspec.Struct, frozen=True, kw_only=True):
    """One answer for each person, in the order in which they were asked about; `failed` have none."""

    failed: int
    answers: tuple[PersonAnswered, ...]


class ShownItem(msgspec.Struct, frozen=True, kw_only=True):
    """One place of a past answer."""

    item_id: str
    rank: int
    score: float
    propensity: float = 0.0


class Reproduced(msgspec.Struct, frozen=True, kw_only=True):
    """A past answer computed anew; `identical` means bit for bit."""

    identical: bool
    items: tuple[RecommendedItem, ...] = ()


class PastRecommendations(msgspec.Struct, frozen=True, kw_only=True):
    """What was answered once, and what it was made from."""

    recommendation_id: str
    items: tuple[ShownItem, ...]
    user_id: str | None = None
    scenario: str = ""
    source: str = ""
    generated_at: str = ""
    shown_at: str = ""
    versions: dict[str, Any] = {}
    query: dict[str, Any] | None = None
    reproduced: Reproduced | None = None


class EventStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an event: `accepted`, `duplicate`, or `rejected` and why."""

    status: str
    event_id: str | None = None
    seq: int | None = None
    reason: str | None = None
    field: str | None = None


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What became of events, in their order; answers of `state_seq` or later know them."""

    accepted: int
    duplicates: int
    rejected: int
    state_seq: int
    events: tuple[EventStatus, ...] = ()


class ItemChange(msgspec.Struct, frozen=True, kw_only=True):
    """What a change of one item did; answers of `catalog_version` or later know it."""

    item_id: str
    catalog_version: int
    changed: bool = True


class ItemStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an item of a batch: `stored`, or `rejected` and why."""

    status: str
    item_id: str | None = None
    reason: str | None = None
    field: str | None = None


class ItemReceipt(msgspec.Struct, frozen=True, kw_only=True):
    """What became of items, in their order."""

    stored: int
    rejected: int
    catalog_version: int
    items: tuple[ItemStatus, ...] = ()


class CatalogItem(msgspec.Struct, frozen=True, kw_only=True):
    """An item as the catalog holds it; moments are ISO 8601 in UTC."""

    item_id: str
    title: str = ""
    text: str = ""
    categories: tuple[str, ...] = ()
    attributes: dict[str, Attribute] = {}
    available_from: str | None = None
    available_until: str | None = None
    in_stock: bool = True
    hidden: bool = False
    vector: tuple[float, ...] = ()
    version: int = 0


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """What is told of a person."""

    user_id: str
    attributes: dict[str, Attribute] = {}


class Merged(msgspec.Struct, frozen=True, kw_only=True):
    """What a merge did: `merged` is False where both ids were one person before."""

    user_id: str
    from_user_id: str
    merged: bool
    state_seq: int


class PastEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a person did."""

    item_id: str
    type: str
    title: str = ""
    categories: tuple[str, ...] = ()
    metadata: dict[str, Attribute] = {}
    value: float | None = None


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """A person's past in numbers."""

    user_id: str
    total_events: int = 0
    first_activity_at: str | None = None
    last_activity_at: str | None = None
    events_by_type: dict[str, int] = {}
    total_purchases: int = 0
    recent_events: tuple[PastEvent, ...] = ()
    top_product_groups: tuple[dict[str, Any], ...] = ()
    top_product_types: tuple[dict[str, Any], ...] = ()
    preferences: dict[str, Any] = {}


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """How the service is: `ready`, or what its answers lack."""

    status: str
    version: str = ""
    model: str = ""
    events: int = 0
    users: int = 0
    items: int = 0
    catalog_version: int = 0
    lag_seconds: float = 0.0
    wrong: tuple[str, ...] = ()

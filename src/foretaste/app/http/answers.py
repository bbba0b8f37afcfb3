"""The JSON that the service answers: the shapes that OpenAPI describes."""

from typing import Any

import msgspec

from foretaste.domain.item import Attribute
from foretaste.domain.slate import Relaxed, ScoredItem, Slate
from foretaste.events.moments import format_moment
from foretaste.serving.search import CategoryCount, FoundItem, KnownUser
from foretaste.serving.watching import Debug


class Recommendations(msgspec.Struct, frozen=True, kw_only=True):
    """A slate as it is answered. `state_seq` is the event up to which it knows everything.

    `relaxed` are the rules that could not be kept, and why. `next_cursor` asks for the next page, where pages
    are asked for; null after the last one. `left_out` names what there was no time for: sources, and the
    stages `ranker`, `diversity`, `reasons` (in words) and `explanation`. `debug` is there where it was asked
    for.

    `scenario` is the one that answered, `instead_of` the one that was asked for, where that is another;
    `title` is a heading, where the recipe has one.
    """

    recommendation_id: str
    user_id: str | None
    source: str
    model_version: str
    experiment: str | None = None
    variant: str | None = None
    scenario: str
    instead_of: str | None = None
    title: str = ""
    state_seq: int
    catalog_version: int
    generated_at: str
    filtered: int
    relaxed: tuple[Relaxed, ...] = ()
    next_cursor: str | None = None
    left_out: tuple[str, ...] = ()
    items: tuple[ScoredItem, ...]
    debug: Debug | msgspec.UnsetType = msgspec.UNSET


class SimilarItems(msgspec.Struct, frozen=True, kw_only=True):
    """Items like one item. `left_out` as in `Recommendations`."""

    recommendation_id: str
    source: str
    model_version: str
    state_seq: int
    catalog_version: int
    left_out: tuple[str, ...] = ()
    items: tuple[ScoredItem, ...]


class CatalogItem(msgspec.Struct, frozen=True, kw_only=True):
    """An item as the catalog holds it; moments are ISO 8601 in UTC."""

    item_id: str
    item_idx: int
    version: int
    title: str
    text: str
    categories: tuple[str, ...]
    attributes: dict[str, Attribute]
    available_from: str | None
    available_until: str | None
    in_stock: bool
    hidden: bool
    vector: tuple[float, ...]


class CatalogChange(msgspec.Struct, frozen=True, kw_only=True):
    """What a change of the catalog did. Every answer after this one is of `catalog_version` or later."""

    item_id: str
    catalog_version: int
    changed: bool


class ItemStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one item of a batch: `stored`, or `rejected` and why."""

    status: str
    item_id: str | None = None
    reason: str | None = None
    field: str | None = None


class CatalogReceipt(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a batch of items, in its order."""

    stored: int
    rejected: int
    catalog_version: int
    items: tuple[ItemStatus, ...]


class ModelVersion(msgspec.Struct, frozen=True, kw_only=True):
    """One trained version: what it is made of and how good it was.

    `tuned` holds by source the settings that tuning chose, `trials` is how many were tried; `foretaste models
    show` lists them.
    """

    version: str
    name: str
    created_at: str
    seed: int
    models: tuple[str, ...]
    n_users: int
    n_items: int
    metrics: dict[str, Any]
    hash: str
    tuned: dict[str, dict[str, Any]]
    trials: int


class Models(msgspec.Struct, frozen=True, kw_only=True):
    """All versions, oldest first; which the aliases name; which one answers in this process.

    `available` are the names that `model` may be in a request: of the version that answers. `damaged` are
    versions whose manifest cannot be read; `foretaste models list` says why.
    """

    serving: str
    available: tuple[str, ...]
    aliases: dict[str, str]
    versions: tuple[ModelVersion, ...]
    damaged: tuple[str, ...] = ()


class Promotion(msgspec.Struct, frozen=True, kw_only=True):
    """Which version an alias names now, and which one answers in this process."""

    alias: str
    version: str
    serving: str


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """How the service is: `ready`, or what its answers lack.

    `lag_seconds` says for how long the end of the log has not been seen, which other processes may write, and
    `wrong` names every server and task that is not well; `environment` is what the setting calls this
    installation.
    """

    status: str
    version: str
    model: str
    events: int
    users: int
    items: int
    catalog_version: int
    exposures_dropped: int
    lag_seconds: float = 0.0
    wrong: tuple[str, ...] = ()
    environment: str = ""


class Alive(msgspec.Struct, frozen=True, kw_only=True):
    """The process answers."""

    status: str = "alive"


class FoundItems(msgspec.Struct, frozen=True, kw_only=True):
    """Items that a search found."""

    items: tuple[FoundItem, ...]


class CatalogSummary(msgspec.Struct, frozen=True, kw_only=True):
    """The catalog at a glance: what may be shown now, and which events say that a person took an item."""

    version: int
    available: int
    taken_by: tuple[str, ...]
    categories: tuple[CategoryCount, ...]


class Users(msgspec.Struct, frozen=True, kw_only=True):
    """Some people with events."""

    users: tuple[KnownUser, ...]


class NamedScore(msgspec.Struct, frozen=True, kw_only=True):
    """A recommended item as the shop tutorial's clients read it; `score` is the match, 0 to 1."""

    item_id: str
    item_name: str
    score: float


class NamedScores(msgspec.Struct, frozen=True, kw_only=True):
    """A list as the shop tutorial's clients read it."""

    user_id: str
    recommendations: tuple[NamedScore, ...]


class ColdStart(msgspec.Struct, frozen=True, kw_only=True):
    """A list that says whether the person is new; `source` is `cold_start_handler` for them, else `model`."""

    user_id: str
    new_user: bool
    source: str
    recommendations: tuple[NamedScore, ...]


class ModelScores(msgspec.Struct, frozen=True, kw_only=True):
    """A list by one of several models; `model_last_updated` is when what answers was trained, if it was."""

    user_id: str
    model: str
    source: str
    model_last_updated: str | None
    recommendations: tuple[NamedScore, ...]


class AvailableModels(msgspec.Struct, frozen=True, kw_only=True):
    """The names that `model` may be, and when each was trained; null where nothing was."""

    available_models: tuple[str, ...]
    last_updated: dict[str, str | None]


class Success(msgspec.Struct, frozen=True, kw_only=True):
    """It was done."""

    success: bool = True


class ViewAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A view was recorded; what to show next."""

    recorded: bool
    product_id: str
    user_id: str
    state_seq: int
    recommendations: tuple[NamedScore, ...]


def recommendations_of(slate: Slate) -> Recommendations:
    """Return a slate as it is answered."""
    return Recommendations(
        recommendation_id=slate.recommendation_id,
        user_id=slate.user_id,
        source=slate.source,
        model_version=slate.model_version,
        scenario=slate.scenario,
        instead_of=slate.instead_of or None,
        title=slate.title,
        state_seq=slate.versions.state_seq,
        catalog_version=slate.versions.catalog_version,
        generated_at=format_moment(slate.generated_at),
        filtered=slate.filtered,
        relaxed=slate.relaxed,
        next_cursor=slate.next_cursor,
        left_out=slate.left_out,
        items=slate.items,
    )


def similar_of(slate: Slate) -> SimilarItems:
    """Return the slate of a `similar` query as it is answered."""
    return SimilarItems(
        recommendation_id=slate.recommendation_id,
        source=slate.source,
        model_version=slate.model_version,
        state_seq=slate.versions.state_seq,
        catalog_version=slate.versions.catalog_version,
        left_out=slate.left_out,
        items=slate.items,
    )


def named_scores(slate: Slate) -> tuple[NamedScore, ...]:
    """Return names and matches alone; an item without a title is called by its id."""
    return tuple(
        [
            NamedScore(item_id=item.item_id, item_name=item.title or item.item_id, score=item.match)
            for item in slate.items
        ]
    )

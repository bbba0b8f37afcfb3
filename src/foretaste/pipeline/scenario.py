"""Scenarios: named recipes of sources, boosts and policy."""

from collections.abc import Collection, Mapping
from functools import cached_property
from hashlib import blake2b
from types import MappingProxyType
from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta

from foretaste.domain.errors import UnknownScenarioError
from foretaste.domain.query import Query
from foretaste.domain.slate_rules import SlateRules, together
from foretaste.events.vocabulary import CONSUMING_TYPES

Fraction = Annotated[float, Meta(ge=0.0, le=1.0)]
Name = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
"""What a scenario may be called."""

Start = Literal["user", "session", "latest", "items", "nothing"]
NO_HISTORY_NEEDED = ("popularity", "rising", "context_popularity")
LIKE_ITEMS = ("ials", "nmf", "ease", "graph_filter", "transitions", "content", "latent", "vectors")
_VERSION_BYTES = 6
T = TypeVar("T")


class Scenario(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, dict=True):
    """How one kind of question is answered."""

    name: Name
    title: Annotated[str, Meta(max_length=200)] = ""
    """The heading of an answer; `{item}` becomes the item that it starts from, `{did}` what the person did
    with it."""

    history: Start = "user"
    """What is scored: the history of the `user`, their present `session`, their `latest` item (or the item of
    the query), the `items` of the query as a history, or `nothing`."""

    candidates: Literal["catalog", "items"] = "catalog"
    """What may be shown: all of the catalog, or the query's items alone, which are put in order."""

    newest: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    """Only so many of the newest items may be shown; 0: all. New is what became available last or, where no
    date says so, what was heard of last."""

    sources: tuple[str, ...] | Literal["all"] = "all"
    """Names of models, or kinds of them; those that the artifact lacks are passed over."""

    cold_sources: tuple[str, ...] = NO_HISTORY_NEEDED
    """The sources that answer where there is no history; none: `fallback` answers then."""

    weights: dict[str, Annotated[float, Meta(ge=0.0, le=1000.0)]] = {}
    """What a source's learnt weight is multiplied by, by its name or kind; 0 switches it off."""

    ranker: bool = True
    """Whether the ranker of slates has a say, where the artifact has one."""

    per_source: Annotated[int, Meta(ge=1, le=10_000)] = 100
    """How many candidates each source proposes (at least five times the k of the query)."""

    consumed: frozenset[str] = CONSUMING_TYPES
    """Items that the person has an event of one of these types with are left out. Where a scenario names none
    of its own, so are those after whose events of a type, as training found, people hardly ever come back."""

    filter: tuple[str, ...] = ()
    """Conditions that hold beside those of the query, all of them."""

    boost: tuple[str, ...] = ()
    """Boosts that add up with those of the query."""

    diversity_lambda: Fraction = 0.8
    """MMR's trade-off where the query names none: 1.0 pure relevance, 0.0 pure diversity."""

    diversity_threshold: Fraction = 0.0
    """How far apart the items of a slate are at least (1 - likeness), while there are such; 0: no rule."""

    serendipity_weight: Fraction = 0.0
    """How much it counts for an item that it is unlike all that the person had (see `policy.serendipity`)."""

    popularity_correction: Fraction = 0.0
    """The power of its popularity by which an item's odds are divided, where the query names none."""

    rotate_categories: bool = False
    """Whether a main category comes again only after the others had their turn (see `policy.rotation`)."""

    boost_seconds: Annotated[float, Meta(ge=0.0)] = 3600.0
    """How recent events must be for their categories to be boosted; 0 switches the boost off."""

    rules: SlateRules | None = None
    """What holds for every slate of the scenario; the rules of a request come on top."""

    k: Annotated[int, Meta(ge=1, le=1000)] = 10
    """How many items are answered where the query does not say."""

    budget_ms: Annotated[float, Meta(ge=0.0, le=60_000.0)] = 0.0
    """How long an answer may take. After several that took longer `fallback` answers for a while; 0: no
    limit."""

    fallback: tuple[Name, ...] = ()
    """The scenarios that answer instead, in this order, where this one has no history to start from, finds
    nothing, fails or takes too long; each is followed by its own."""

    shadow: Annotated[str, Meta(pattern=r"^([a-z0-9][a-z0-9_-]{0,63})?$")] = ""
    """A scenario whose answers are compared with those of this one, and never shown."""

    @cached_property
    def version(self) -> str:
        """A digest of all of it."""
        described = msgspec.json.encode(self, order="deterministic")
        return blake2b(described, digest_size=_VERSION_BYTES).hexdigest()

    def __hash__(self) -> int:
        return hash(self.version)

    def consumed_where(self, once: Collection[str]) -> frozenset[str]:
        """Return the types of events after which an item is left out where people take items `once` only."""
        return self.consumed.union(once) if once and self.consumed == CONSUMING_TYPES else self.consumed

    @property
    def needs_items(self) -> bool:
        """Whether a query must name items."""
        return self.history == "items" or self.candidates == "items"

    @property
    def narrows(self) -> bool:
        """Whether it may find nothing where another one would."""
        return bool(self.filter or self.newest)

    @property
    def needs_history(self) -> bool:
        """Whether it has nothing to say without a history."""
        return not self.cold_sources and self.history != "nothing"


HOME = Scenario(name="home", fallback=("trending", "popular"))
SHOP = Scenario(name="shop", rotate_categories=True, fallback=("trending", "popular"))
SIMILAR = Scenario(
    name="similar",
    history="items",
    sources=LIKE_ITEMS,
    consumed=frozenset({"dislike", "dismiss"}),
    diversity_lambda=1.0,
    boost_seconds=0.0,
)
CART = Scenario(
    name="cart",
    title="Often taken together",
    history="items",
    sources=(*LIKE_ITEMS, "session_knn", "self_attention"),
    cold_sources=(),
    consumed=frozenset({"dislike", "dismiss"}),
    boost_seconds=0.0,
    fallback=("home",),
)
NEXT_IN_SESSION = Scenario(
    name="next-in-session",
    history="session",
    cold_sources=(),
    diversity_lambda=1.0,
    fallback=("home",),
)
BECAUSE = Scenario(
    name="because-you-watched",
    title="Because you {did} {item}",
    history="latest",
    sources=LIKE_ITEMS,
    cold_sources=(),
    boost_seconds=0.0,
    fallback=("home",),
)
EMAIL = Scenario(
    name="email",
    diversity_lambda=0.6,
    popularity_correction=0.1,
    rotate_categories=True,
    boost_seconds=0.0,
    k=12,
    fallback=("trending", "popular"),
)
RERANK = Scenario(
    name="rerank",
    candidates="items",
    consumed=frozenset(),
    diversity_lambda=1.0,
    k=100,
)
TRENDING = Scenario(
    name="trending",
    history="nothing",
    sources=NO_HISTORY_NEEDED,
    diversity_lambda=1.0,
    boost_seconds=0.0,
    fallback=("popular",),
)
POPULAR = Scenario(
    name="popular",
    history="nothing",
    sources=("popularity",),
    weights={f"popularity_{lately}": 0.0 for lately in ("minutes", "hour", "day", "week", "month")},
    diversity_lambda=1.0,
    boost_seconds=0.0,
)
NEW = Scenario(name="new", title="New", newest=200, fallback=("trending", "popular"))
DISCOVER = Scenario(
    name="discover",
    diversity_lambda=0.3,
    diversity_threshold=0.3,
    serendipity_weight=0.2,
    weights={"repetition": 0.0},
    rotate_categories=True,
    fallback=("trending", "popular"),
)

_ALL = (
    HOME,
    SHOP,
    SIMILAR,
    CART,
    NEXT_IN_SESSION,
    BECAUSE,
    EMAIL,
    RERANK,
    TRENDING,
    POPULAR,
    NEW,
    DISCOVER,
)
SHIPPED: Mapping[str, Scenario] = MappingProxyType({scenario.name: scenario for scenario in _ALL})
"""The scenarios there are without any configuration."""


def adjusted(
    scenarios: Mapping[str, Scenario],
    *,
    diversity_threshold: float | None = None,
    serendipity_weight: float | None = None,
) -> Mapping[str, Scenario]:
    """Return the scenarios with these values, where they are given, in all that start from a person."""
    given = {"diversity_threshold": diversity_threshold, "serendipity_weight": serendipity_weight}
    changes = {name: value for name, value in given.items() if value is not None}
    if not changes:
        return scenarios
    return {
        name: msgspec.structs.replace(scenario, **changes) if scenario.history == "user" else scenario
        for name, scenario in scenarios.items()
    }


def find_scenario(name: str, scenarios: Mapping[str, T]) -> T:
    """Return what `scenarios` holds for `name`; raise `UnknownScenarioError` that lists the names."""
    scenario = scenarios.get(name)
    if scenario is None:
        known = ", ".join(sorted(scenarios))
        raise UnknownScenarioError(
            f"no scenario is called {name[:80]!r}; there are {known}", field="scenario"
        )
    return scenario


def chain_of(name: str, scenarios: Mapping[str, Scenario]) -> tuple[str, ...]:
    """Return the names of those that answer instead of `name`, each followed by its own; none comes twice."""
    found: list[str] = []

    def follow(one: str) -> None:
        for other in scenarios[one].fallback:
            if other != name and other not in found:
                found.append(other)
                follow(other)

    follow(name)
    return tuple(found)


def circle_of(name: str, scenarios: Mapping[str, Scenario]) -> tuple[str, ...]:
    """Return the names along which `fallback` leads from `name` back to itself, nothing where it does not."""
    paths: list[tuple[str, ...]] = [(name,)]
    seen: set[str] = set()
    while paths:
        path = paths.pop()
        known = scenarios.get(path[-1])
        for other in known.fallback if known is not None else ():
            if other == name:
                return (*path, other)
            if other not in seen:
                seen.add(other)
                paths.append((*path, other))
    return ()


def with_recipe(query: Query, scenario: Scenario) -> Query:
    """Return the query with the filters, boosts and rules of its scenario beside its own.

    Raises `InvalidRuleError` where its rules and those of the scenario contradict each other.
    """
    if not scenario.filter and not scenario.boost and scenario.rules is None:
        return query
    return msgspec.structs.replace(
        query,
        filter=(*scenario.filter, *query.filter),
        boost=(*scenario.boost, *query.boost),
        rules=together(query.rules, scenario.rules),
    )

"""Scenarios: named recipes of sources, boosts and policy."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from foretaste.domain.errors import UnknownScenarioError
from foretaste.events.vocabulary import CONSUMING_TYPES

Fraction = Annotated[float, Meta(ge=0.0, le=1.0)]


class Scenario(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one kind of question is answered.

    `history` says what is scored: the `user`'s own history, the `item` of the query as a history of
    one event, or `nothing`. A query whose history is empty is answered from the sources of `fallback`.
    """

    name: Annotated[str, Meta(min_length=1, max_length=64)]
    history: Literal["user", "item", "nothing"] = "user"
    sources: tuple[str, ...] | Literal["all"] = "all"
    """Names of models of the artifact; those it lacks are passed over."""

    fallback: tuple[str, ...] = ("popularity", "rising", "context_popularity")
    """The sources that need no history."""

    per_source: Annotated[int, Meta(ge=1, le=10_000)] = 100
    """How many candidates each source proposes (at least five times the k of the query)."""

    consumed: frozenset[str] = CONSUMING_TYPES
    """Items that the person has an event of one of these types with are left out."""

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


HOME = Scenario(name="home")
SIMILAR = Scenario(
    name="similar",
    history="item",
    sources=("ials", "nmf", "ease", "graph_filter", "transitions", "content", "latent", "vectors"),
    consumed=frozenset({"dislike", "dismiss"}),
    diversity_lambda=1.0,
    boost_seconds=0.0,
)
TRENDING = Scenario(
    name="trending", history="nothing", sources=("popularity",), diversity_lambda=1.0, boost_seconds=0.0
)
DISCOVER = Scenario(
    name="discover",
    diversity_lambda=0.3,
    diversity_threshold=0.3,
    serendipity_weight=0.2,
    rotate_categories=True,
)

SHIPPED: Mapping[str, Scenario] = MappingProxyType(
    {scenario.name: scenario for scenario in (HOME, SIMILAR, TRENDING, DISCOVER)}
)
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
    return {
        name: msgspec.structs.replace(scenario, **changes) if scenario.history == "user" else scenario
        for name, scenario in scenarios.items()
    }


def find_scenario(name: str, scenarios: Mapping[str, Scenario] = SHIPPED) -> Scenario:
    """Return the scenario called `name`; raise `UnknownScenarioError` that lists those there are."""
    scenario = scenarios.get(name)
    if scenario is None:
        known = ", ".join(sorted(scenarios))
        raise UnknownScenarioError(f"no scenario is called {name!r}; there are {known}", field="scenario")
    return scenario

"""What is answered: scored items in an order, with the reason and the odds."""

from dataclasses import dataclass
from typing import Any

import msgspec

from foretaste.domain.arrays import Floats, Ordinals
from foretaste.domain.item import Attribute
from foretaste.domain.query import Query


@dataclass(frozen=True, slots=True)
class Candidates:
    """Items worth scoring, as proposed by sources: the union of the sources' best.

    `item` int32 [n]; `score` float32 [n_sources, n], every source's own score of every candidate;
    `proposed` bool-like uint8 [n_sources, n], 1 where the source itself proposed the item.
    """

    sources: tuple[str, ...]
    item: Ordinals
    score: Floats
    proposed: Ordinals


class Evidence(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A past item that speaks for a recommended one.

    `similarity` is the cosine of both items in the scoring models, in [-1, 1].
    `contribution_pct` is the past item's part of the score that ranked the item, as percentage of
    the parts of all evidence listed, so that they sum to 100.
    """

    item_id: str
    item_idx: int
    item_name: str
    similarity: float
    contribution_pct: float


class AddedByBoost(msgspec.Struct, frozen=True, kw_only=True):
    """What a boost of the query added to the score of one item, in log odds; negative where it took away."""

    boost: str
    added: float


class ScoredItem(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One place of a slate.

    `score` is the score that ranked the item; `match` the calibrated chance in [0, 1] that the person
    interacts with it, fit to be shown as "match %", which boosts do not change; it is 0 where no answer was
    judged so far. `sources` proposed it.
    `propensity` is the probability with which the policy chose it for this place. `boosts` are those of the
    query that changed the score: without them it is `score` less all that they `added`.
    """

    item_id: str
    item_idx: int
    rank: int
    score: float
    match: float
    sources: tuple[str, ...]
    reason: str
    propensity: float
    title: str = ""
    categories: tuple[str, ...] = ()
    metadata: dict[str, Attribute] = {}
    explanation: tuple[Evidence, ...] | None = None
    explained_share: float | None = None
    boosts: tuple[AddedByBoost, ...] = ()


class ClickEdition(msgspec.Struct, frozen=True, kw_only=True):
    """Up to where it is known what was shown and clicked, beside what the model learnt from.

    That is slates shown before the moment `until` (microseconds UTC) to the first so many `people`, and the
    events up to number `seq` that are dated before `until`.
    """

    until: int
    seq: int
    people: int


class Versions(msgspec.Struct, frozen=True, kw_only=True):
    """All that an answer depends on besides the query; the same versions give the same answer."""

    state_seq: int
    item_state_seq: int
    catalog_version: int
    artifact: str
    blend: str
    scenario: str
    namespace: str = "default"
    scenario_version: str = ""
    """A digest of the recipe; empty in records from before recipes had versions."""
    clicks: ClickEdition | None = None
    """What the ranker knew; None where none ordered, or by no more than it had learnt from."""


class Relaxed(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that the slate does not keep, as `quotas[0]`, and why, in words."""

    rule: str
    reason: str


class Slate(msgspec.Struct, frozen=True, kw_only=True):
    """An answer. `source` says in one word where it comes from: `personalized`, `trending`, ...

    `scenario` is the one that answered, `instead_of` the one that was asked for where that is another;
    `title` is a heading for it, empty where its recipe has none. `relaxed` are the rules that could not be
    kept, `next_cursor` asks for the next page: None after the last one, and where no pages are asked for.
    `left_out` names the sources and stages that there was no time for.
    """

    recommendation_id: str
    user_id: str | None
    source: str
    model_version: str
    items: tuple[ScoredItem, ...]
    versions: Versions
    scenario: str
    generated_at: int
    filtered: int = 0
    title: str = ""
    instead_of: str = ""
    relaxed: tuple[Relaxed, ...] = ()
    next_cursor: str | None = None
    left_out: tuple[str, ...] = ()


class Exposure(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The record that a slate was answered: one per slate, kept in a stream of its own.

    `made_at` is when the answer was made, before `time` where it came from the cache; `instead_of` is the
    scenario that was asked for, where it is another than answered.
    `query` and `circumstances` (what was told of the person) are what the answer depended on beside
    `versions`; so is `person`, the attributes that the query's expressions asked for. `recipe` is the
    scenario in records from before recipes had versions. `query` is None where the candidates were the
    caller's own.
    """

    recommendation_id: str
    user_id: str | None
    scenario: str
    source: str
    time: int
    items: tuple[int, ...]
    scores: tuple[float, ...]
    propensities: tuple[float, ...]
    versions: Versions
    made_at: int = 0
    instead_of: str = ""
    query: Query | None = None
    circumstances: tuple[str, ...] = ()
    person: dict[str, Attribute] = {}
    recipe: dict[str, Any] | None = None
    left_out: tuple[str, ...] = ()
    """What the answer was made without, for want of time."""

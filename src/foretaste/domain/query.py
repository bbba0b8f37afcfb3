"""What is asked of the recommender."""

import msgspec

from foretaste.domain.slate_rules import SlateRules


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """One request for a slate, complete: the answer is a pure function of it and of versioned state.

    `now` is the moment of asking in microseconds UTC, `seed` the request's own randomness. A `k` of 0 takes
    the scenario's.
    `filters` maps an attribute name (or `category`) to the values allowed; `exclude` likewise to the
    values forbidden. `filter` are conditions that all must be true, `boost` is what is added to scores, both
    in the language of `foretaste.features.expressions`. `item_id` and `item_ids` are the items that a
    scenario starts from, or puts in order.
    `diversity_lambda` is MMR's: 1.0 pure relevance, 0.0 pure diversity; None takes the scenario's.
    `popularity_correction` is the power of an item's popularity by which its odds are divided: 0.0 not at
    all; None takes the scenario's.
    """

    now: int
    seed: int
    user_id: str | None = None
    item_id: str | None = None
    item_ids: tuple[str, ...] = ()
    scenario: str = "home"
    model: str | None = None
    k: int = 10
    filters: dict[str, tuple[str, ...]] = {}
    exclude: dict[str, tuple[str, ...]] = {}
    exclude_ids: tuple[str, ...] = ()
    filter: tuple[str, ...] = ()
    boost: tuple[str, ...] = ()
    context: dict[str, str] = {}
    diversity_lambda: float | None = None
    popularity_correction: float | None = None
    min_score: float | None = None
    explain: bool = False
    explain_top_k: int = 3
    rules: SlateRules | None = None
    """What holds for the slate as a whole, beside the rules of the scenario."""
    shown_ids: tuple[str, ...] = ()
    """What the pages before this one showed."""

    @property
    def start_ids(self) -> tuple[str, ...]:
        """The items that it names, `item_id` first."""
        return self.item_ids if self.item_id is None else (self.item_id, *self.item_ids)

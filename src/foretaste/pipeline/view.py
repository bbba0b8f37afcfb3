"""What an answer may look at: one consistent view of versioned state."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext

import msgspec
import numpy as np

from foretaste.domain.arrays import Ordinals
from foretaste.domain.item import Attribute
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.features.state import State
from foretaste.models.guests import NO_GUESTS, Guests
from foretaste.pipeline.artifact import Artifact
from foretaste.pipeline.fresh_clicks import FreshClicks
from foretaste.pipeline.known import KnownPeople
from foretaste.pipeline.scenario import Scenario
from foretaste.pipeline.timekeeping import UNHURRIED, Timekeeper
from foretaste.ranking.slate_ranker import SlateRanker

Timed = Callable[[str], AbstractContextManager[object]]
NOTHING: Ordinals = np.empty(0, np.int32)
"""No items."""


class View(msgspec.Struct, frozen=True, eq=False):
    """State, catalog, artifact and scenario of one moment, with the query's ids as ordinals.

    Whoever answers holds `state.lock`, so that nothing changes meanwhile. `user` is the ordinal of the
    query's `user_id`, -1 where unknown or absent; `seeds` are those of the items it starts from, unknown ones
    left out; `excluded` those of its `exclude_ids` and of what its rules forbid, `shown` those of its
    `shown_ids` (unknown ones left out or -1); `named` gives those of the items that its rules name, as far as
    they are known. `item_names` and `type_names` are the id map's names by ordinal. `circumstances` are what
    is known of the person (see `domain.circumstances`); those of the clock and of the query are added to
    them. `person` are those of their attributes that the query's expressions name. `known` keeps what is
    worked out of people's own events from one answer to the next; it changes no answer. Neither does `timed`,
    which is told the name of a stage and entered for as long as it takes. `timekeeper` says which stages come
    too late and are left out. `guests` are described for this answer alone. `clicks` are what was
    shown and clicked since the artifact learnt, or since another one did: then it says nothing.
    """

    state: State
    catalog: CatalogColumns
    artifact: Artifact
    scenario: Scenario
    item_names: Sequence[str]
    type_names: Sequence[str]
    user: int = -1
    seeds: tuple[int, ...] = ()
    excluded: Ordinals = msgspec.field(default_factory=lambda: NOTHING)
    shown: Ordinals = msgspec.field(default_factory=lambda: NOTHING)
    named: Mapping[str, int] = msgspec.field(default_factory=dict)
    namespace: str = "default"
    circumstances: tuple[str, ...] = ()
    person: Mapping[str, Attribute] = msgspec.field(default_factory=dict)
    known: KnownPeople = msgspec.field(default_factory=KnownPeople)
    timed: Timed = nullcontext
    timekeeper: Timekeeper = UNHURRIED
    guests: Guests = NO_GUESTS
    clicks: FreshClicks | None = None

    @property
    def ranker(self) -> SlateRanker | None:
        """What orders the blend's best anew, for what a person did as a whole; None where nothing does."""
        if not self.scenario.ranker or self.scenario.history != "user":
            return None
        fresh = self.fresh_clicks
        return self.artifact.ranker if fresh is None else fresh.ranker

    @property
    def fresh_clicks(self) -> FreshClicks | None:
        """The `clicks`, if they are of this artifact's ranker."""
        clicks = self.clicks
        return clicks if clicks is not None and clicks.trained is self.artifact.ranker else None

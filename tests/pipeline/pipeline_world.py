"""A small shop with known tastes, trained for real: people stay within one of three groups of items."""

from dataclasses import dataclass, field

import msgspec
import numpy as np

from foretaste.domain.artifact import ArtifactManifest
from foretaste.domain.event import EventColumns
from foretaste.domain.item import CatalogEntry, Item
from foretaste.domain.query import Query
from foretaste.events.weights import EventWeights
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.features.interactions import interactions_of
from foretaste.features.state import State, StateConfig
from foretaste.models.content import ContentConfig
from foretaste.models.ease import EaseConfig
from foretaste.models.ials import IALSConfig
from foretaste.models.popularity import PopularityConfig
from foretaste.models.recency import Recency
from foretaste.models.transitions import TransitionsConfig
from foretaste.pipeline.artifact import Artifact, assemble
from foretaste.pipeline.scenario import HOME, Scenario
from foretaste.pipeline.view import View
from foretaste.ranking.blend import Blend
from foretaste.ranking.calibration import Calibration

GROUPS = ("comedy", "drama", "horror")
N_ITEMS = 30
N_USERS = 40
NEW = N_ITEMS
"""An item of the catalog that nobody took to yet."""
NOBODY = 1_000
TYPES = ("watch", "click", "dismiss", "view")
MINUTE = 60_000_000
NOW = 3_000 * MINUTE
GONE = {"sold out": 3, "hidden": 7, "not yet": 11, "no longer": 13, "deleted": 17}


def the_items() -> list[Item | None]:
    items: list[Item | None] = [
        Item(
            item_id=f"i{number}",
            title=f"Film {number}",
            text=f"a {GROUPS[number % 3]} of the year {1990 + number % 7}",
            categories=(GROUPS[number % 3], *(("classic",) if number % 4 == 0 else ())),
            attributes={"year": float(1990 + number % 7), "studio": "north" if number % 2 else "south"},
        )
        for number in range(N_ITEMS + 1)
    ]
    changes = {
        "sold out": {"in_stock": False},
        "hidden": {"hidden": True},
        "not yet": {"available_from": NOW + 1},
        "no longer": {"available_until": NOW},
    }
    for reason, fields in changes.items():
        items[GONE[reason]] = msgspec.structs.replace(items[GONE[reason]], **fields)
    return items


def the_events() -> EventColumns:
    """Everybody watches eight items of their group; the last of them, and a view, in the last hour."""
    generator = np.random.default_rng(1)
    rows = []
    for user in range(N_USERS):
        own = np.flatnonzero(np.arange(N_ITEMS) % 3 == user % 3)
        for step, item in enumerate(generator.permutation(own)[:8]):
            rows.append((user, int(item), 0, NOW - (8 - step) * 50 * MINUTE + user))
        rows.append((user, int(generator.integers(N_ITEMS)), 3, NOW - 5 * MINUTE + user))
    rows.sort(key=lambda row: row[3])
    user, item, kind, time = (np.array(column) for column in zip(*rows, strict=True))
    n = len(rows)
    return columns_of(user, item, kind, time, np.arange(n))


def columns_of(user, item, kind, time, key, previous_seq: int = 0) -> EventColumns:
    n = len(user)
    return EventColumns(
        previous_seq=previous_seq,
        seq=previous_seq + 1 + np.arange(n, dtype=np.int64),
        user=np.asarray(user, np.int32),
        item=np.asarray(item, np.int32),
        type=np.asarray(kind, np.int16),
        time=np.asarray(time, np.int64),
        key=np.asarray(key, np.int64),
        value=np.full(n, np.nan, np.float32),
    )


@dataclass
class World:
    state: State
    catalog: CatalogColumns
    artifact: Artifact
    item_names: list[str] = field(default_factory=lambda: [f"i{number}" for number in range(N_ITEMS + 1)])

    def view(self, user: int = 0, scenario: Scenario = HOME, **changes: object) -> View:
        view = View(
            state=self.state,
            catalog=self.catalog,
            artifact=self.artifact,
            scenario=scenario,
            item_names=self.item_names,
            type_names=TYPES,
            user=user,
        )
        return msgspec.structs.replace(view, **changes)

    def record(self, user: int, item: int, kind: str, time: int = NOW - MINUTE) -> None:
        seq = self.state.seq
        self.state.apply(columns_of([user], [item], [TYPES.index(kind)], [time], [seq], seq))


def a_world() -> World:
    state = State(StateConfig(), lambda: TYPES)
    events = the_events()
    state.apply(events)
    catalog = CatalogColumns.of(the_items())
    catalog = catalog.apply([_deletion(catalog)])
    learners = {
        "popularity": PopularityConfig(),
        "ials": IALSConfig(dim=8, regularization=0.01, unobserved=1.0, recency=Recency(half_life_events=6.0)),
        "ease": EaseConfig(regularization=10.0, recency=Recency(half_life_events=6.0)),
        "transitions": TransitionsConfig(),
        "content": ContentConfig(),
    }
    interactions = interactions_of(events, TYPES, EventWeights(), n_users=N_USERS, n_items=N_ITEMS + 1)
    models = {name: learner.fit(interactions, 0, catalog) for name, learner in learners.items()}
    artifact = assemble(models, Blend.even(tuple(models)), a_curve(), a_manifest())
    return World(state, catalog, artifact)


def a_curve() -> Calibration:
    return Calibration(score=np.array([-5.0, 20.0]), chance=np.array([0.05, 0.9]))


def a_manifest(version: str = "v1") -> ArtifactManifest:
    return ArtifactManifest(
        name="shop", version=version, created_at=0, seed=0, window={}, n_users=0, n_items=0, models={}
    )


def a_query(**changes: object) -> Query:
    return Query(**{"now": NOW, "seed": 7, "user_id": "someone", **changes})


def _deletion(catalog: CatalogColumns) -> CatalogEntry:
    return CatalogEntry(ordinal=GONE["deleted"], version=catalog.version + 1, item=None)

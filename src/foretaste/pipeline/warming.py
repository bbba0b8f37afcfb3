"""Compiling all that an answer runs, before the first request."""

import msgspec
import numpy as np

from foretaste.domain.arrays import MICROS_PER_SECOND
from foretaste.domain.artifact import ArtifactManifest
from foretaste.domain.event import EventColumns
from foretaste.domain.item import Item
from foretaste.domain.kernel_cache import note_compiled
from foretaste.domain.query import Query
from foretaste.domain.slate_rules import Quota, SlateRules
from foretaste.features import warming as features
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.features.state import State, StateConfig
from foretaste.models import warming as models
from foretaste.models.interface import Model
from foretaste.models.popularity import Popularity, PopularityConfig
from foretaste.models.transitions import Transitions, TransitionsConfig
from foretaste.models.vector_model import VectorQuery
from foretaste.models.vector_search import best_vectors, best_vectors_among
from foretaste.pipeline.artifact import Artifact, assemble
from foretaste.pipeline.compose import answer
from foretaste.pipeline.online_blend import OnlineBlend, Sampling, Surround
from foretaste.pipeline.scenario import DISCOVER
from foretaste.pipeline.view import View
from foretaste.ranking.blend import Blend
from foretaste.ranking.calibration import Calibration
from foretaste.ranking.online import OnlineOptions
from foretaste.retrieval.kept_rows import MOST_KEPT
from foretaste.retrieval.packed_keys import PackedKeys

_ITEMS = ("a", "b", "c", "d")
_RULES = SlateRules(quotas=(Quota(each="category", at_least=1, at_most=1),))


def warm_up() -> None:
    """Compile every kernel that an answer or an event needs, or load it from the disk's cache.

    It answers once, and learns once from what somebody took.
    """
    for part in PARTS:
        part()
    note_compiled()


def compile_from_the_end() -> None:
    """Do as `warm_up`, the other way round: for a process beside one that begins at the front."""
    for part in reversed(PARTS):
        part()
    note_compiled()


def _answer_once() -> None:
    state = State(StateConfig(), _types)
    catalog = CatalogColumns.of([Item(item_id=name, categories=(name,)) for name in _ITEMS])
    artifact, each = _artifact(), range(len(_ITEMS))
    events = models.views([0 for _ in each] + [1 for _ in each], [*each, *each])
    learn_once(state, artifact, Surround(lambda: catalog, lambda: _ITEMS, _types), events)
    view = View(
        state=state,
        catalog=catalog,
        artifact=artifact,
        scenario=DISCOVER,
        item_names=_ITEMS,
        type_names=_types(),
        user=0,
    )
    query = Query(now=len(events), seed=0, k=1, explain=True)
    for rules in (None, _RULES):
        answer(msgspec.structs.replace(query, rules=rules), view)
        answer(msgspec.structs.replace(query, rules=rules, filters={"category": _ITEMS[:1]}), view)
    state.apply(models.views([0], [0], after=state.seq))  # which what is kept of the answers follows
    answer(query, view)


def _search_once() -> None:
    vectors = models.vectors_in_lists()
    query, both = VectorQuery(vectors, vectors.row), np.arange(2, dtype=np.int32)
    best_vectors(query, np.ones(2, np.bool_), 2, 1).looked_at(query, both)
    best_vectors_among(query, both, np.ones(2, np.bool_), 1)


def _pack_once() -> None:
    keys, first = np.ones(2, np.float32), np.zeros(1, np.int32)
    packed = PackedKeys.of(keys, MOST_KEPT)
    if packed is not None:
        packed.best_entries(np.ones(2, np.bool_), 1)
        packed.put(first, packed.at(first))
        packed.all()


PARTS = (features.warm_up, models.warm_up_to_guests, models.warm_up, _answer_once, _search_once, _pack_once)


def learn_once(state: State, artifact: Artifact, around: Surround, events: EventColumns) -> int:
    """Fold events into `state`, asking about as many as can be; return how many steps the blend made."""
    often = Sampling(per_second=MICROS_PER_SECOND, spacing=1)
    fold = OnlineBlend(state, artifact, around, options=OnlineOptions(batch=1), sampling=often)
    fold.apply(events)
    return fold.weights.steps


def _types() -> tuple[str, ...]:
    return ("view",)


def _artifact() -> Artifact:
    sources: dict[str, Model] = {
        "popularity": Popularity(PopularityConfig()),
        "transitions": Transitions(TransitionsConfig()),
    }
    manifest = ArtifactManifest(
        name="warm", version="warm", created_at=0, seed=0, window={}, n_users=0, n_items=0, models={}
    )
    return assemble(sources, Blend.even(tuple(sources)), Calibration.flat(), manifest)

"""Compiling what serving runs before the first request."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from foretaste.domain.event import EventColumns
from foretaste.domain.interactions import Interactions
from foretaste.domain.item import Item
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.features.state import State, StateConfig
from foretaste.models.changes import meet
from foretaste.models.coded_vectors import CodedVectors
from foretaste.models.cold_items import ColdItemsConfig, ColdRows
from foretaste.models.cold_knowledge import Knowledge
from foretaste.models.cold_rows import ColdItems, Foretold
from foretaste.models.companions import blended, companions
from foretaste.models.content import Content, ContentConfig
from foretaste.models.entries import pick_scores
from foretaste.models.foremost import foremost
from foretaste.models.graph_filter import GraphFilter, GraphFilterConfig
from foretaste.models.guests import Guests
from foretaste.models.interface import Model, Moment
from foretaste.models.inverted_lists import Centres, InvertedLists, nearest
from foretaste.models.item_features import Features
from foretaste.models.item_rows import ItemRows
from foretaste.models.likeness import Anchors
from foretaste.models.repetition import Repetition, RepetitionConfig
from foretaste.models.session_knn import SessionKNN, SessionKNNConfig
from foretaste.models.transitions import Transitions, TransitionsConfig

_ROWS = ItemRows(start=np.array([0, 1, 2]), item=np.array([1, 0], np.int32), value=np.ones(2, np.float32))
"""Of two items each speaks for the other."""


def warm_up() -> None:
    """Compile all kernels that scoring and explaining use, or load them from the disk's cache.

    `follow_events` and `warm_up_to_guests` compile theirs, the first training those that it alone runs.
    """
    state = _state()
    moment = _moment(state)
    models: tuple[Model, ...] = (
        GraphFilter(GraphFilterConfig(), _ROWS),
        Transitions(TransitionsConfig()),
        Repetition(RepetitionConfig()),
    )
    history, both = state.history(0), np.arange(2, dtype=np.int32)
    vectors = vectors_in_lists()
    unit = vectors.unit(both)
    person = np.ones(2, np.float32)
    vectors.with_rows(both, unit).rewritten(both, unit).products(person)
    vectors.products_of(both, person)
    for model in models:
        model.score(history, moment)
        model.explain_each(history, np.zeros(1, np.int32), moment)
        foremost(model, history, np.zeros(1, np.int32), moment)
    meet(both, both)
    pick_scores(np.zeros(1, np.int64), both, both.astype(np.int64), np.zeros(2, np.float32))


def follow_events(models: Iterable[Model]) -> None:
    """Do as `warm_up` with what such models run after an event alone: of new items, and by sessions.

    What was told before is brought up to it.
    """
    kinds = {type(model) for model in models}
    state, catalog = _state(), CatalogColumns.empty()
    history = state.history(0)
    cold = _cold_rows()[0] if any(issubclass(kind, ColdItems) for kind in kinds) else None
    sessions = SessionKNN(SessionKNNConfig()) if SessionKNN in kinds else None
    for item in (2, 2, 1):
        state.apply(views([1], [item], after=state.seq))
        moment = Moment(now=3, items=state.items, catalog=catalog, people=state.people)
        if cold is not None:
            cold.basis(moment)
        if sessions is not None:
            sessions.told(history, moment)


def vectors_in_lists() -> CodedVectors:
    """Return two vectors, each in a list of its own."""
    vectors = CodedVectors.of(np.eye(2, dtype=np.float32))
    centres = Centres(vectors.all(), np.zeros(2, np.float32))
    own, is_late = nearest(centres.at, centres.at), np.zeros(2, np.bool_)
    lists = InvertedLists.of(centres, own, vectors.code, vectors.row, is_late)
    return CodedVectors(vectors.code, vectors.row, vectors.column, lists)


def warm_up_to_guests() -> None:
    """Read a few words, and have them make an item a mixture of others, which events tell of too."""
    state = _state()
    history = state.history(0)
    guests = Guests(np.array([2], np.int32), [Item(item_id="guest", title="new words")])
    moment = replace(_moment(state), guests=guests)
    cold, knowledge, content = _cold_rows()
    cold.score_guests(history, moment)
    content.score_guests(history, moment)
    content.explain_each(history, np.zeros(1, np.int32), moment)
    near = companions(moment.items, knowledge.anchors.item, knowledge.count)
    blended(near, near, np.ones(2)).of_rows(lambda used: np.ones((len(used), 2), np.float32))


def _cold_rows() -> tuple[ColdRows, Knowledge, Content]:
    """Return a model of items described in a few words, what it knows, and one of the words alone."""
    items = [Item(item_id="a", title="a few words"), Item(item_id="b", title="new words")]
    catalog, count = CatalogColumns.of(items), np.ones(2, np.int64)
    nothing = np.empty(0, np.int32)
    untimed = Interactions(nothing, nothing, np.empty(0, np.float32), np.empty(0, np.int64), 0, 2)
    content = ContentConfig().fit(untimed, 0, catalog)
    features = Features.learnt(items, 2, 10, 0)
    anchors = Anchors(np.arange(2, dtype=np.int32), features.describe(items))
    knowledge = Knowledge(features, anchors, count, words=0.5, gain=1.0, patience=1.0)
    none = knowledge.mixtures(features.describe([]), {})
    stored = Foretold(none.item, (none.part, none.weight))
    config = ColdItemsConfig(base=GraphFilterConfig())
    base = GraphFilter(GraphFilterConfig(), _ROWS)
    return ColdRows(base, knowledge, stored, np.empty((0, 2), np.int64), config), knowledge, content


def _moment(state: State) -> Moment:
    return Moment(now=1, items=state.items, catalog=CatalogColumns.empty())


def _state() -> State:
    """Return what two views of one person come to."""
    state = State(StateConfig(), lambda: ["view"])
    state.apply(views([0, 0], [0, 1]))
    return state


def views(users: Sequence[int], items: Sequence[int], *, after: int = 0) -> EventColumns:
    """Return a view of each of `items` by the user at its place, one after the other; `after` were before."""
    n = len(items)
    return EventColumns(
        previous_seq=after,
        seq=np.arange(after + 1, after + 1 + n),
        user=np.array(users, np.int32),
        item=np.array(items, np.int32),
        type=np.zeros(n, np.int16),
        time=np.arange(after, after + n),
        key=np.arange(after, after + n),
        value=np.full(n, np.nan, np.float32),
    )

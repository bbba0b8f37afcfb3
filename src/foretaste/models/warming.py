"""Compiling what serving runs before the first request."""

import numpy as np

from foretaste.domain.event import EventColumns
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.features.state import State, StateConfig
from foretaste.models.coded_vectors import CodedVectors
from foretaste.models.graph_filter import GraphFilter, GraphFilterConfig
from foretaste.models.interface import Model, Moment
from foretaste.models.item_rows import ItemRows
from foretaste.models.transitions import Transitions, TransitionsConfig


def warm_up() -> None:
    """Compile all kernels that scoring and explaining use, or load them from the disk's cache.

    Kernels that only training uses are compiled at the first training.
    """
    state = State(StateConfig(), lambda: ["view"])
    state.apply(_two_views())
    moment = Moment(now=1, items=state.items, catalog=CatalogColumns.empty())
    rows = ItemRows(start=np.array([0, 1, 2]), item=np.array([1, 0], np.int32), value=np.ones(2, np.float32))
    models: tuple[Model, ...] = (
        GraphFilter(GraphFilterConfig(), rows),
        Transitions(TransitionsConfig()),
    )
    history, both = state.history(0), np.arange(2, dtype=np.int32)
    vectors = CodedVectors.of(np.eye(2, dtype=np.float32))
    vectors.with_rows(both, vectors.unit(both)).products(np.ones(2, np.float32))
    for model in models:
        model.score(history, moment)
        model.explain_each(history, np.zeros(1, np.int32), moment)


def _two_views() -> EventColumns:
    return EventColumns(
        previous_seq=0,
        seq=np.arange(1, 3),
        user=np.zeros(2, np.int32),
        item=np.arange(2, dtype=np.int32),
        type=np.zeros(2, np.int16),
        time=np.arange(2),
        key=np.arange(2),
        value=np.full(2, np.nan, np.float32),
    )

"""What EASE and the graph filter share: a linear item-to-item model on a live history."""

from collections.abc import Mapping, Sequence
from typing import Any, Generic, Self, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from foretaste.domain.arrays import Floats, Ordinals
from foretaste.domain.history import History
from foretaste.features.recency import Recency
from foretaste.models.history_matrix import history_matrix
from foretaste.models.interface import Moment
from foretaste.models.item_rows import ItemRows
from foretaste.models.padding import at
from foretaste.models.recency import recent_weights
from foretaste.models.tuning import Validation, best_recency, ndcg


class LinearConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What every linear item-to-item configuration has; None is chosen by `fit`."""

    recency: Recency | None = None


C = TypeVar("C", bound=LinearConfig)


class LinearItems(Generic[C]):
    """The weighted sum of the rows of the history's items."""

    config_type: type[C]

    def __init__(self, config: C, rows: ItemRows) -> None:
        self._config = config
        self._rows = rows
        self._recency = config.recency or Recency()
        self._token = object()

    @property
    def config(self) -> C:
        """The configuration, nothing left open."""
        return self._config

    @property
    def rows(self) -> ItemRows:
        """The item-to-item matrix."""
        return self._rows

    def score(self, history: History, moment: Moment, items: Ordinals | None = None) -> Floats:
        """Return the sum of the events' rows, times their weights; see `Model`."""
        weight = recent_weights(history, self._recency, moment.now)
        scores = self._rows.score(history, weight, moment.n_items)
        return scores[: moment.n_items] if items is None else at(scores, items)

    def basis(self, moment: Moment) -> object | None:  # noqa: ARG002 - what was learnt stays
        """Return what stands for the rows; see `Model`."""
        return None if self._recency.half_life_seconds is not None else self._token

    def explain(self, history: History, item: int, moment: Moment) -> Floats:
        """Return each event's part of the sum; see `Model`."""
        return np.asarray(self.explain_each(history, np.array([item], np.int32), moment)[0])

    def explain_each(self, history: History, items: Ordinals, moment: Moment) -> Floats:
        """Return each event's part of the sum for each item; see `Model`."""
        return self._rows.shares(history, recent_weights(history, self._recency, moment.now), items)

    def vectors(self, items: Ordinals) -> Floats | None:  # noqa: ARG002 - there are none
        """Return None: rows of this length are no vectors to compare by."""
        return None

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """Return `start`, `item` and `value`, see `ItemRows`."""
        return self._rows.arrays()

    @classmethod
    def from_arrays(cls, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Rebuild the model; raise `CorruptArtifactError` where its rows point outside."""
        return cls(msgspec.convert(dict(config), cls.config_type), ItemRows.from_arrays(arrays))


def value_of(questions: Validation, matrix: sparse.csr_matrix, recency: Recency) -> float:
    """Return the NDCG of an item-to-item matrix, float32 [n_items, n_items], on the questions."""
    n_items = questions.train.n_items

    def scores(histories: Sequence[History]) -> Floats:
        product = history_matrix(histories, recency, n_items) @ matrix
        return np.asarray(product.toarray() if sparse.issparse(product) else product, np.float32)

    return ndcg(questions, scores)


def chosen_recency(questions: Validation, matrix: sparse.csr_matrix, recency: Recency | None) -> Recency:
    """Return `recency`, or the best one for `matrix` where it is None."""
    return recency or best_recency(questions, lambda candidate: value_of(questions, matrix, candidate))

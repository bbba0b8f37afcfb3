"""Non-negative matrix factorization (scikit-learn's), with a live history folded in.

A person's non-negative vector w minimizes |x - wH|², x being their history over all items and H the items'
factors: what scikit-learn's `transform` approaches step by step is solved for exactly (Lawson, Hanson:
"Solving Least Squares Problems", 1974). Scikit-learn is needed to fit, not to serve.
"""

from collections.abc import Mapping
from importlib import import_module
from typing import Any, ClassVar, Self, cast

import msgspec
import numpy as np
import scipy
from numpy.typing import NDArray

from foretaste.domain.arrays import Doubles, Floats, Ordinals
from foretaste.domain.history import History
from foretaste.domain.interactions import Interactions
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.features.recency import Recency
from foretaste.models.interface import Moment
from foretaste.models.padding import for_all, inside
from foretaste.models.recency import recent_weights
from foretaste.models.training_matrix import strengths
from foretaste.models.unit_rows import unit_rows

USUAL_HALF_LIFE = 5.0
RIDGE = 1e-6
"""Part of the Gramian's mean diagonal that is added to it: factors may be zero or alike."""


class NMFConfig(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="nmf"):
    """Non-negative factorization; needs `pip install 'foretaste[nmf]'` to be fitted.

    `recency` None: a half-life of five events where interactions have times, else none.
    """

    factors: int = 10
    iterations: int = 200
    strength_power: float = 0.5
    recency: Recency | None = None

    def fit(self, interactions: Interactions, seed: int, catalog: CatalogColumns) -> "NMF":  # noqa: ARG002 - learns from interactions only
        """Learn the items' factors; raise `MissingExtraError` without scikit-learn."""
        # scikit-learn is optional and takes a second to import, which serving must not pay
        factorization = import_module("foretaste.models.nmf_factorization")
        usual = Recency(half_life_events=USUAL_HALF_LIFE if interactions.timed else None)
        config = msgspec.structs.replace(self, recency=self.recency or usual)
        matrix = strengths(interactions, self.strength_power)
        components = cast("Floats", factorization.components(matrix, self.factors, self.iterations, seed))
        return NMF(config, np.ascontiguousarray(components.T))


class NMF:
    """Items as mixtures of a few non-negative parts; a person's mixture is solved for when asked for."""

    name: ClassVar[str] = "nmf"

    def __init__(
        self,
        config: NMFConfig,
        items: Floats,
        gramian: Doubles | None = None,
        people: "NMF | None" = None,
    ) -> None:
        self._config = config
        self._items = items if len(items) else np.zeros((1, items.shape[1]), np.float32)
        self._recency = config.recency or Recency()
        self._token = object()
        self._people = people
        self._gramian = _gramian(items) if gramian is None else gramian
        root: Doubles = np.asarray(np.linalg.cholesky(self._gramian), np.float64)
        self._root = root.T

    @property
    def config(self) -> NMFConfig:
        """The configuration, nothing left open."""
        return self._config

    @property
    def item_factors(self) -> Floats:
        """The items' parts as trained, float32 [n_items, factors]."""
        return self._items

    def factors_of(self, items: Ordinals) -> Floats:
        """Return the parts of `items`, float32 [len(items), factors]; 0 for items outside."""
        rows, is_inside = inside(items, len(self._items))
        factors: Floats = self._items[rows] * is_inside[:, np.newaxis]
        return factors

    def with_factors(self, items: Ordinals, factors: Floats) -> Self:
        """Return the same model with other or more `items`, none of their parts negative."""
        n = max(len(self._items), 1 + int(items.max(initial=-1)))
        parts = np.zeros((n, self._items.shape[1]), np.float32)
        parts[: len(self._items)] = self._items
        parts[items] = np.maximum(factors, np.float32(0.0))
        return type(self)(self._config, parts, self._gramian)

    def rewritten(self, items: Ordinals, factors: Floats) -> Self:
        """Do as `with_factors`, in the memory of this model if there is room.

        This one has to come from `with_factors`, and is not asked any more.
        """
        if items.max(initial=-1) >= len(self._items):
            return self.with_factors(items, factors)
        self._items[items] = np.maximum(factors, np.float32(0.0))
        return type(self)(self._config, self._items, self._gramian)

    def alone(self, factors: Floats) -> "NMF":
        """Return a model that has items with these parts only, none negative; people are as here."""
        return type(self)(self._config, np.maximum(factors, np.float32(0.0)), self._gramian, self)

    def score(self, history: History, moment: Moment, items: Ordinals | None = None) -> Floats:
        """Return the approximated history, w H; see `Model`."""
        parts, weight = self._past(history, moment.now)
        person = self._person(np.asarray(weight @ parts, np.float32)).astype(np.float32)
        if items is None:
            return for_all(self._items @ person, moment.n_items)
        rows, is_inside = inside(items, len(self._items))
        scores: Floats = (self._items[rows] @ person) * is_inside
        return scores

    def basis(self, moment: Moment) -> object | None:  # noqa: ARG002 - what was learnt stays
        """Return what stands for the items' parts; see `Model`."""
        return None if self._recency.half_life_seconds is not None else self._token

    def explain(self, history: History, item: int, moment: Moment) -> Floats:
        """Return each event's part: with the parts in use given, the solution is linear in the history."""
        return np.asarray(self.explain_each(history, np.array([item], np.int32), moment)[0])

    def explain_each(self, history: History, items: Ordinals, moment: Moment) -> Floats:
        """Return each event's part for each item; see `Model`."""
        shares = np.zeros((len(items), len(history)), np.float32)
        parts, weight = self._past(history, moment.now)
        used = np.flatnonzero(self._person(np.asarray(weight @ parts, np.float32)))
        if len(used):
            places, known = inside(items, len(self._items))
            factors = np.asarray(self._items[places][:, used] * known[:, np.newaxis], np.float64)
            asked = np.linalg.solve(self._gramian[np.ix_(used, used)], factors.T)
            shares[:] = (parts[:, used] @ asked).T * weight
        return shares

    def vectors(self, items: Ordinals) -> Floats | None:
        """Return the items' factors at unit length; see `Model`."""
        rows, is_inside = inside(items, len(self._items))
        return unit_rows(self._items[rows] * is_inside[:, np.newaxis])

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """Return `items`, float32 [n_items, factors], not negative."""
        return {"items": self._items}

    @classmethod
    def from_arrays(cls, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Rebuild the model."""
        return cls(msgspec.convert(dict(config), NMFConfig), arrays["items"])

    def _past(self, history: History, now: int) -> tuple[Floats, Floats]:
        """Return the parts of a history's items, float32 [events, factors], and the events' weights."""
        items = self._items if self._people is None else self._people.item_factors
        rows, is_inside = inside(history.item, len(items))
        return items[rows], recent_weights(history, self._recency, now) * is_inside

    def _person(self, towards: Floats) -> Doubles:
        """Return the w ≥ 0 that minimizes w'Gw - 2 w'`towards`."""
        if not np.any(towards > 0.0):
            return np.zeros(len(towards))
        target = np.linalg.solve(self._root.T, towards.astype(np.float64))
        solution: Doubles = scipy.optimize.nnls(self._root, target)[0]
        return solution


def _gramian(items: Floats) -> Doubles:
    """Return the items' Gramian with a little on its diagonal, float64 [factors, factors]."""
    gramian: Doubles = np.asarray(items.T @ items, np.float64)
    ridge = RIDGE * max(float(np.trace(gramian)) / len(gramian), 1e-12)
    return np.asarray(gramian + ridge * np.eye(len(gramian)))

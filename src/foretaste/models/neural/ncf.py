"""Neural matrix factorization of what people took, for histories in place of users.

He, Liao, Zhang, Nie, Hu, Chua: "Neural Collaborative Filtering", WWW 2017 (NeuMF): generalized matrix
factorization plus a perceptron over pairs. Here a person is the weighted sum of the vectors of what they
took, so that anyone's latest event counts at once, and the loss is a softmax over many items in place of a
few negatives. JAX is needed to fit, not to serve.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from foretaste.domain.arrays import Floats, Int64s, Ordinals
from foretaste.domain.extras import with_extra
from foretaste.domain.history import History
from foretaste.domain.interactions import Interactions
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.models.interface import Moment
from foretaste.models.neural.sequences import strength_class
from foretaste.models.padding import for_all, inside
from foretaste.models.unit_rows import unit_rows


class NCFConfig(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="ncf"):
    """Neural matrix factorization; needs `pip install 'foretaste[neural]'` to be fitted.

    `dim` numbers make an item's vectors, `hidden` units the perceptron's layer over pairs. The last `length`
    events of a history are looked at. In the loss `negatives` drawn items stand for all others; a catalog
    that is no larger is taken whole. `rate` is AdamW's. `epochs` passes over the data are made; None: as
    many as help on the held-out ends of some histories, within `work` times 10¹² multiplications.
    """

    dim: int = 64
    hidden: int = 16
    length: int = 64
    dropout: float = 0.5
    negatives: int = 512
    rate: float = 2e-3
    epochs: float | None = None
    work: float = 0.5

    def fit(self, interactions: Interactions, seed: int, catalog: CatalogColumns) -> "NCF":  # noqa: ARG002 - learns from interactions only
        """Learn vectors and perceptron; raise `MissingExtraError` without JAX and optax."""
        epochs, arrays = with_extra("foretaste.models.neural.ncf_training", "models").fitted(
            self, interactions, seed
        )
        return NCF(msgspec.structs.replace(self, epochs=epochs), arrays)


class NCF:
    """score(i) = p·gᵢ + Σₖ outₖ max(0, aₖ + bᵢₖ) - level, of p, the pooled history, and a = p·units + bias.

    The first layer of the perceptron over pairs is split: the items' part b is computed once, at the fit, so
    that scoring all items is one product and one pass.
    """

    name: ClassVar[str] = "ncf"

    def __init__(self, config: NCFConfig, arrays: Mapping[str, Floats]) -> None:
        self._config = config
        self._arrays = dict(arrays)
        self._token = object()
        self._items = arrays["items"]
        self._pairs = arrays["pairs"]
        self._known: Floats = np.asarray(arrays["history"].any(axis=1), np.float32)

    @property
    def config(self) -> NCFConfig:
        """The configuration, nothing left open."""
        return self._config

    def score(self, history: History, moment: Moment, items: Ordinals | None = None) -> Floats:
        """Return what both towers say; see `Model`."""
        if items is None:
            return for_all(self.score_all(history, moment.now), moment.n_items)
        person = self._person(history)
        rows, known = self._rows(items)
        return self._scores(person, self._items[rows], self._pairs[:, rows], known)

    def score_all(self, history: History, now: int) -> Floats:  # noqa: ARG002 - it knows an order, but no times
        """Return the scores of the items that were there at the fit, float32 [n_items]."""
        return self._scores(self._person(history), self._items, self._pairs, self._known)

    def basis(self, moment: Moment) -> object:  # noqa: ARG002 - what was learnt stays
        """Return what stands for what was learnt; see `Model`."""
        return self._token

    def explain(self, history: History, item: int, moment: Moment) -> Floats:
        """Return by how much each event raises the score when the parts of the history are added in order.

        Exact for the product, which is linear; for the perceptron the order plays a part.
        """
        return np.asarray(self.explain_each(history, np.array([item], np.int32), moment)[0])

    def explain_each(self, history: History, items: Ordinals, moment: Moment) -> Floats:  # noqa: ARG002 - as above
        """Return what each event adds, for each item; see `explain`."""
        shares = np.zeros((len(items), len(history)), np.float32)
        places, parts = self._parts(history)
        if len(places):
            rows, known = self._rows(items)
            persons = np.concatenate((np.zeros_like(parts[:1]), np.cumsum(parts, axis=0)))
            unit = self._units(persons)[np.newaxis] + self._pairs[:, rows].T[:, np.newaxis]
            told = np.maximum(unit, 0.0) @ self._arrays["out"]
            added = self._items[rows] @ parts.T + np.diff(told, axis=1)
            shares[:, places] = added * known[:, np.newaxis]
        return shares

    def vectors(self, items: Ordinals) -> Floats | None:
        """Return the vectors that items have in a history, at unit length; see `Model`."""
        rows, is_inside = inside(items, len(self._items))
        return unit_rows(self._arrays["history"][rows] * is_inside[:, np.newaxis])

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """Return what was learnt.

        `history` float32 [n_items, dim] are the items as parts of a person, `items` the same as what is
        sought, and `pairs` [hidden, n_items] their part of the perceptron; `units` [dim, hidden] and `bias`
        [hidden] make the person's part, and `out` [hidden] weighs the units. `recency` [length] and
        `strength` [classes] are logarithms of how loudly an event speaks, by its place from the end and by
        its weight. `level` [1] makes the usual score of an item zero.
        """
        return self._arrays

    @classmethod
    def from_arrays(cls, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Rebuild the model."""
        return cls(msgspec.convert(dict(config), NCFConfig), arrays)

    def _rows(self, items: Ordinals) -> tuple[Ordinals, Floats]:
        """Return the rows of `items` and 1 or 0: whether they are known."""
        rows, is_inside = inside(items, len(self._items))
        if not len(self._items):
            return rows, np.zeros(len(items), np.float32)
        known: Floats = self._known[rows] * is_inside
        return rows, known

    def _parts(self, history: History) -> tuple[Int64s, Floats]:
        """Return the places of the events that count and their parts of the person, float32 [n, dim]."""
        _, known = self._rows(history.item)
        places = np.flatnonzero((known > 0.0) & (history.weight != 0.0))[-self._config.length :]
        weight = history.weight[places]
        loud = self._arrays["recency"][len(places) - 1 - np.arange(len(places))]
        loud = np.exp(loud + self._arrays["strength"][strength_class(np.abs(weight))])
        loud *= np.sign(weight) / np.sqrt(np.maximum(loud.sum(), 1e-6))
        return places, self._arrays["history"][history.item[places]] * loud[:, np.newaxis]

    def _person(self, history: History) -> Floats:
        person: Floats = self._parts(history)[1].sum(axis=0)
        return person

    def _units(self, persons: Floats) -> Floats:
        return np.asarray(persons @ self._arrays["units"] + self._arrays["bias"])

    def _scores(self, person: Floats, items: Floats, pairs: Floats, known: Floats) -> Floats:
        scores: Floats = items @ person
        told = pairs + self._units(person)[:, np.newaxis]
        np.maximum(told, 0.0, out=told)
        scores += self._arrays["out"] @ told
        scores -= self._arrays["level"]
        scores *= known
        return scores

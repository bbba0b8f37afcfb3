"""Causal self-attention over a person's last events: what usually comes after such a sequence.

Kang, McAuley: "Self-Attentive Sequential Recommendation", ICDM 2018 (SASRec), with a softmax over all items
or many drawn ones in place of one negative each (Petrov, Macdonald 2023; Klenitskiy, Vasilev 2023) and the
layers of eSASRec (Tikhonovich et al. 2025). JAX is needed to fit, not to serve.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from foretaste.domain.arrays import Floats, Int64s, Mask, Ordinals
from foretaste.domain.extras import with_extra
from foretaste.domain.history import History
from foretaste.domain.interactions import Interactions
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.models.interface import Moment
from foretaste.models.neural.attention import outputs
from foretaste.models.neural.sequences import gap_class, strength_class
from foretaste.models.padding import for_all, inside
from foretaste.models.unit_rows import unit_rows

HARSHNESS = 0.5
"""What one dislike says, beside all that was liked together."""


class SelfAttentionConfig(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="self_attention"):
    """Self-attention; needs `pip install 'foretaste[neural]'` to be fitted.

    The last `length` events of a history are looked at, by `layers` layers of `heads` heads, with `dim`
    numbers for each event. In the loss `negatives` drawn items stand for all others; a catalog that is no
    larger is taken whole. `rate` is AdamW's. `epochs` passes over the data are made; None: as many as help
    on the held-out ends of some histories, within `work` times 10¹² multiplications.
    """

    dim: int = 128
    layers: int = 1
    heads: int = 2
    length: int = 64
    dropout: float = 0.5
    negatives: int = 1024
    rate: float = 2e-3
    epochs: float | None = None
    work: float = 3.0

    def fit(self, interactions: Interactions, seed: int, catalog: CatalogColumns) -> "SelfAttention":  # noqa: ARG002 - learns from interactions only
        """Learn what follows what; raise `MissingExtraError` without JAX and optax."""
        training = with_extra("foretaste.models.neural.self_attention_training", "models")
        epochs, arrays = training.fitted(self, interactions, seed)
        return SelfAttention(msgspec.structs.replace(self, epochs=epochs), arrays)


class SelfAttention:
    """Vectors of items, and a network that makes one of the same kind of a history."""

    name: ClassVar[str] = "self_attention"

    def __init__(self, config: SelfAttentionConfig, arrays: Mapping[str, Floats]) -> None:
        self._config = config
        self._arrays = dict(arrays)
        self._items = arrays["items"]
        self._directions = unit_rows(self._items)
        self._known: Mask = np.asarray(self._items.any(axis=1))

    @property
    def config(self) -> SelfAttentionConfig:
        """The configuration, nothing left open."""
        return self._config

    def score(self, history: History, moment: Moment, items: Ordinals | None = None) -> Floats:
        """Return the inner products with what the network makes of the history; see `Model`."""
        if items is None:
            return for_all(self.score_all(history, moment.now), moment.n_items)
        person = self._person(history, moment.now)
        rows, is_inside = inside(items, len(self._items))
        scores: Floats = (self._items[rows] @ person) * is_inside
        return scores

    def score_all(self, history: History, now: int) -> Floats:
        """Return the scores of the items that were there at the fit, float32 [n_items]."""
        scores: Floats = self._items @ self._person(history, now)
        return scores

    def basis(self, moment: Moment) -> None:
        """Return None: scores depend on the time."""

    def explain(self, history: History, item: int, moment: Moment) -> Floats:
        """Return by how much the score rose when each event came, those before it being known.

        Attention has no parts that add up, but the network answers after every prefix of a history: the
        differences from one answer to the next add up to the last. So an event that repeats what was known
        says little, and the same event earlier may have said much. Dislikes are subtracted and add up by
        themselves.
        """
        return np.asarray(self.explain_each(history, np.array([item], np.int32), moment)[0])

    def explain_each(self, history: History, items: Ordinals, moment: Moment) -> Floats:
        """Return what each event changed, for each item; see `explain`."""
        changes = np.zeros((len(history), self._items.shape[1]), np.float32)
        liked, disliked = self._split(history)
        if len(liked):
            after = outputs(self._arrays, self._tokens(history, liked, moment.now), every=True)
            changes[liked] = np.diff(after, axis=0, prepend=np.zeros_like(after[:1]))
        if len(disliked):
            changes[disliked] = self._against(history, disliked)
        rows, is_inside = inside(items, len(self._items))
        asked: Floats = self._items[rows] * is_inside[:, np.newaxis]
        return np.asarray(asked @ changes.T, np.float32)

    def vectors(self, items: Ordinals) -> Floats | None:
        """Return the items' vectors at unit length; see `Model`."""
        rows, is_inside = inside(items, len(self._items))
        found: Floats = self._directions[rows] * is_inside[:, np.newaxis]
        return found

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """Return the network's parameters and `items`, float32 [n_items, dim], zero where unknown, mean zero.

        An item is put into the network as its row plus `centre`, float32 [dim].
        """
        return self._arrays

    @classmethod
    def from_arrays(cls, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Rebuild the model."""
        return cls(msgspec.convert(dict(config), SelfAttentionConfig), arrays)

    def _person(self, history: History, now: int) -> Floats:
        """Return the vector, float32 [dim], whose inner products with the items' vectors are their scores."""
        liked, disliked = self._split(history)
        person = np.zeros(self._items.shape[1], np.float32)
        if len(liked):
            person += outputs(self._arrays, self._tokens(history, liked, now), every=False)[0]
        if len(disliked):
            person += self._against(history, disliked).sum(axis=0)
        return person

    def _split(self, history: History) -> tuple[Int64s, Int64s]:
        """Return the places of the last events on known items, those liked and those disliked."""
        rows, is_inside = inside(history.item, len(self._items))
        if not len(self._items):
            return np.empty(0, np.int64), np.empty(0, np.int64)
        known = self._known[rows] & (is_inside > 0.0)
        liked = np.flatnonzero(known & (history.weight > 0.0))
        disliked = np.flatnonzero(known & (history.weight < 0.0))
        return liked[-self._config.length :], disliked[-self._config.length :]

    def _tokens(self, history: History, places: Int64s, now: int) -> Floats:
        """Return the network's input for these events: item, strength of the sign, time until the next."""
        vectors = self._items[history.item[places]] + self._arrays["centre"]
        gap = gap_class(np.diff(history.time[places], append=now))
        scale = np.float32(np.sqrt(self._items.shape[1]))
        strength = self._arrays["strength"][strength_class(history.weight[places])]
        tokens: Floats = vectors * scale + strength + self._arrays["gap"][gap]
        return tokens

    def _against(self, history: History, places: Int64s) -> Floats:
        """Return the part of each dislike, float32 [n, dim]: its opposite; many do not drown all the rest."""
        weight = history.weight[places]
        loudness = np.float32(HARSHNESS * np.linalg.norm(self._arrays["final_norm"]))
        share = loudness * weight / np.sqrt(np.maximum(np.abs(weight).sum(), 1.0))
        against: Floats = self._directions[history.item[places]] * share[:, np.newaxis]
        return against

"""Content as dense vectors: axes of what items say (`latent`), or vectors that they came with (`vectors`)."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from foretaste.domain.arrays import Floats, Int64s, Ordinals
from foretaste.domain.errors import CorruptArtifactError
from foretaste.domain.history import History
from foretaste.domain.interactions import Interactions
from foretaste.domain.item import Item
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.features.recency import Recency
from foretaste.models.cold_knowledge import digests_of, is_as_before
from foretaste.models.interface import Moment
from foretaste.models.item_features import TextFeatures, VectorFeatures
from foretaste.models.padding import at, for_all, inside
from foretaste.models.recency import recent_weights

USUAL_HALF_LIFE = 10.0


class DenseConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What both have. `recency` None: a half-life of ten events where interactions have times, else none."""

    dim: int = 128
    recency: Recency | None = None

    def with_recency(self, interactions: Interactions) -> Self:
        """Return this configuration with nothing left open."""
        usual = Recency(half_life_events=USUAL_HALF_LIFE if interactions.timed else None)
        return msgspec.structs.replace(self, recency=self.recency or usual)


class LatentConfig(DenseConfig, frozen=True, kw_only=True, tag_field="kind", tag="latent"):
    """Truncated singular value decomposition of TF-IDF; `max_features` terms make the vocabulary."""

    max_features: int = 10_000

    def fit(self, interactions: Interactions, seed: int, catalog: CatalogColumns) -> "Latent":
        """Learn the axes from the catalog; interactions only say whether there are times."""
        features = TextFeatures.learnt(catalog.items, self.dim, self.max_features, seed)
        return Latent.of(self.with_recency(interactions), features, catalog.items)


class VectorsConfig(DenseConfig, frozen=True, kw_only=True, tag_field="kind", tag="vectors"):
    """The items' own vectors, or those of a text model, on their `dim` principal axes."""

    def fit(self, interactions: Interactions, seed: int, catalog: CatalogColumns) -> "Vectors":
        """Learn the axes from the catalog; interactions only say whether there are times."""
        features = VectorFeatures.learnt(catalog.items, self.dim, seed)
        return Vectors.of(self.with_recency(interactions), features, catalog.items)


Features = TextFeatures | VectorFeatures


class DenseContent(ABC):
    """Cosine of content vectors, summed over the history.

    An item's vector is that of the moment's catalog; what came or changed after training is read when first
    asked about.
    """

    def __init__(self, config: Any, features: Features, rows: Floats, digest: Int64s) -> None:
        self._config = config
        self._features = features
        self._stored = rows
        self._digest = digest
        self._recency: Recency = config.recency or Recency()
        self._items: Sequence[Item | None] | None = None
        self._rows = rows
        self._token = object()

    @classmethod
    def of(cls, config: Any, features: Features, items: Sequence[Item | None]) -> Self:
        """Return the model of a catalog as it is at training."""
        digest = np.array([digests_of(item) for item in items], np.int64).reshape(-1, 2)
        return cls(config, features, features.of(items), digest)

    @property
    def config(self) -> Any:
        """The configuration, nothing left open."""
        return self._config

    def score(self, history: History, moment: Moment, items: Ordinals | None = None) -> Floats:
        """Return the inner products with the history's weighted sum; see `Model`."""
        rows = self.rows_of(moment.catalog)
        weight = recent_weights(history, self._recency, moment.now)
        scores = rows @ (weight @ _taken(rows, history.item))
        return for_all(scores, moment.n_items) if items is None else at(scores, items)

    def score_guests(self, history: History, moment: Moment) -> Floats:
        """Return the inner products with the history's weighted sum; see `Host`."""
        rows = self.rows_of(moment.catalog)
        weight = recent_weights(history, self._recency, moment.now)
        scores: Floats = self.guest_vectors(moment) @ (weight @ _taken(rows, history.item))
        return scores

    def guest_vectors(self, moment: Moment) -> Floats:
        """Return their content vectors, kept with them; see `Host`."""
        guests = moment.guests
        rows: Floats | None = guests.kept.get(self._features)
        if rows is None:
            rows = guests.kept[self._features] = self._features.of(guests.described)
        return rows

    def basis(self, moment: Moment) -> object | None:
        """Return what stands for the vectors of the moment's catalog; see `Model`."""
        self.rows_of(moment.catalog)
        return None if self._recency.half_life_seconds is not None else self._token

    def explain(self, history: History, item: int, moment: Moment) -> Floats:
        """Return each event's part of the inner product; see `Model`."""
        return np.asarray(self.explain_each(history, np.array([item], np.int32), moment)[0])

    def explain_each(self, history: History, items: Ordinals, moment: Moment) -> Floats:
        """Return each event's part of the inner product for each item; see `Model`."""
        rows = self.rows_of(moment.catalog)
        weight = recent_weights(history, self._recency, moment.now)
        asked = _taken(rows, items)
        place, guest = moment.guests.among(items)
        if len(place):
            asked[place] = self.guest_vectors(moment)[guest]
        shares: Floats = (asked @ _taken(rows, history.item).T) * weight
        return shares

    def vectors(self, items: Ordinals) -> Floats | None:
        """Return the content vectors, of the catalog last asked about, else of the training."""
        return _taken(self._rows if len(self._rows) >= len(self._stored) else self._stored, items)

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """Return the features' arrays, `rows` and `digest` (of words and vector)."""
        return {**self._features.arrays(), "rows": self._stored, "digest": self._digest}

    @classmethod
    def from_arrays(cls, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Rebuild the model; raise `CorruptArtifactError` where arrays contradict each other."""
        features, rows, digest = cls.features(arrays), arrays["rows"], arrays["digest"]
        if rows.shape != (len(digest), features.dim) or digest.shape[1:] != (2,):
            raise CorruptArtifactError("the content vectors of the artifact do not fit; train again")
        return cls(cls.converted(config), features, rows, digest)

    @staticmethod
    @abstractmethod
    def features(arrays: Mapping[str, NDArray[Any]]) -> Features:
        """Return the features that `arrays` hold."""

    @staticmethod
    @abstractmethod
    def converted(config: Mapping[str, Any]) -> Any:
        """Return the configuration as a struct."""

    def rows_of(self, catalog: CatalogColumns) -> Floats:
        """Return the vectors of this version of the catalog; costs something only for what changed."""
        items = catalog.items
        if items is self._items:
            return self._rows
        before = self._items
        if before is None:
            n_stored = len(self._digest)
            changed = [
                ordinal
                for ordinal, item in enumerate(items)
                if ordinal >= n_stored or not is_as_before(item, self._digest[ordinal].tolist())
            ]
        else:
            n_before = len(before)
            changed = [
                ordinal
                for ordinal, item in enumerate(items)
                if ordinal >= n_before or item is not before[ordinal]
            ]
        rows = np.zeros((len(items), self._features.dim), np.float32)
        known = min(len(rows), len(self._rows))
        rows[:known] = self._rows[:known]
        if changed:
            rows[changed] = self._features.of([items[ordinal] for ordinal in changed])
        self._items, self._rows, self._token = items, rows, object()
        return rows


class Latent(DenseContent):
    """The axes of the items' words."""

    name: ClassVar[str] = "latent"

    @staticmethod
    def features(arrays: Mapping[str, NDArray[Any]]) -> TextFeatures:
        """Return the features that `arrays` hold."""
        return TextFeatures.from_arrays(arrays)

    @staticmethod
    def converted(config: Mapping[str, Any]) -> LatentConfig:
        """Return the configuration as a struct."""
        return msgspec.convert(dict(config), LatentConfig)


class Vectors(DenseContent):
    """The items' own vectors."""

    name: ClassVar[str] = "vectors"

    @staticmethod
    def features(arrays: Mapping[str, NDArray[Any]]) -> VectorFeatures:
        """Return the features that `arrays` hold."""
        return VectorFeatures.from_arrays(arrays)

    @staticmethod
    def converted(config: Mapping[str, Any]) -> VectorsConfig:
        """Return the configuration as a struct."""
        return msgspec.convert(dict(config), VectorsConfig)


def _taken(rows: Floats, items: Ordinals) -> Floats:
    if not len(rows):
        return np.zeros((len(items), rows.shape[1]), np.float32)
    places, is_inside = inside(items, len(rows))
    taken: Floats = rows[places] * is_inside[:, np.newaxis]
    return taken

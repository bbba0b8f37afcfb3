"""A factor or item-to-item model that items take part in from their first second."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, Self, cast

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from foretaste.domain.arrays import Floats, Int64s
from foretaste.domain.errors import CorruptArtifactError
from foretaste.domain.interactions import Interactions
from foretaste.domain.item import Item
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.models.cold_choice import Choice, choose, ridge_map
from foretaste.models.cold_knowledge import Knowledge, digests_of
from foretaste.models.cold_rows import BASE, ColdItems, Foretold
from foretaste.models.cold_scores import FactorModel, FactorsOfCold, RowsOfCold
from foretaste.models.ease import Ease, EaseConfig
from foretaste.models.graph_filter import GraphFilter, GraphFilterConfig
from foretaste.models.ials import IALS, IALSConfig
from foretaste.models.interface import Model
from foretaste.models.item_features import Described, Features
from foretaste.models.item_item import ItemItemConfig
from foretaste.models.likeness import Anchors, most_taken
from foretaste.models.nmf import NMF, NMFConfig
from foretaste.models.terms import values

Way = Literal["likeness", "ridge", "none"]
FEWEST = 20
"""With fewer trained items that are described nothing is foretold."""
BASES: Mapping[str, type[Model]] = MappingProxyType(
    {"ials": IALS, "nmf": NMF, "ease": Ease, "graph_filter": GraphFilter}
)
"""The class of each kind of model that may be the base."""


class ColdItemsConfig(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="cold_items"):
    """A model of the `base`'s kind that also knows items which came after training.

    `way`: a cold item is the mixture of the trained items most alike (`likeness`), or what a ridge
    regression from content foretells (`ridge`, factor models only), or is not known (`none`). `words` is the
    share of the words in likeness, `gain` the factor of what is foretold, `penalty` the regression's. What is
    None is chosen by `fit`. `patience` is the number of events that count as much as content. `dim` and
    `max_features` see `Features`.
    """

    base: IALSConfig | NMFConfig | EaseConfig | GraphFilterConfig | ItemItemConfig
    way: Way | None = None
    words: float | None = None
    gain: float | None = None
    penalty: float | None = None
    patience: float = 5.0
    dim: int = 128
    max_features: int = 10_000

    def fit(self, interactions: Interactions, seed: int, catalog: CatalogColumns) -> Model:
        """Fit the base, and what content foretells around it; see `around`."""
        return self.around(self.base.fit(interactions, seed, catalog), interactions, seed, catalog)

    def around(
        self,
        base: Model,
        interactions: Interactions,
        seed: int,
        catalog: CatalogColumns,
        content: "Content | None" = None,
    ) -> Model:
        """Return `base`, fitted on `interactions` already, with what content foretells of cold items.

        Returns `base` itself where the catalog says too little, or where foretelling gains nothing on what is
        held out. `content` is that of the catalog, where it is at hand.
        """
        content = content or content_of(interactions, seed, catalog, self)
        if self.way == "none" or content is None:
            return base
        config = msgspec.structs.replace(self, base=base.config)
        if None in {self.way, self.words, self.gain, self.penalty}:
            config = config.completed(choose(base, interactions, seed, content.catalog, content.about))
            if config.way == "none":
                return base
        return _fitted(config, base, content)

    def completed(self, choice: Choice) -> "ColdItemsConfig":
        """Return this configuration, what is open taken from `choice`."""
        return msgspec.structs.replace(
            self,
            way=self.way or choice.way,
            words=choice.words if self.words is None else self.words,
            gain=choice.gain if self.gain is None else self.gain,
            penalty=choice.penalty if self.penalty is None else self.penalty,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Content:
    """What a catalog says of its items, and how often each was taken, int64 [n_items]."""

    catalog: CatalogColumns
    features: Features
    about: Described
    count: Int64s


def content_of(
    interactions: Interactions, seed: int, catalog: CatalogColumns, config: ColdItemsConfig
) -> Content | None:
    """Return what the catalog says; None where it describes too few items that people took."""
    catalog = catalog.apply([], n_items=interactions.n_items)
    taken = interactions.item[interactions.weight > 0.0]
    count = np.bincount(taken, minlength=catalog.n_items).astype(np.int64)
    described = np.array([is_described(item) for item in catalog.items], np.bool_)
    if np.count_nonzero(described & (count > 0)) < FEWEST:
        return None
    features = Features.learnt(catalog.items, config.dim, config.max_features, seed)
    about = features.describe(catalog.items)
    enough = np.count_nonzero(about.told & (count > 0)) >= FEWEST
    return Content(catalog, features, about, count) if enough else None


def is_described(item: Item | None) -> bool:
    """Return whether anything is known of an item beside its id."""
    return item is not None and bool(
        item.title or item.text or item.categories or item.vector or any(True for _ in values(item))
    )


class ColdFactors(FactorsOfCold):
    """A factor model with vectors for cold items."""

    @classmethod
    def from_arrays(cls, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Rebuild the model; raise `CorruptArtifactError` where arrays contradict each other."""
        chosen = msgspec.convert(dict(config), ColdItemsConfig)
        base = cast("FactorModel", _base(config, arrays))
        stored = Foretold(arrays["cold"], (arrays["cold_0"],))
        return cls(
            base, _knowledge(chosen, arrays), stored, arrays["cold_digest"], chosen, arrays.get("ridge")
        )


class ColdRows(RowsOfCold):
    """An item-to-item model with mixtures for cold items."""

    @classmethod
    def from_arrays(cls, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Rebuild the model; raise `CorruptArtifactError` where arrays contradict each other."""
        chosen = msgspec.convert(dict(config), ColdItemsConfig)
        stored = Foretold(arrays["cold"], (arrays["cold_0"], arrays["cold_1"]))
        if stored.rows[0].size and not 0 <= stored.rows[0].min() <= stored.rows[0].max() < len(
            arrays["count"]
        ):
            raise CorruptArtifactError("the mixtures of the artifact point outside; train again")
        return cls(_base(config, arrays), _knowledge(chosen, arrays), stored, arrays["cold_digest"], chosen)


class ColdKind(RowsOfCold):
    """How an artifact's file becomes the one or the other."""

    @classmethod
    def from_arrays(cls, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Any:
        """Rebuild the model that `arrays` came from."""
        return (ColdRows if "cold_1" in arrays else ColdFactors).from_arrays(config, arrays)


def _fitted(config: ColdItemsConfig, base: Model, content: Content) -> Model:
    about, count = content.about, content.count
    anchors = most_taken(count, about.told)
    knowledge = Knowledge(
        features=content.features,
        anchors=Anchors(anchors, about.take(anchors)),
        count=count,
        words=config.words or 0.0,
        gain=config.gain or 1.0,
        patience=config.patience,
    )
    none = Foretold(np.empty(0, np.int32), ())
    empty = np.empty((0, 2), np.int64)
    if hasattr(base, "with_factors"):
        factors = cast("FactorModel", base)
        ridge: Floats | None = None
        if config.way == "ridge":
            ridge = ridge_map(about.dense, factors.item_factors, count, config.penalty or 1.0)
        bare = ColdFactors(factors, knowledge, none, empty, config, ridge)
        return ColdFactors(factors, knowledge, *_stored(bare, content), config, ridge)
    return ColdRows(
        base, knowledge, *_stored(ColdRows(base, knowledge, none, empty, config), content), config
    )


def _stored(model: ColdItems, content: Content) -> tuple[Foretold, Int64s]:
    """Return what content foretells of the cold items that the catalog has already, and their digests."""
    cold = np.flatnonzero((content.count == 0) & content.about.told).astype(np.int32)
    digests = [digests_of(content.catalog.items[ordinal]) for ordinal in cold.tolist()]
    digest = np.array(digests, np.int64).reshape(-1, 2)
    return Foretold(cold, model.made(content.about.take(cold), {})), digest


def _base(config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Model:
    kind = BASES[config["base"]["kind"]]
    own = {name.removeprefix(BASE): array for name, array in arrays.items() if name.startswith(BASE)}
    return kind.from_arrays(config["base"], own)


def _knowledge(config: ColdItemsConfig, arrays: Mapping[str, NDArray[Any]]) -> Knowledge:
    features = Features.from_arrays(arrays)
    anchor, dense = arrays["anchor"], arrays["anchor_dense"]
    shape = (len(anchor), len(features.text.vocabulary.idf))
    words = sparse.csr_matrix(
        (arrays["anchor_weight"], arrays["anchor_term"], arrays["anchor_start"]), shape=shape
    )
    if len(anchor) != len(dense) or (
        len(anchor) and not 0 <= anchor.min() <= anchor.max() < len(arrays["count"])
    ):
        raise CorruptArtifactError("the anchors of the artifact point outside; train again")
    return Knowledge(
        features=features,
        anchors=Anchors(anchor, Described(words, dense)),
        count=arrays["count"],
        words=config.words or 0.0,
        gain=config.gain or 1.0,
        patience=config.patience,
    )

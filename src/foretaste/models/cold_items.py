"""A factor or item-to-item model that items take part in from their first second."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal, Self, cast

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from foretaste.domain.arrays import Floats, Int64s
from foretaste.domain.errors import CorruptArtifactError
from foretaste.domain.interactions import Interactions
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.models.cold_choice import Choice, choose, ridge_map
from foretaste.models.cold_rows import (
    BASE,
    ColdItems,
    FactorModel,
    FactorsOfCold,
    Foretold,
    Knowledge,
    RowsOfCold,
    digests_of,
)
from foretaste.models.ease import Ease, EaseConfig
from foretaste.models.graph_filter import GraphFilter, GraphFilterConfig
from foretaste.models.ials import IALS, IALSConfig
from foretaste.models.interface import Model
from foretaste.models.item_features import Described, Features
from foretaste.models.item_item import ItemItemConfig
from foretaste.models.likeness import Anchors, most_taken
from foretaste.models.nmf import NMF, NMFConfig

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
        """Fit the base and, where the catalog describes items, what content foretells.

        Returns the base alone where the catalog says nothing, or where foretelling gains nothing on what is
        held out.
        """
        base = self.base.fit(interactions, seed, catalog)
        if self.way == "none":
            return base
        catalog = catalog.apply([], n_items=interactions.n_items)
        features = Features.learnt(catalog.items, self.dim, self.max_features, seed)
        about = features.describe(catalog.items)
        count = counts_of(interactions)
        if np.count_nonzero(about.told[: len(count)] & (count > 0)) < FEWEST:
            return base
        config = msgspec.structs.replace(self, base=base.config)
        if None in {self.way, self.words, self.gain, self.penalty}:
            config = config.completed(choose(base, interactions, seed, catalog, about))
            if config.way == "none":
                return base
        return _fitted(config, base, features, about, count, catalog)

    def completed(self, choice: Choice) -> "ColdItemsConfig":
        """Return this configuration, what is open taken from `choice`."""
        return msgspec.structs.replace(
            self,
            way=self.way or choice.way,
            words=choice.words if self.words is None else self.words,
            gain=choice.gain if self.gain is None else self.gain,
            penalty=choice.penalty if self.penalty is None else self.penalty,
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


def counts_of(interactions: Interactions) -> Int64s:
    """Return how many positive interactions each item has, int64 [n_items]."""
    taken = interactions.item[interactions.weight > 0.0]
    return np.bincount(taken, minlength=interactions.n_items).astype(np.int64)


def _fitted(
    config: ColdItemsConfig,
    base: Model,
    features: Features,
    about: Described,
    count: Int64s,
    catalog: CatalogColumns,
) -> Model:
    known = np.zeros(len(catalog.items), np.int64)
    known[: len(count)] = count[: len(known)]
    anchors = most_taken(known, about.told)
    knowledge = Knowledge(
        features=features,
        anchors=Anchors(anchors, about.take(anchors)),
        count=count,
        words=config.words or 0.0,
        gain=config.gain or 1.0,
        patience=config.patience,
    )
    empty = np.empty((0, 2), np.int64)
    bare: ColdItems
    if hasattr(base, "with_item_factors"):
        factors = cast("FactorModel", base)
        ridge: Floats | None = None
        if config.way == "ridge":
            ridge = ridge_map(about.dense, factors.item_factors, known, config.penalty or 1.0)
        dim = factors.item_factors.shape[1]
        none = Foretold(np.empty(0, np.int32), (np.zeros((0, dim), np.float32),))
        bare = ColdFactors(factors, knowledge, none, empty, config, ridge)
        stored, digest = _stored(bare, about, known, catalog)
        return ColdFactors(factors, knowledge, stored, digest, config, ridge)
    bare = ColdRows(base, knowledge, Foretold(np.empty(0, np.int32), ()), empty, config)
    stored, digest = _stored(bare, about, known, catalog)
    return ColdRows(base, knowledge, stored, digest, config)


def _stored(
    model: ColdItems, about: Described, known: Int64s, catalog: CatalogColumns
) -> tuple[Foretold, Int64s]:
    """Return what content foretells of the cold items that the catalog has already, and their digests."""
    cold = np.flatnonzero((known == 0) & about.told).astype(np.int32)
    digests = [digests_of(catalog.items[ordinal]) for ordinal in cold.tolist()]
    digest = np.array(digests, np.int64).reshape(-1, 2)
    return Foretold(cold, model.made(about.take(cold))), digest


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

"""Models in which items take part from their first second keep the promises of the interface."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest

from foretaste.events.vectors import packed_vector
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.models.cold_items import ColdItemsConfig
from foretaste.models.dense_content import LatentConfig, VectorsConfig
from foretaste.models.ease import EaseConfig
from foretaste.models.graph_filter import GraphFilterConfig
from foretaste.models.ials import IALSConfig
from foretaste.models.interface import Learner
from foretaste.models.nmf import NMFConfig
from foretaste.testing.clustered_shop import TASTES, Shop, clustered_shop
from foretaste.testing.contracts.model import ModelContract


class TestIALSWithColdItems(ModelContract):
    def learner(self) -> Learner:
        return ColdItemsConfig(base=IALSConfig())


class TestIALSWithARegressionToColdItems(ModelContract):
    def learner(self) -> Learner:
        base = IALSConfig(dim=16, regularization=0.01, unobserved=4.0)
        return ColdItemsConfig(base=base, way="ridge", words=0.0, gain=1.0, penalty=1.0)


class TestNMFWithColdItems(ModelContract):
    def learner(self) -> Learner:
        return ColdItemsConfig(base=NMFConfig(), way="likeness", words=0.5, gain=1.0, penalty=1.0)


class TestEaseWithColdItems(ModelContract):
    def learner(self) -> Learner:
        return ColdItemsConfig(base=EaseConfig())


class TestGraphFilterWithColdItems(ModelContract):
    def learner(self) -> Learner:
        return ColdItemsConfig(base=GraphFilterConfig(), gain=1.5)


class TestLatent(ModelContract):
    def learner(self) -> Learner:
        return LatentConfig()


class TestVectors(ModelContract):
    """Every item brings a vector: its taste, with a little noise."""

    @pytest.fixture(scope="class")
    @classmethod
    def shop(cls) -> Shop:
        plain, generator = clustered_shop(), np.random.default_rng(0)
        items = [
            msgspec.structs.replace(
                item,
                vector=packed_vector(
                    np.eye(TASTES, 16)[ordinal % TASTES] + 0.1 * generator.standard_normal(16)
                ),
            )
            for ordinal, item in enumerate(plain.catalog.items)
            if item is not None
        ]
        return replace(plain, catalog=CatalogColumns.of(items))

    def learner(self) -> Learner:
        return VectorsConfig()

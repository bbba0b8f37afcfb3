"""Models in which items take part from their first second keep the promises of the interface."""

from foretaste.models.cold_items import ColdItemsConfig
from foretaste.models.ease import EaseConfig
from foretaste.models.graph_filter import GraphFilterConfig
from foretaste.models.ials import IALSConfig
from foretaste.models.interface import Learner
from foretaste.models.nmf import NMFConfig
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

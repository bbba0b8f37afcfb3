"""Every model keeps the promises of the interface."""

from collections.abc import Iterator

import pytest

from foretaste.features.recency import Recency
from foretaste.models.content import ContentConfig
from foretaste.models.context_popularity import ContextPopularityConfig
from foretaste.models.ease import EaseConfig
from foretaste.models.graph_filter import GraphFilterConfig
from foretaste.models.ials import IALS, IALSConfig
from foretaste.models.interface import Learner
from foretaste.models.item_item import ItemItemConfig
from foretaste.models.nmf import NMFConfig
from foretaste.models.popularity import PopularityConfig
from foretaste.models.repetition import RepetitionConfig
from foretaste.models.rising import RisingConfig
from foretaste.models.session_knn import SessionKNNConfig
from foretaste.models.transitions import TransitionsConfig
from foretaste.testing.clustered_shop import Shop
from foretaste.testing.contracts.model import ModelContract


class TestPopularity(ModelContract):
    floor = 0.6
    personal = False

    def learner(self) -> Learner:
        return PopularityConfig()


class TestPopularityOfTheLastHour(ModelContract):
    floor = 0.55
    personal = False

    def learner(self) -> Learner:
        return PopularityConfig(half_life=3600.0)


class TestIALS(ModelContract):
    def learner(self) -> Learner:
        return IALSConfig()


class TestIALSInLists(ModelContract):
    """Vectors that are searched are scored all the same."""

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def lists(cls) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("foretaste.models.listing.LEAST_LISTED", 1)
            patch.setattr("foretaste.models.listing.MOST_LOOKED", 100.0)
            yield

    def learner(self) -> Learner:
        return IALSConfig()

    def test_there_are_lists(self, model: IALS, shop: Shop) -> None:
        assert model.query(shop.history(3), shop.moment) is not None


class TestIALSOfFewDimensions(ModelContract):
    """Histories longer than the vectors take the other way through the solver."""

    def learner(self) -> Learner:
        return IALSConfig(dim=8, regularization=0.01, unobserved=4.0, recency=Recency())


class TestNMF(ModelContract):
    def learner(self) -> Learner:
        return NMFConfig()


class TestEase(ModelContract):
    def learner(self) -> Learner:
        return EaseConfig()


class TestEaseShortened(ModelContract):
    def learner(self) -> Learner:
        return EaseConfig(neighbours=10, regularization=50.0)


class TestGraphFilter(ModelContract):
    def learner(self) -> Learner:
        return GraphFilterConfig()


class TestItemItem(ModelContract):
    def learner(self) -> Learner:
        return ItemItemConfig()


class TestTransitions(ModelContract):
    def learner(self) -> Learner:
        return TransitionsConfig()


class TestCoOccurrence(ModelContract):
    def learner(self) -> Learner:
        return TransitionsConfig(relation="together", damping=0.5, discount=0.25)


class TestSessionKNN(ModelContract):
    def learner(self) -> Learner:
        return SessionKNNConfig()


class TestSessionKNNOfFewNeighbours(ModelContract):
    def learner(self) -> Learner:
        return SessionKNNConfig(neighbours=20, before=1.0, half_life=10.0, discount=0.25)


class TestContent(ModelContract):
    floor = 0.75

    def learner(self) -> Learner:
        return ContentConfig()


class TestRepetition(ModelContract):
    floor = 0.4
    personal = False  # what a person had says nothing of anything else

    def learner(self) -> Learner:
        return RepetitionConfig()


class TestRising(ModelContract):
    floor = 0.4
    personal = False

    def learner(self) -> Learner:
        return RisingConfig()


class TestContextPopularity(ModelContract):
    """Silent where it knows no circumstances: tests/models/test_context_popularity.py has what it learns."""

    floor = 0.0
    personal = False

    def learner(self) -> Learner:
        return ContextPopularityConfig()

"""What the tests of training start from."""

import pytest
from tasteful_logs import corpus_of, tasteful

from foretaste.models.ease import EaseConfig
from foretaste.models.popularity import PopularityConfig
from foretaste.models.recency import Recency
from foretaste.models.transitions import TransitionsConfig
from foretaste.training.config import TrainConfig


@pytest.fixture
def quick():
    """Return a configuration of sources that are fitted in no time."""
    return TrainConfig(
        sources={
            "popularity": PopularityConfig(),
            "ease": EaseConfig(regularization=20.0, recency=Recency()),
            "transitions": TransitionsConfig(),
        },
        tuned=150,
        judged=100,
    )


@pytest.fixture(scope="session")
def timed_corpus():
    return tasteful()


@pytest.fixture(scope="session")
def untimed_corpus():
    return tasteful(timed=False)


@pytest.fixture(scope="session")
def make_corpus():
    return corpus_of

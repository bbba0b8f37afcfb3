"""Sources are switched off where answers are given, without training."""

import msgspec
import pytest

import foretaste as ft
from foretaste.app.settings import Settings
from foretaste.app.settings_loading import load_settings
from foretaste.app.wiring import open_home
from foretaste.domain.errors import InvalidInputError
from foretaste.domain.query import Query

TRAINED = Settings(sources=("popularity", "popularity_day", "transitions", "content"))
EVENTS = ft.datasets.synthetic(n_users=80, n_items=50, n_events=2000, seed=4).events


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    directory = tmp_path_factory.mktemp("home")
    with ft.Recommender.train(EVENTS, items=EVENTS.items, home=directory, settings=TRAINED):
        pass
    return directory


def opened(directory, *names: str):
    return open_home(directory, settings=msgspec.structs.replace(TRAINED, without_sources=names))


def proposers(slate) -> set[str]:
    return {source for item in slate.items for source in item.sources}


def test_a_source_that_is_switched_off_proposes_nothing_and_cannot_be_named(directory):
    user = EVENTS.frame["user_id"][-1]
    with opened(directory) as home:
        heard = proposers(home.answerer.recommend(Query(now=home_now(), seed=0, user_id=user)))
        assert "content" in home.answerer.model_names()
    off = min(heard - {"popularity"})
    with opened(directory, off) as home:
        slate = home.answerer.recommend(Query(now=home_now(), seed=0, user_id=user))
        assert len(slate.items) == 10
        assert off not in proposers(slate)
        assert off not in home.answerer.model_names()


def test_the_others_keep_what_they_weigh_to_each_other(directory):
    with opened(directory) as home:
        before = home.artifact.blend
    with opened(directory, before.sources[0]) as home:
        after = home.artifact.blend
    assert after.sources == before.sources[1:]
    rows = before.weights[:, 1:-1].sum(axis=1) > 0.0
    expected = before.weights[rows, 1:-1] / before.weights[rows, 1:-1].sum(axis=1, keepdims=True)
    found = after.weights[rows, :-1] / after.weights[rows, :-1].sum(axis=1, keepdims=True)
    assert found == pytest.approx(expected)


def test_a_stranger_gets_a_list_though_nothing_that_strangers_hear_is_left(directory):
    with opened(directory, "popularity", "popularity_day") as home:
        slate = home.answerer.recommend(Query(now=home_now(), seed=0, user_id="nobody"))
    assert len(slate.items) == 10
    assert proposers(slate) == set()


def test_a_source_that_was_not_trained_may_be_switched_off(directory):
    with opened(directory, "ncf") as home:
        assert set(home.artifact.models) == set(TRAINED.sources)


def test_a_name_that_is_no_source_is_refused_with_those_there_are(directory):
    with pytest.raises(InvalidInputError, match="'contnet', which is no source; there are popularity,"):
        opened(directory, "contnet")


def test_not_all_sources_can_be_switched_off(directory):
    with pytest.raises(InvalidInputError, match="no source is left of"):
        opened(directory, *TRAINED.sources)


def test_the_variable_lists_the_names():
    settings = load_settings(environment={"FORETASTE_WITHOUT_SOURCES": "content, ncf"}, dotenv=None)
    assert settings.without_sources == ("content", "ncf")


def test_the_python_face_takes_the_setting_too():
    quick = Settings(sources=("popularity", "transitions"), without_sources=("transitions",), effort="quick")
    with ft.Recommender.train(EVENTS, items=EVENTS.items, settings=quick) as rec:
        slate = rec.recommend(EVENTS.frame["user_id"][-1], k=5)
    assert proposers(slate) <= {"popularity"}


def home_now() -> int:
    return int(EVENTS.frame["timestamp"].max()) + 60_000_000

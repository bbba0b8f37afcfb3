"""People with attributes: kept, learnt from, and of use to a stranger."""

import numpy as np
import polars as pl
import pytest

import foretaste as ft
from foretaste.adapters.files.reading import read_events
from foretaste.app.home import Home
from foretaste.app.learning import corpus_of
from foretaste.app.settings import Settings
from foretaste.domain.errors import InvalidInputError

N_USERS, HALF = 400, 20


def shop(seed=0):
    """Return purchases of women (even numbers), who buy scarves, and men, who buy ties."""
    generator = np.random.default_rng(seed)
    rows = []
    for user in range(N_USERS):
        kind = "scarf" if user % 2 == 0 else "tie"
        rows += [(f"u{user}", f"{kind}-{item}", "purchase") for item in generator.permutation(HALF)[:6]]
    frame = pl.DataFrame(rows, schema=["user_id", "item_id", "type"], orient="row")
    times = 1_600_000_000 + np.arange(len(frame)) * 600
    return read_events(frame.with_columns(timestamp=times))


def attributes(number):
    return {"gender": "F" if number % 2 == 0 else "M"}


@pytest.fixture(scope="module")
def rec():
    settings = Settings(sources=("popularity", "context"))
    users = {f"u{number}": attributes(number) for number in range(N_USERS)}
    with ft.Recommender.train(shop(), users=users, settings=settings) as trained:
        yield trained


def test_a_stranger_gets_what_people_alike_take_to(rec):
    rec.add_users({"new woman": {"gender": "F"}, "new man": {"gender": "M"}})
    for user_id, kind in (("new woman", "scarf"), ("new man", "tie")):
        slate = rec.recommend(user_id, k=5)
        assert {item.item_id.partition("-")[0] for item in slate} == {kind}
        assert slate.source == "trending"


def test_the_context_of_a_question_tells_as_much_as_a_profile(rec):
    slate = rec.recommend(None, k=5, context={"gender": "M"})
    assert {item.item_id.partition("-")[0] for item in slate} == {"tie"}


@pytest.fixture(scope="module")
def usual():
    """What is learnt where nobody says what to learn."""
    users = {f"u{number}": attributes(number) for number in range(N_USERS)}
    with ft.Recommender.train(shop(), users=users, settings=Settings(effort="quick")) as trained:
        yield trained


def test_the_usual_sources_give_a_stranger_what_people_alike_take_to(usual):
    usual.add_users({"new woman": {"gender": "F"}, "new man": {"gender": "M"}})
    for user_id, kind in (("new woman", "scarf"), ("new man", "tie")):
        slate = usual.recommend(user_id, k=5)
        assert {item.item_id.partition("-")[0] for item in slate} == {kind}


@pytest.mark.parametrize("told", [{}, {"gender": "X"}, {"planet": "mars"}])
def test_a_stranger_of_whom_nothing_is_known_that_tells_gets_what_is_popular(usual, told):
    slate = usual.recommend(None, k=5, context=told)
    assert {item.reason for item in slate} == {"Popular right now"}
    assert min(item.score for item in slate) > 0.0


def test_attributes_reach_training(rec):
    people = corpus_of(rec.home).people
    assert {people.of(0), people.of(1)} == {("gender=f",), ("gender=m",)}


def test_attributes_outlive_the_process(tmp_path):
    with ft.Recommender.train(
        shop(), home=tmp_path / "home", settings=Settings(sources=("popularity",))
    ) as first:
        assert first.add_users({"anna": {"age": 24, "country": None}}) == 1
    with ft.Recommender.open(tmp_path / "home", read_only=True) as second:
        assert isinstance(second.home, Home)
        assert second.home.circumstances_of("anna") == ("age=20",)
        assert second.home.circumstances_of("ben") == second.home.circumstances_of(None) == ()


@pytest.mark.parametrize(
    "wrong", [{"a=b": 1}, {"": 1}, {"age": float("nan")}, {"tags": ["x"]}, {"n": 10**400}, {5: 1}]
)
def test_what_cannot_be_an_attribute_is_refused(rec, wrong):
    with pytest.raises(InvalidInputError):
        rec.add_users({"anna": wrong})


def test_an_id_of_a_person_is_one_as_in_events(rec):
    assert rec.add_users({7: {"age": 24}}) == 1
    assert rec.home.profiles.all()["7"] == {"age": 24.0}
    for wrong in ("", "a\0b", None):
        with pytest.raises(InvalidInputError, match="user_id"):
            rec.add_users({wrong: {"age": 24}})

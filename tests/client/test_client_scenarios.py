"""Scenarios by both clients: listed, changed while they serve, tried first."""

import pytest

from foretaste.client import InvalidRequestError, NotFoundError


@pytest.fixture
def calm(shop):
    """A scenario that was put, taken back in the end."""
    yield shop.put_scenario("calm", {"diversity_lambda": 1.0, "k": 3})
    shop.delete_scenario("calm")


def test_those_that_serve_are_listed(shop):
    found = shop.scenarios()
    assert {"home", "cart", "similar"} <= set(found.names)
    assert {one.name for one in found.scenarios if one.needs_items} >= {"cart", "similar"}
    assert found.wrong is None


def test_a_recipe_that_was_put_answers_next(shop, calm):
    assert (calm.name, calm.origin, calm.recipe["diversity_lambda"]) == ("calm", "api", 1.0)
    answer = shop.recommend("u1", scenario="calm")
    assert (answer.scenario, len(answer.items)) == ("calm", 3)
    assert shop.scenario("calm") == calm


def test_what_was_put_can_be_taken_back(shop):
    shop.put_scenario("home", {"k": 2})
    assert len(shop.recommend("u1").items) == 2
    taken = shop.delete_scenario("home")
    assert taken.serving is not None
    assert taken.serving.origin == "shipped"
    with pytest.raises(NotFoundError):
        shop.scenario("nothing-of-that-name")


def test_a_wrong_recipe_is_refused_by_its_key_and_changes_nothing(shop):
    before = shop.scenarios()
    with pytest.raises(InvalidRequestError, match="diversity_lambda"):
        shop.put_scenario("home", {"diversity_lambda": 7})
    assert shop.scenarios() == before


def test_the_shadow_of_a_scenario_is_reported(shop, calm):
    try:
        assert shop.put_scenario("home", {"shadow": calm.name}).shadow.shadow == "calm"
    finally:
        shop.delete_scenario("home")


def test_a_recipe_is_tried_on_the_latest_requests(shop):
    shop.recommend("u2", k=5)
    preview = shop.preview_scenario("home", {"newest": 5}, requests=50, examples=1)
    assert preview.compared_with == "home"
    assert 1 <= preview.changed <= preview.requests
    assert len(preview.examples) == 1
    assert preview.examples[0].after != preview.examples[0].before
    assert preview.milliseconds_after.median > 0


def test_a_file_is_looked_at_when_asked(shop):
    assert shop.reload_scenarios() == shop.scenarios()


def test_many_people_are_asked_about_at_once(shop):
    question = {"k": 3, "scenario": "email", "filter": ['"Kind 1" in category']}
    found = shop.recommend_many(["u1", "u2", ""], question)
    assert [one.user_id for one in found.answers] == ["u1", "u2", ""]
    assert [one.status for one in found.answers] == [200, 200, 400]
    assert found.failed == 1
    assert {item.categories[0] for one in found.answers[:2] for item in one.answer.items} == {"Kind 1"}

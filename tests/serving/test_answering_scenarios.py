"""Which scenario answers where the one that was asked for cannot."""

import msgspec
import pytest
from test_answerer import NOW, Breaks, ask, broken
from test_answerer import home as home  # noqa: PLC0414 - a fixture

from foretaste.adapters.memory.telemetry import MemoryTelemetry
from foretaste.domain.errors import UnknownScenarioError
from foretaste.models.popularity import PopularityConfig
from foretaste.pipeline.scenario import SHIPPED, Scenario
from foretaste.serving.answerer import Answerer
from foretaste.serving.ready import MILLISECONDS, Pace, made_ready
from foretaste.testing.contracts.telemetry import samples


@pytest.fixture
def telemetry():
    return MemoryTelemetry()


@pytest.fixture
def answerer(home, telemetry):
    return Answerer(home, telemetry)


def fallbacks(telemetry):
    return {
        key[1]: count
        for key, count in samples(telemetry).items()
        if key[0] == "recommendation_fallback_total"
    }


def recipe(name, **changes):
    base = SHIPPED.get(name) or Scenario(name=name)
    return msgspec.structs.replace(base, **changes)


def test_a_scenario_takes_as_many_items_as_its_recipe_says(answerer):
    answerer.serve({**SHIPPED, "home": recipe("home", k=2)})
    assert len(answerer.recommend(ask("new", k=0)).items) == 2
    assert len(answerer.recommend(ask("new", k=3)).items) == 3


def test_without_a_history_the_next_of_the_chain_answers_and_says_so(answerer, telemetry):
    for name in ("next-in-session", "because-you-watched"):
        slate = answerer.recommend(ask("stranger", scenario=name))
        assert (slate.scenario, slate.instead_of, slate.title) == ("home", name, "")
        assert slate.items
    assert fallbacks(telemetry) == {"reason=no_history": 2.0}


def test_a_cart_of_items_that_nobody_knows_is_answered_by_the_next(answerer):
    slate = answerer.recommend(ask("ann", scenario="cart", item_ids=("nope", "neither")))
    assert (slate.scenario, slate.instead_of) == ("home", "cart")
    some = answerer.recommend(ask("ann", scenario="cart", item_ids=("nope", "i3")))
    assert (some.scenario, some.instead_of) == ("cart", "")


def test_the_record_is_of_the_scenario_that_answered_and_names_the_one_that_was_asked(home, answerer):
    slate = answerer.recommend(ask("stranger", scenario="cart", item_ids=("nope",)))
    record = home.exposures.get(slate.recommendation_id)
    assert (record.scenario, record.query.scenario, record.instead_of) == ("home", "home", "cart")
    assert record.versions.scenario_version == SHIPPED["home"].version


def test_a_recipe_that_finds_nothing_is_followed_by_the_next_of_its_chain(answerer, telemetry):
    nothing = recipe("home", filter=("title == 'none such'",), fallback=("second",))
    answerer.serve({**SHIPPED, "home": nothing, "second": recipe("second", filter=("title == 'Item 5'",))})
    slate = answerer.recommend(ask())
    assert [item.item_id for item in slate.items] == ["i5"]
    assert (slate.scenario, slate.instead_of) == ("second", "home")
    assert fallbacks(telemetry) == {"reason=no_model": 1.0}


def test_where_no_recipe_of_the_chain_finds_anything_the_answer_is_empty(answerer):
    nothing = recipe("home", filter=("title == 'none such'",), fallback=())
    answerer.serve({**SHIPPED, "home": nothing})
    slate = answerer.recommend(ask())
    assert (slate.items, slate.scenario, slate.instead_of) == ((), "home", "")


def test_where_the_question_itself_leaves_nothing_no_other_is_asked(answerer, monkeypatch):
    asked = []
    usual = answerer._answering._answered
    monkeypatch.setattr(
        answerer._answering, "_answered", lambda *args, **more: asked.append(args) or usual(*args, **more)
    )
    assert not answerer.recommend(ask(filter=("title == 'none such'",))).items
    assert len(asked) == 1


def test_a_model_that_fails_is_not_asked_again_by_the_rest_of_the_chain(home, answerer, telemetry, caplog):
    home.serve_artifact(broken(Breaks(PopularityConfig())))
    slate = answerer.recommend(ask("ann", scenario="discover", model="popularity"))
    assert (slate.scenario, slate.instead_of) == ("trending", "discover")
    assert caplog.text.count("failed") == 1
    assert fallbacks(telemetry) == {"reason=model_error": 1.0}


def test_a_scenario_that_takes_too_long_rests_and_another_answers(answerer, telemetry):
    answerer.serve({**SHIPPED, "home": recipe("home", budget_ms=1e-6)})
    scenarios = [answerer.recommend(ask(now=NOW + n)).scenario for n in range(7)]
    assert scenarios == ["home"] * 5 + ["trending"] * 2
    assert fallbacks(telemetry)["reason=too_slow"] == 2.0


def test_a_budget_that_is_kept_changes_nothing(answerer):
    answerer.serve({**SHIPPED, "home": recipe("home", budget_ms=60_000.0)})
    assert {answerer.recommend(ask(now=NOW + n)).scenario for n in range(9)} == {"home"}


def test_what_rests_is_tried_again_after_a_while():
    pace = Pace(budget_ms=10.0)
    for _ in range(5):
        pace.end(pace.begin(0.0), 0.0, 0.011)
    assert pace.begin(0.5) is None
    probe = pace.begin(1.5)
    assert probe is not None
    assert pace.begin(1.5) is None
    pace.end(probe, 1.5, 1.5 + 9.0 / MILLISECONDS)
    assert pace.begin(1.6) is not None


def test_new_scenarios_serve_the_next_answer(answerer):
    with pytest.raises(UnknownScenarioError, match="landing"):
        answerer.recommend(ask(scenario="landing"))
    answerer.serve({**SHIPPED, "landing": recipe("landing")})
    assert answerer.recommend(ask(scenario="landing")).scenario == "landing"


def test_personalized_candidates_are_ranked_by_the_recipe_that_is_named(home, answerer):
    answerer.serve({**SHIPPED, "shelf": recipe("shelf", title="Your shelf")})
    items = [entry.item for entry in home.catalog.get(["i1", "i2"])]
    slate = answerer.personalize(ask(scenario="shelf"), items)
    assert (slate.scenario, slate.title) == ("shelf", "Your shelf")


def test_what_is_tried_is_neither_recorded_nor_counted(home, answerer, telemetry):
    before = samples(telemetry)
    ready = made_ready({**SHIPPED, "odd": recipe("odd", k=1)})["odd"]
    assert len(answerer.tried(ask(k=0, scenario="odd"), ready).items) == 1
    assert list(home.exposures.read()) == []
    assert samples(telemetry) == before

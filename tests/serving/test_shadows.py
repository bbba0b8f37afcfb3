"""Shadows answer behind what is shown: bounded, compared, never recorded."""

import threading

import msgspec
import pytest
from test_answerer import NOW, ask
from test_answerer import home as home  # noqa: PLC0414 - a fixture

from foretaste.adapters.memory.telemetry import MemoryTelemetry
from foretaste.domain.errors import UnavailableError
from foretaste.domain.slate import Slate
from foretaste.pipeline.scenario import SHIPPED, Scenario
from foretaste.serving.answerer import Answerer
from foretaste.serving.shadows import KEPT, Shadows
from foretaste.testing.contracts.telemetry import samples

SECONDS = 10.0


@pytest.fixture
def telemetry():
    return MemoryTelemetry()


@pytest.fixture
def answerer(home, telemetry):
    made = Answerer(home, telemetry)
    made.shadows = Shadows(made.tried_as, telemetry, rest=0.0)
    yield made
    made.shadows.close()


def shadowed(shadow, **changes):
    return {
        **SHIPPED,
        "home": msgspec.structs.replace(SHIPPED["home"], shadow=shadow),
        "other": Scenario(name="other", **changes),
    }


def outcomes(telemetry):
    return {
        part: count
        for key, count in samples(telemetry).items()
        if key[0] == "scenario_shadow_total"
        for part in key
        if part.startswith("outcome=")
    }


def test_a_shadow_that_answers_the_same_is_counted_so(home, answerer, telemetry):
    answerer.serve(shadowed("other"))
    for later in range(3):
        answerer.recommend(ask(now=NOW + later))
    assert answerer.shadows.settle(SECONDS)
    report = answerer.shadows.report("home", "other")
    assert (report.compared, report.changed, report.overlap, report.latest) == (3, 0, 1.0, ())
    assert outcomes(telemetry) == {"outcome=same": 3.0}
    assert len(list(home.exposures.read())) == 3
    assert samples(telemetry)["scenario_shadow_overlap_count", "scenario=home", "shadow=other"] == 3.0


def test_differences_are_told_with_both_lists_the_latest_first(answerer, telemetry):
    answerer.serve(shadowed("other", filter=("title != 'Item 5'",)))
    slates = [answerer.recommend(ask("bob", now=NOW + later)) for later in range(2)]
    assert answerer.shadows.settle(SECONDS)
    report = answerer.shadows.report("home", "other")
    assert (report.compared, report.changed) == (2, 2)
    assert [one.recommendation_id for one in report.latest] == [
        slate.recommendation_id for slate in reversed(slates)
    ]
    shown = {item.item_id for item in slates[0].items}
    assert set(report.latest[0].shown) == shown
    assert set(report.latest[0].shadow) == shown - {"i5"}
    assert report.overlap == pytest.approx(len(shown - {"i5"}) / len(shown))
    assert outcomes(telemetry) == {"outcome=changed": 2.0}


def test_a_dry_run_has_no_shadow(answerer):
    answerer.serve(shadowed("other"))
    answerer.recommend(ask(), dry_run=True)
    assert answerer.shadows.settle(SECONDS)
    assert answerer.shadows.report("home", "other").compared == 0


def test_other_recipes_are_counted_anew(answerer):
    answerer.serve(shadowed("other"))
    answerer.recommend(ask())
    assert answerer.shadows.settle(SECONDS)
    answerer.serve(shadowed("other", k=3))
    assert answerer.shadows.report("home", "other").compared == 0


def shown(name="r"):
    return Slate(
        recommendation_id=name,
        user_id="ann",
        source="",
        model_version="",
        items=(),
        versions=None,
        scenario="home",
        generated_at=0,
    )


def test_under_load_answers_are_passed_over_and_nobody_waits(telemetry):
    began, go_on = threading.Event(), threading.Event()

    def slow(_query, _name):
        began.set()
        assert go_on.wait(SECONDS)
        return shown()

    shadows = Shadows(slow, telemetry, rest=0.0, most_waiting=2)
    shadows.offer(ask(), "other", shown())
    assert began.wait(SECONDS)
    for _ in range(5):
        shadows.offer(ask(), "other", shown())
    assert shadows.report("home", "other").dropped == 3
    go_on.set()
    assert shadows.settle(SECONDS)
    assert shadows.report("home", "other").compared == 3
    assert outcomes(telemetry) == {"outcome=dropped": 3.0, "outcome=same": 3.0}
    shadows.close()
    shadows.close()
    shadows.offer(ask(), "other", shown())
    assert shadows.report("home", "other").compared == 3


def test_a_shadow_that_cannot_answer_is_counted_and_the_next_is_compared(telemetry, caplog):
    answers = [UnavailableError("away"), ZeroDivisionError("broken"), shown()]

    def tried(_query, _name):
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    shadows = Shadows(tried, telemetry, rest=0.0)
    for _ in range(3):
        shadows.offer(ask(), "other", shown())
    assert shadows.settle(SECONDS)
    report = shadows.report("home", "other")
    assert (report.failed, report.compared) == (2, 1)
    assert "away" in caplog.text
    shadows.close()


def test_only_the_latest_differences_are_kept(telemetry):
    shadows = Shadows(lambda _query, name: shown(name), telemetry, rest=0.0)
    tally = shadows._tally("home", "other")
    for number in range(KEPT + 5):
        tally.latest.append(number)
    assert len(tally.latest) == KEPT
    shadows.close()

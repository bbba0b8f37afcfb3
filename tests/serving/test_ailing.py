"""Sources that fail: the others go on without them, and they are tried again."""

import pytest

from foretaste.app.wiring import home_in_memory
from foretaste.domain.query import Query
from foretaste.pipeline.artifact import without_sources
from foretaste.serving.ailing import REST_SECONDS, Ailing
from foretaste.serving.untrained import untrained_artifact

NOW = 20_000 * 86_400_000_000


@pytest.fixture
def home():
    with home_in_memory() as opened:
        events = [("ann", "heat"), ("ann", "alien"), ("bob", "heat"), ("bob", "fargo"), ("cem", "clue")]
        raws = [{"user_id": user, "item_id": item, "type": "watch"} for user, item in events]
        opened.recorder.record(raws, now=NOW - 60_000_000)
        opened.serve_artifact(untrained_artifact())
        yield opened


def asked(home, model=None):
    return home.answerer.recommend(Query(now=NOW, seed=0, user_id="ann", k=3, model=model))


def break_(home, source, monkeypatch):
    def fails(*_, **__):
        raise ZeroDivisionError("broken")

    for name in ("score", "keys", "entries", "made"):
        monkeypatch.setattr(home.artifact.models[source], name, fails, raising=False)


def test_the_others_answer_as_if_it_had_not_been_trained(home, monkeypatch):
    without = without_sources(home.artifact, ["transitions"])
    break_(home, "transitions", monkeypatch)
    slate = asked(home)
    assert slate.items
    assert slate.versions.blend == without.blend_version
    assert "transitions" not in {source for item in slate.items for source in item.sources}
    assert b'recommendation_fallback_total{reason="source_error"} 1' in home.telemetry.exposition()


def test_each_other_model_answers_alone_and_the_failing_one_is_replaced_by_what_is_trending(
    home, monkeypatch
):
    break_(home, "transitions", monkeypatch)
    assert asked(home, "popularity").items
    assert asked(home, "transitions").source == "trending"
    assert b'recommendation_fallback_total{reason="model_error"} 1' in home.telemetry.exposition()


def test_it_is_left_out_at_once_the_next_time(home, monkeypatch):
    break_(home, "transitions", monkeypatch)
    for _ in range(3):
        asked(home)
    assert b"recommendation_errors_total 1" in home.telemetry.exposition()


def test_after_a_while_it_is_tried_again():
    moments = [0.0]
    ailing, artifact = Ailing(lambda: moments[0]), untrained_artifact()
    others = ailing.found(artifact, lambda source: 1 / (source != "transitions"))
    assert ailing.well(artifact) is others
    moments[0] = REST_SECONDS
    assert ailing.well(artifact) is artifact


def test_another_model_is_not_blamed():
    ailing, artifact = Ailing(), untrained_artifact()
    ailing.found(artifact, lambda source: 1 / (source != "transitions"))
    another = untrained_artifact()
    assert ailing.well(another) is another


@pytest.mark.parametrize("fails", [lambda _: None, lambda _: 1 / 0])
def test_where_none_fails_or_all_do_it_is_no_source_that_ails(fails):
    assert Ailing().found(untrained_artifact(), fails) is None

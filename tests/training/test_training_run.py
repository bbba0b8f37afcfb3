"""Training end to end, on logs whose answer is known."""

import msgspec
import numpy as np
import pytest

from foretaste.adapters.directory.model_registry import DirectoryModelRegistry
from foretaste.domain.errors import InvalidInputError, NoModelError
from foretaste.domain.query import Query
from foretaste.features.state import State
from foretaste.models.popularity import PopularityConfig
from foretaste.models.transitions import TransitionsConfig
from foretaste.pipeline.compose import answer
from foretaste.pipeline.scenario import HOME
from foretaste.pipeline.view import View
from foretaste.training.config import TrainConfig
from foretaste.training.load import load_artifact
from foretaste.training.report import TrainReport
from foretaste.training.run import learn, train


class Fails:
    def fit(self, *_):
        raise ArithmeticError("does not converge")


def score_of(report, name):
    return next(score for score in report.scores if score.name == name)


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    return DirectoryModelRegistry(tmp_path_factory.mktemp("models"))


def test_what_people_like_is_learnt_and_far_better_than_popularity_and_chance(timed_corpus, quick):
    report = learn(timed_corpus, config=quick, created_at=1).report
    assert report.kind == "time"
    assert "time order" in report.split
    blend = score_of(report, "blend").accuracy["ndcg"]
    assert blend.low > 2 * score_of(report, "popularity").accuracy["ndcg"].value
    assert blend.low > 2 * score_of(report, "random").accuracy["ndcg"].value
    assert (report.questions, report.questions_possible) == (100, 120)
    assert report.metrics["ndcg@10"] == pytest.approx(blend.value)


def test_data_without_times_is_judged_by_a_hold_out_per_user_and_the_report_says_so(untimed_corpus, quick):
    report = learn(untimed_corpus, config=quick, created_at=1).report
    assert report.kind == "hold-out"
    assert "no times" in report.split
    assert report.people == 80
    assert (
        score_of(report, "ease").accuracy["recall"].low
        > 2 * score_of(report, "random").accuracy["recall"].value
    )


def test_the_model_that_serves_knows_also_the_latest_events(timed_corpus, quick):
    trained = learn(timed_corpus, config=quick, created_at=1)
    manifest = trained.artifact.manifest
    assert manifest.window["last_seq"] == len(timed_corpus.events)
    assert manifest.window["events"] == len(timed_corpus.events)
    assert manifest.n_users == 80


def test_the_same_log_and_seed_give_the_same_version_and_another_log_another(timed_corpus, quick):
    first, again = (learn(timed_corpus, config=quick, created_at=moment) for moment in (1, 2))
    assert first.artifact.version == again.artifact.version
    assert first.report.scores == again.report.scores
    for name, model in first.artifact.models.items():
        for key, array in model.arrays().items():
            assert np.array_equal(array, again.artifact.models[name].arrays()[key])
    assert learn(timed_corpus, config=quick, seed=5, created_at=1).artifact.version != first.artifact.version


def test_a_source_that_fails_is_reported_and_left_out(timed_corpus, quick):
    sources = {**quick.sources, "broken": Fails()}
    trained = learn(timed_corpus, config=TrainConfig(sources=sources, tuned=50, judged=40), created_at=1)
    assert trained.report.failures == {"broken": "ArithmeticError: does not converge"}
    assert "broken" not in trained.artifact.models
    assert "ease" in trained.artifact.models


def test_if_all_sources_fail_nothing_is_published(timed_corpus, registry):
    with pytest.raises(NoModelError, match="does not converge"):
        train(timed_corpus, registry, config=TrainConfig(sources={"broken": Fails()}), created_at=1)
    assert registry.versions() == []


def test_a_log_without_a_sign_of_liking_is_refused_in_words(timed_corpus, quick):
    nothing = msgspec.structs.replace(
        quick.state, weights=msgspec.structs.replace(quick.state.weights, by_type={})
    )
    with pytest.raises(InvalidInputError, match="positive weight"):
        learn(timed_corpus, config=TrainConfig(sources=quick.sources, state=nothing), created_at=1)


def test_progress_is_told_by_stage_and_never_goes_back(timed_corpus, quick):
    told = []
    learn(timed_corpus, config=quick, created_at=1, progress=lambda stage, share: told.append((stage, share)))
    stages = list(dict.fromkeys(stage for stage, _ in told))
    assert stages == ["prepare", "fit", "tune", "evaluate", "gate", "rank", "refit"]
    for stage in stages:
        shares = [share for name, share in told if name == stage]
        assert shares == sorted(shares)
        assert (shares[0], shares[-1]) == (0.0, 1.0)


def test_what_was_published_answers_as_what_was_trained(timed_corpus, quick, tmp_path):
    registry = DirectoryModelRegistry(tmp_path / "models")
    report = train(timed_corpus, registry, config=quick, created_at=7)
    assert report.promoted
    assert registry.aliases() == {"champion": report.version}
    (manifest,) = registry.versions()
    assert (manifest.version, manifest.created_at) == (report.version, 7)
    assert manifest.metrics == report.metrics
    loaded, trained = (
        load_artifact(registry.path("champion")),
        learn(timed_corpus, config=quick, created_at=9).artifact,
    )
    assert loaded.version == trained.version
    state = State(quick.state, lambda: timed_corpus.type_names)
    state.apply(timed_corpus.events)
    slates = [
        answer(
            Query(now=2 * 10**15, seed=0, user_id="3"),
            View(
                state,
                timed_corpus.catalog,
                artifact,
                HOME,
                timed_corpus.item_names,
                timed_corpus.type_names,
                3,
            ),
        )
        for artifact in (loaded, trained)
    ]
    assert slates[0].items == slates[1].items
    assert all(item.categories == ("taste-3",) for item in slates[0].items)
    assert all(0.0 <= item.match <= 1.0 for item in slates[0].items)


def test_the_report_is_a_json_document(timed_corpus, quick):
    report = learn(timed_corpus, config=quick, created_at=1).report
    assert msgspec.json.decode(msgspec.json.encode(report), type=TrainReport) == report


def test_the_same_model_trained_again_passes_beside_its_champion(timed_corpus, quick, tmp_path):
    registry = DirectoryModelRegistry(tmp_path / "models")
    first = train(timed_corpus, registry, config=quick, created_at=1)
    second = train(timed_corpus, registry, config=quick, created_at=2)
    assert first.version == second.version
    assert second.promoted
    assert "champion" in second.gate.words
    assert len(registry.versions()) == 1


def test_a_worse_model_is_stored_but_does_not_serve(timed_corpus, quick, tmp_path):
    registry = DirectoryModelRegistry(tmp_path / "models")
    good = train(timed_corpus, registry, config=quick, created_at=1)
    poor = TrainConfig(sources={"popularity": PopularityConfig()}, tuned=150, judged=100)
    refused = train(timed_corpus, registry, config=poor, created_at=2)
    assert not refused.promoted
    assert not refused.gate.passed
    assert refused.gate.words.startswith("refused: worse than champion")
    assert registry.aliases() == {"champion": good.version, "challenger": refused.version}


def test_without_promotion_the_model_waits_as_challenger(timed_corpus, quick, tmp_path):
    registry = DirectoryModelRegistry(tmp_path / "models")
    report = train(timed_corpus, registry, config=quick, created_at=1, promote=False)
    assert report.gate.passed
    assert not report.promoted
    assert registry.aliases() == {"challenger": report.version}


def test_a_damaged_champion_does_not_stand_in_the_way(timed_corpus, quick, tmp_path):
    registry = DirectoryModelRegistry(tmp_path / "models")
    first = train(timed_corpus, registry, config=quick, created_at=1)
    (registry.path(first.version) / "blend.json").write_bytes(b"{}")
    sources = {**quick.sources, "together": TransitionsConfig(relation="together")}
    second = train(
        timed_corpus, registry, config=TrainConfig(sources=sources, tuned=50, judged=40), created_at=2
    )
    assert second.promoted
    assert second.version != first.version


def test_only_the_last_days_are_learnt_from_if_so_configured(timed_corpus, quick):
    half_a_day = TrainConfig(sources=quick.sources, days=0.25, tuned=50, judged=40)
    window = learn(timed_corpus, config=half_a_day, created_at=1).artifact.manifest.window
    assert window["last_time"] - window["first_time"] <= 0.25 * 86_400 * 1_000_000
    assert window["events"] == 361


@pytest.mark.parametrize("n_users", [1, 2, 3])
def test_tiny_logs_are_trained_without_error(quick, make_corpus, n_users):
    corpus = make_corpus(range(n_users), range(n_users), np.arange(n_users) * 60_000_000)
    trained = learn(corpus, config=quick, created_at=1)
    assert trained.report.gate.passed
    assert "too few" in trained.report.gate.words

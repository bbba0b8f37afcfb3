"""Tuning as a part of training: what the manifest keeps of it, and what later trainings take over."""

from dataclasses import replace
from hashlib import sha256

import msgspec
import pytest
from tasteful_logs import tasteful

from foretaste.domain.artifact import ArtifactManifest, Trial, manifest_digest
from foretaste.features.recency import Recency
from foretaste.models.ease import EaseConfig
from foretaste.models.popularity import PopularityConfig
from foretaste.models.transitions import TransitionsConfig
from foretaste.training import remembering
from foretaste.training.config import TrainConfig
from foretaste.training.load import load_artifact
from foretaste.training.publish import stage
from foretaste.training.run import learn
from foretaste.training.tuning import FEWEST_FITS, Tuning, affordable, usual_tuning

MANIFEST = ArtifactManifest(
    name="n", version="v", created_at=1, seed=0, window={}, n_users=1, n_items=1, models={}
)
TRIAL = Trial(
    number=1, source="s", values={}, outcome="beaten", questions=9, share=1.0, value=0.1, gain=0.0, error=0.1
)


@pytest.fixture(scope="module")
def corpus():
    return tasteful(n_users=160)


@pytest.fixture
def poor():
    """Sources of which one forgets the taste at once, and judges by popularity alone."""
    return TrainConfig(
        sources={
            "popularity": PopularityConfig(),
            "ease": EaseConfig(regularization=20.0, recency=Recency()),
            "transitions": TransitionsConfig(events=1),
        },
        tuned=150,
        judged=60,
        tuning=Tuning(trials=18),
    )


def test_the_trials_are_in_the_report_and_stay_with_the_artifact(corpus, poor, tmp_path):
    trained = learn(corpus, config=poor, created_at=1)
    assert len(trained.report.tuning.trials) == 18
    stage(trained.artifact, tmp_path / "artifact", {})
    manifest = load_artifact(tmp_path / "artifact").manifest
    assert manifest.trials == trained.report.tuning.trials
    assert manifest.tuned == trained.report.tuning.chosen


def test_a_model_that_was_tuned_is_another_version(corpus, poor):
    versions = {
        learn(corpus, config=one, created_at=1).artifact.version for one in (poor, replace(poor, tuning=None))
    }
    assert len(versions) == 2


def test_sources_of_ones_own_are_not_tuned_unless_asked(poor):
    assert replace(poor, tuning=None).budget.is_empty
    assert not poor.budget.is_empty


def test_training_by_itself_counts_trials_not_minutes():
    assert usual_tuning("quick").is_empty
    assert usual_tuning("usual").minutes is None
    assert not usual_tuning("usual").refit
    assert usual_tuning("best").trials > usual_tuning("usual").trials


def test_the_larger_the_log_the_fewer_fits_are_tried_by_itself():
    best = usual_tuning("best")
    assert affordable(best, 100_000) == best
    fits = [affordable(best, events).fits for events in (200_000, 500_000, 600_000)]
    assert best.trials > fits[0] > fits[1] >= FEWEST_FITS
    assert fits[2] == 0
    assert affordable(best, 5_000_000).trials == best.trials


def test_what_needs_a_fit_is_not_searched_at_all_where_only_a_round_or_two_could_be_afforded():
    best = usual_tuning("best")
    assert [affordable(best, events).refit for events in (500_000, 600_000)] == [True, False]


def test_a_budget_that_is_asked_for_holds_for_any_log():
    asked = Tuning(trials=50)
    assert TrainConfig(tuning=asked).budget_for(5_000_000) == asked
    assert TrainConfig(effort="best").budget_for(5_000_000).fits == 0


def test_no_more_fits_are_tried_than_the_budget_has(corpus, poor):
    budget = Tuning(trials=30, fits=4)
    trained = learn(corpus, config=replace(poor, tuning=budget), created_at=1)
    fitted = [trial for trial in trained.report.tuning.trials if "regularization" in trial.values]
    assert len(trained.report.tuning.trials) > 4
    assert 0 < len(fitted) <= 4


def test_a_manifest_from_before_tuning_keeps_its_hash():
    told = msgspec.to_builtins(MANIFEST)
    for name in ("hash", "created_at", "tuned", "trials", "once"):
        del told[name]
    before = msgspec.json.encode(told, order="sorted")
    read = msgspec.json.decode(msgspec.json.encode({**told, "created_at": 2}), type=ArtifactManifest)
    assert manifest_digest(read) == sha256(before).hexdigest()


def test_the_hash_of_a_manifest_covers_the_trials():
    assert manifest_digest(msgspec.structs.replace(MANIFEST, trials=(TRIAL,))) != manifest_digest(MANIFEST)


class TestRemembering:
    """A champion whose transitions were tuned, and the trainings after it."""

    @pytest.fixture
    def champion(self, corpus, poor):
        made = learn(corpus, config=replace(poor, tuning=None), created_at=1).artifact
        manifest = msgspec.structs.replace(made.manifest, tuned={"transitions": {"events": 9}})
        return replace(made, manifest=manifest)

    @pytest.fixture(autouse=True)
    def usual(self, poor, monkeypatch):
        monkeypatch.setattr("foretaste.training.prepare.usual_sources", lambda **_: poor.sources)

    def test_what_tuning_chose_is_taken_over(self, corpus, champion):
        config = TrainConfig(tuned=60, judged=60, effort="quick")
        found = learn(corpus, config=config, champion=champion, created_at=2).artifact
        assert found.models["transitions"].config.events == 9
        assert found.manifest.tuned == {"transitions": {"events": 9}}

    def test_who_wants_a_fresh_start_gets_one(self, corpus, champion):
        config = TrainConfig(tuned=60, judged=60, effort="quick", remember=False)
        found = learn(corpus, config=config, champion=champion, created_at=2).artifact
        assert found.models["transitions"].config.events == 1
        assert found.manifest.tuned == {}

    def test_values_for_another_kind_of_learner_are_not_forced_on_it(self, champion):
        other = {"transitions": PopularityConfig()}
        assert remembering.taken_over(other, champion, champion.manifest.tuned) == {}

    def test_what_training_finds_by_itself_is_found_again_rather_than_remembered(self, corpus, champion):
        config = TrainConfig(tuned=60, judged=60, effort="usual")
        first = learn(corpus, config=config, champion=champion, created_at=2).artifact
        second = learn(corpus, config=config, champion=first, created_at=3).artifact
        assert first.version == second.version

"""The search for better hyper-parameters, on a source whose best setting is known."""

from typing import Any, ClassVar

import msgspec
import numpy as np
import pytest
from tasteful_logs import PER_TASTE, tasteful

from foretaste.models.popularity import PopularityConfig
from foretaste.pipeline.scenario import HOME
from foretaste.training import search_space
from foretaste.training.config import TrainConfig
from foretaste.training.fit import fit_sources
from foretaste.training.prepare import prepare
from foretaste.training.search_space import SPACES, Parameter
from foretaste.training.tune import tune
from foretaste.training.tuning import Tuning

RIGHT = 0.7


class Dial(msgspec.Struct, frozen=True, kw_only=True):
    """A source that knows everyone's taste, the better the nearer `dial` is to 0.7."""

    dial: float = 0.0
    other: float = 0.5

    def fit(self, *_):
        if self.other > 0.95:
            raise ArithmeticError("does not converge")
        return Dialled(self)


class Dialled:
    name: ClassVar[str] = "dialled"

    def __init__(self, config):
        self.config = config

    def basis(self, _moment):
        return None

    def score(self, history, moment, items=None):
        items = np.arange(moment.n_items) if items is None else items
        asked = (moment.now + int(history.item.sum())) % 2**32
        noise = np.random.default_rng(asked).random(moment.n_items)[items]
        taste = history.item[-1] // PER_TASTE if len(history) else -1
        liking = 1.0 * (items // PER_TASTE == taste)
        return (1.0 + liking + 20.0 * abs(self.config.dial - RIGHT) * noise).astype(np.float32)

    def arrays(self):
        return {}

    @classmethod
    def from_arrays(cls, config: Any, *_: Any):
        return cls(msgspec.convert(dict(config), Dial))


@pytest.fixture(scope="module")
def setting():
    prepared = prepare(tasteful(n_users=160), TrainConfig(), seed=3)
    return prepared, {"dial": Dialled(Dial()), "popularity": PopularityConfig().fit(None, 0, None)}


@pytest.fixture
def scoring_only(monkeypatch):
    space = (Parameter(path="dial", refit=False), Parameter(path="other", refit=False))
    monkeypatch.setattr(search_space, "SPACES", {**SPACES, Dial: space})


@pytest.fixture
def fitted_only(monkeypatch):
    monkeypatch.setattr(
        search_space, "SPACES", {**SPACES, Dial: (Parameter(path="dial"), Parameter(path="other"))}
    )


@pytest.mark.usefixtures("scoring_only")
def test_the_search_comes_near_the_best_setting(setting):
    found = tune(*setting, Tuning(trials=120))
    assert found.chosen["dial"]["dial"] == pytest.approx(RIGHT, abs=0.2)
    assert found.after > found.before
    assert found.models["dial"].config.dial == found.chosen["dial"]["dial"]


@pytest.mark.usefixtures("scoring_only")
def test_a_source_without_a_space_stays_what_it_is(setting):
    assert tune(*setting, Tuning(trials=20)).models["popularity"] is setting[1]["popularity"]


@pytest.mark.usefixtures("scoring_only")
def test_the_same_trials_are_made_and_the_same_is_found_again(setting):
    first, second = (tune(*setting, Tuning(trials=40)) for _ in range(2))
    assert first.trials == second.trials
    assert first.chosen == second.chosen


@pytest.mark.usefixtures("scoring_only")
def test_the_number_of_trials_is_kept(setting):
    found = tune(*setting, Tuning(trials=13))
    assert [trial.number for trial in found.trials] == list(range(1, 14))
    assert found.ended == "the budget is spent"


@pytest.mark.usefixtures("scoring_only")
def test_time_that_is_up_ends_the_search(setting):
    assert tune(*setting, Tuning(minutes=1e-9)).trials == ()


def test_nothing_is_adopted_where_nothing_matters(setting, monkeypatch):
    monkeypatch.setattr(search_space, "SPACES", {Dial: (Parameter(path="other", refit=False),)})
    found = tune(*setting, Tuning(trials=200))
    assert found.chosen == {}
    assert {trial.outcome for trial in found.trials} <= {"stopped", "beaten"}
    assert found.ended == "nothing better was found any more"


@pytest.mark.usefixtures("scoring_only")
def test_most_trials_are_stopped_before_they_see_half_of_the_questions(setting):
    found = tune(*setting, Tuning(trials=36))
    stopped = [trial for trial in found.trials if trial.outcome == "stopped"]
    assert len(stopped) >= 24
    assert all(trial.questions < 0.55 * found.questions for trial in stopped)


@pytest.mark.usefixtures("scoring_only")
def test_an_interruption_keeps_what_was_found(setting):
    def interrupt(trial, _best):
        if trial.outcome == "adopted":
            raise KeyboardInterrupt

    found = tune(*setting, Tuning(trials=200), told=interrupt)
    assert found.ended == "interrupted"
    assert "dial" in found.chosen
    assert found.after > found.before


@pytest.mark.usefixtures("scoring_only")
def test_values_of_an_earlier_search_are_tried_first(setting):
    found = tune(*setting, Tuning(trials=9), remembered={"dial": {"dial": RIGHT}})
    assert found.chosen["dial"]["dial"] == RIGHT


@pytest.mark.usefixtures("fitted_only")
def test_a_trial_that_cannot_be_fitted_fails_alone(setting):
    found = tune(*setting, Tuning(trials=30), remembered={"dial": {"other": 0.99}})
    assert "failed" in {trial.outcome for trial in found.trials}
    assert "dial" in found.chosen


@pytest.mark.usefixtures("fitted_only")
def test_trials_that_need_a_fit_are_left_out_where_there_is_no_time_for_them(setting):
    assert tune(*setting, Tuning(trials=30, refit=False)) is None


@pytest.mark.usefixtures("scoring_only")
def test_with_few_questions_nothing_is_searched():
    prepared = prepare(tasteful(n_users=12), TrainConfig(), seed=3)
    assert tune(prepared, {"dial": Dialled(Dial())}, Tuning(trials=10)) is None


@pytest.mark.usefixtures("fitted_only")
def test_without_times_what_is_held_back_asks_the_questions():
    scenario = msgspec.structs.replace(HOME, boost_seconds=0.0)
    prepared = prepare(tasteful(n_users=160, timed=False), TrainConfig(scenario=scenario), seed=3)
    sources = {"dial": Dial(), "popularity": PopularityConfig()}
    models = fit_sources(
        sources, prepared.interactions(prepared.tune), prepared.corpus.catalog, seed=0
    ).models
    found = tune(prepared, models, Tuning(trials=45))
    assert found.after > found.before

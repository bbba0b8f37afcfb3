"""What training is told."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from foretaste.evaluation.splits import SplitKind
from foretaste.features.state import StateConfig
from foretaste.models.interface import Learner
from foretaste.pipeline.scenario import HOME, Scenario
from foretaste.training.sources import Effort
from foretaste.training.tuning import NO_TUNING, Told, Tuning, affordable, untold, usual_tuning

Progress = Callable[[str, float], object]
"""Told the stage (`encode` where there is a text model, `prepare`, `fit`, `evaluate`, `gate`, `publish`) and
how much of it is done, 0 to 1."""


def silent(_stage: str, _share: float) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """How training goes about it.

    `sources` maps the name of a source to its learner (None: the usual ones for the data and the
    `effort`). `state` must be what the service remembers. `days`
    limits learning and judging to the last so many days of the log (None: all of it). Of this window, the
    share `validation` before the last `test` tunes the blend, and the last `test` judges. `tuned` and
    `judged` bound the number of questions replayed for each (None: all), drawn by the seed.
    """

    sources: Mapping[str, Learner] | None = None
    effort: Effort = "usual"
    max_features: int | None = None
    """How many words the sources that read texts know; None: as their learners say."""

    factors: int | None = None
    """How long the vectors of factor models are; None: as their learners say."""

    regularization: float | None = None
    """Their regularization; None: as their learners say."""

    embedding_dim: int | None = None
    """To how many dimensions descriptions of items are reduced; None: as their learners say."""

    tuning: Tuning | None = None
    """The budget of the search for hyper-parameters; None: by `effort`, none for `sources` of one's own."""

    told: Told = untold
    """Told of every trial."""

    remember: bool = True
    """Whether values that tuning chose for the model that serves are taken over."""

    threads: int = 1
    """On how many threads sources are fitted; what is learnt has the same bits on any number."""

    state: StateConfig = field(default_factory=StateConfig)
    scenario: Scenario = HOME
    name: str = "foretaste"
    days: float | None = None
    split: SplitKind | None = None
    """How events are divided into those that fit, tune and judge; None: as suits their times."""

    validation: float = 0.1
    test: float = 0.1
    tuned: int | None = 3000
    judged: int | None = 2000
    k: int = 10
    tolerance: float = 0.01
    """The gate lets pass what is worse by less than this, relatively, whatever the interval says."""

    fewest: int = 30
    """With fewer questions than this the gate judges nothing."""

    @property
    def budget(self) -> Tuning:
        """How much is searched for hyper-parameters in a small log."""
        if self.tuning is not None:
            return self.tuning
        return usual_tuning(self.effort) if self.sources is None else NO_TUNING

    def budget_for(self, events: int) -> Tuning:
        """Return how much is searched in a log of so many `events` to fit on: what is asked for, as it is."""
        return self.budget if self.tuning is not None else affordable(self.budget, events)

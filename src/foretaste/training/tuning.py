"""How much tuning there is: trials, minutes, questions."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from foretaste.domain.artifact import Trial
from foretaste.training.sources import Effort

Told = Callable[[Trial, float], object]
"""Told of every trial, and of the blend's NDCG@10 on all questions as it is by then."""


def untold(_trial: Trial, _best: float) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class Tuning:
    """The budget of a search: it ends with the first of `trials` and `minutes` that is used up.

    With `trials` alone the same log and seed try the same things. `questions` are asked at most. With
    `refit` off only such parameters are tried as need no new fit; `fits` bounds the trials that need one.
    """

    trials: int | None = None
    minutes: float | None = None
    questions: int = 4000
    refit: bool = True
    fits: int | None = None

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to spend."""
        return self.trials == 0 or self.minutes == 0.0


NO_TUNING = Tuning(trials=0)


def usual_tuning(effort: Effort) -> Tuning:
    """Return the budget that training has by itself: counted in trials, so that it is the same anywhere."""
    budgets = {
        "quick": NO_TUNING,
        "usual": Tuning(trials=54, questions=1500, refit=False),
        "best": Tuning(trials=120, questions=3000),
    }
    return budgets[effort]


SMALL = 100_000
"""In a log of so many events all trials of the usual budgets may need a fit."""
FEWEST_FITS = 9
"""Three rounds: of fewer trials that need a fit none is surely better, so there are none."""
GROWTH = 1.5
"""A fit costs about this power of the number of events: catalogs and histories grow with it."""


def affordable(tuning: Tuning, events: int) -> Tuning:
    """Return `tuning` with so many trials that need a fit as cost of `events` what all cost of few.

    Told by the size of the log, not by a clock: the same log tries the same everywhere.
    """
    if tuning.trials is None or events <= SMALL:
        return tuning
    fits = round(tuning.trials * (SMALL / events) ** GROWTH)
    enough = fits >= FEWEST_FITS
    return replace(tuning, fits=fits if enough else 0, refit=tuning.refit and enough)

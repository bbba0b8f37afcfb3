"""The two numbers on which iALS stands or falls, chosen on a validation part of the training window.

Good values lie in a narrow valley that moves with the catalog: along it their product stays the same, below
it too much is learnt, above it nothing at all. It lies higher the more vectors there are to fit for each
interaction, so a short walk on a grid from where it should lie finds it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from foretaste.domain.arrays import Floats
from foretaste.domain.history import History
from foretaste.domain.interactions import Interactions
from foretaste.features.recency import Recency
from foretaste.models.grid_walk import walk
from foretaste.models.history_matrix import history_matrix
from foretaste.models.ials_factorization import Factors, Settings, factorize
from foretaste.models.training_matrix import in_windows, live_scale, strengths, with_users_up_to
from foretaste.models.tuning import MIN_QUERIES, Validation, ndcg, validation

USUAL_REGULARIZATION = 0.004
PER_VECTOR = 0.04
"""Without times the usual one is this for every vector that an interaction has to tell of."""
LEAST_BEGUN = 0.0035
"""However dense a log, the valley is looked for from here on: it lay at .0044 to .011 on seven of 20 to 160
interactions by person, up to eight times as high as by the rule for sparse ones."""
USUAL_UNOBSERVED = 24.0
USUAL_IALS_RECENCY = Recency(power=0.7)
"""A vector is solved for from many events: it keeps old ones longer than sums of rows do."""
NEAR = ((1, -1), (-1, 1), (0, 1), (0, -1), (1, 0), (-1, 0))
FAR = ((2, 0), (-2, 0), (2, -2), (-2, 2), (0, 2), (0, -2))
STEPS = (*NEAR, *FAR)
"""Neighbours on the grid, in powers of two of (regularization, unobserved): along the valley first.

Far from the valley all near places are alike but for noise; what is farther, across it first, shows the way.
"""
MAX_INTERACTIONS = 1_000_000
MOST_FITS, LEAST_FITS = 10, 4
AFFORDED = 2_500_000
"""Fits without times may go through so many interactions together: this bounds what a large log costs."""


@dataclass(frozen=True, slots=True)
class _Way:
    """How a trial is fitted: with at most so many dimensions, and epochs; None: as many as the model."""

    dim: int
    epochs: int | None


ORDERED = _Way(dim=128, epochs=3)
UNORDERED = _Way(dim=256, epochs=None)
"""Without times histories are whole, and long: what suits 128 dimensions and three epochs does not suit more.
Above 256 dimensions it changes no more."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen; see `IALSConfig`."""

    regularization: float
    unobserved: float
    recency: Recency


@dataclass(frozen=True, slots=True)
class _Trials:
    """A validation part, and what is fitted on it."""

    questions: Validation
    matrix: sparse.csr_matrix
    scale: float
    dim: int
    epochs: int
    seed: int

    def fitted(self, regularization: float, unobserved: float) -> Factors:
        settings = Settings(self.dim, self.epochs, regularization, unobserved)
        return factorize(self.matrix, settings, self.seed)

    def value(self, factors: Factors, recency: Recency) -> float:
        n_items = self.questions.train.n_items

        def scores(histories: Sequence[History]) -> Floats:
            matrix = history_matrix(histories, recency, n_items, self.scale)
            every: Floats = factors.fold_in(matrix) @ factors.items.T
            return every

        return ndcg(self.questions, scores)


def choose(
    interactions: Interactions,
    seed: int,
    *,
    dim: int,
    epochs: int,
    strength_power: float,
    window: int | None = None,
    regularization: float | None = None,
    unobserved: float | None = None,
    recency: Recency | None = None,
) -> Choice:
    """Return the given values, with those that are None chosen by NDCG on held-out interactions.

    `recency` is not chosen: what is best for the model alone forgets too fast for a blend, in which
    transitions already speak for the last events.
    """
    recency = recency or (USUAL_IALS_RECENCY if interactions.timed else Recency())
    if regularization is not None and unobserved is not None:
        return Choice(regularization, unobserved, recency)
    questions = validation(interactions, seed)
    sample = in_windows(with_users_up_to(questions.train, MAX_INTERACTIONS, seed), window)
    matrix = strengths(sample, strength_power)
    way = ORDERED if interactions.timed else UNORDERED
    trials = _Trials(
        questions,
        matrix,
        live_scale(sample),
        dim=min(dim, way.dim),
        epochs=min(epochs, way.epochs or epochs),
        seed=seed,
    )
    found = _walk(trials, regularization, unobserved, recency)
    denser = usual_regularization(interactions) / usual_regularization(questions.train)
    return Choice(regularization or found[0] * denser, found[1], recency)


def usual_regularization(interactions: Interactions) -> float:
    """Return the regularization near which the valley lies, `USUAL_UNOBSERVED` being the other number.

    On eight logs without times, of 2 to 30 interactions by person, the best one was .5 to 8 times
    `USUAL_REGULARIZATION`, and a third to three times what this returns.
    """
    if interactions.timed or not len(interactions):
        return USUAL_REGULARIZATION
    vectors = len(np.unique(interactions.user)) + len(np.unique(interactions.item))
    return PER_VECTOR * vectors / len(interactions)


def _walk(
    trials: _Trials, regularization: float | None, unobserved: float | None, recency: Recency
) -> tuple[float, float]:
    """Return the best (regularization, unobserved), what is given staying as it is."""
    start = regularization or max(LEAST_BEGUN, usual_regularization(trials.questions.train))
    usual = (start, unobserved or USUAL_UNOBSERVED)
    fixed = (regularization is not None, unobserved is not None)
    steps = [step for step in STEPS if not any(f and s for f, s in zip(fixed, step, strict=True))]

    def at(place: tuple[int, ...]) -> tuple[float, float]:
        return usual[0] * 2.0 ** place[0], usual[1] * 2.0 ** place[1]

    if len(trials.questions) < MIN_QUERIES or not steps:
        return usual

    def value(place: tuple[int, ...]) -> float:
        return trials.value(trials.fitted(*at(place)), recency)

    return at(walk(value, steps, fits(trials.questions.train)))


def fits(interactions: Interactions) -> int:
    """Return how many fits of `interactions` a search takes at most."""
    if interactions.timed:
        return MOST_FITS
    return min(MOST_FITS, max(LEAST_FITS, AFFORDED // max(len(interactions), 1)))

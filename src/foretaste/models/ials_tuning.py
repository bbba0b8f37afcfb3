"""The two numbers on which iALS stands or falls, chosen on a validation part of the training window.

Good values lie in a narrow valley that moves with the catalog. Counted in the units of `factorize` it
moves little, so a short walk on a grid from its usual place finds it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from scipy import sparse

from foretaste.domain.arrays import Floats
from foretaste.domain.history import History
from foretaste.domain.interactions import Interactions
from foretaste.features.recency import Recency
from foretaste.models.grid_walk import WORTHWHILE, walk
from foretaste.models.history_matrix import history_matrix
from foretaste.models.ials_factorization import Factors, Settings, factorize
from foretaste.models.training_matrix import in_windows, live_scale, strengths, with_users_up_to
from foretaste.models.tuning import MIN_QUERIES, Validation, ndcg, validation

USUAL_REGULARIZATION = 0.004
USUAL_UNOBSERVED = 24.0
USUAL_IALS_RECENCY = Recency(power=0.7)
"""A vector is solved for from many events: it keeps old ones longer than sums of rows do."""
STEPS = ((1, -1), (-1, 1), (0, 1), (0, -1), (1, 0), (-1, 0))
"""Neighbours on the grid, in powers of two of (regularization, unobserved): along the valley first."""
MAX_DIM = 128
EPOCHS = 3
MAX_INTERACTIONS = 1_000_000


@dataclass(frozen=True, slots=True)
class _Way:
    """Where the walk begins, by which factor a step must raise the value, and how many fits it takes."""

    regularization: float
    unobserved: float
    worthwhile: float
    fits: int


ORDERED = _Way(USUAL_REGULARIZATION, USUAL_UNOBSERVED, WORTHWHILE, fits=10)
UNORDERED = _Way(regularization=0.008, unobserved=12.0, worthwhile=1.02, fits=5)
"""Without times histories are whole, and long. The valley is flat there: small gains are a fit's noise."""


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
    seed: int

    def fitted(self, regularization: float, unobserved: float) -> Factors:
        return factorize(self.matrix, Settings(self.dim, EPOCHS, regularization, unobserved), self.seed)

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
    trials = _Trials(questions, matrix, live_scale(sample), min(dim, MAX_DIM), seed)
    best = _walk(trials, regularization, unobserved, recency)
    return Choice(*best, recency)


def _walk(
    trials: _Trials, regularization: float | None, unobserved: float | None, recency: Recency
) -> tuple[float, float]:
    """Return the best (regularization, unobserved), what is given staying as it is."""
    way = ORDERED if trials.questions.train.timed else UNORDERED
    usual = (regularization or way.regularization, unobserved or way.unobserved)
    fixed = (regularization is not None, unobserved is not None)
    steps = [step for step in STEPS if not any(f and s for f, s in zip(fixed, step, strict=True))]

    def at(place: tuple[int, ...]) -> tuple[float, float]:
        return usual[0] * 2.0 ** place[0], usual[1] * 2.0 ** place[1]

    if len(trials.questions) < MIN_QUERIES or not steps:
        return usual

    def value(place: tuple[int, ...]) -> float:
        return trials.value(trials.fitted(*at(place)), recency)

    return at(walk(value, steps, way.fits, worthwhile=way.worthwhile))

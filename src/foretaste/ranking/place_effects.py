"""What a place adds to the odds of a click, beside all that is known of who asked and of what stood there."""

import numpy as np
import scipy

from foretaste.domain.arrays import Doubles, Int64s, Mask
from foretaste.ranking.shown import ShownSlates

RIDGE = 1.0
"""Weights of columns of unit variance are held to zero so much."""
SMOOTH = 1.0
"""A place is held so much to the one before it, in log odds."""
BENDS = (0.2, 0.4, 0.6, 0.8, 0.9, 0.97)
"""At these quantiles of the scores that lists were shown by, what one more is worth may change."""
FARTHEST = (0.01, 0.99)
"""Scores beyond these quantiles count as these."""
ENOUGH = 4_000
"""Of more slates so many tell, evenly taken: places are few."""
STEPS = 200
SAME = 1e-9
"""A column that deviates no more within slates tells nothing."""


def place_effects(slates: ShownSlates, features: Doubles, heard: Mask | None = None) -> Doubles:
    """Return what each place adds to the log odds of a click, float64 [longest slate], mean 0.

    A conditional logit (McFadden 1974) of which items of a slate were clicked, by the score that it was shown
    by, by `features` float64 [rows, n] (NaN counts as the mean of the slate), by where the item stood in its
    other slates, and by the place. Lists that are sorted for a person have what is good at the top: as far as
    these say what was thought to be good, and for whom, that is not taken for the place's doing (as in the
    regression-based estimation of Wang et al. 2018). No feature may tell the order within the slate, which is
    all but the place: those are left out that are not `heard`, bool [n]. Clicks of a slate count as drawn one
    by one, which makes strong effects look weaker where much is clicked. Slates of which nothing was clicked
    tell nothing.
    """
    columns = np.arange(features.shape[1]) if heard is None else np.flatnonzero(heard)
    part, rows = _those_that_tell(slates)
    beside = (_elsewhere(slates)[rows], _bent(slates.score)[rows])
    known = np.column_stack([features[np.ix_(rows, columns)], *beside])
    return _fitted(part, known, int(slates.sizes.max(initial=0)))[1]


def weight_beside_places(slates: ShownSlates, score: Doubles) -> float:
    """Return the log odds of a click that one more of `score`, float64 [rows], is worth at the same place.

    It is not negative, and 0 where nothing was clicked.
    """
    part, rows = _those_that_tell(slates)
    known = np.column_stack([score[rows], _elsewhere(slates)[rows]])
    return max(0.0, float(_fitted(part, known, int(slates.sizes.max(initial=0)))[0][0]))


def _those_that_tell(slates: ShownSlates) -> tuple[ShownSlates, Int64s]:
    """Return at most `ENOUGH` slates of which something was clicked, and their rows."""
    telling = slates.telling
    if len(telling) > ENOUGH:
        telling = telling[np.arange(ENOUGH) * len(telling) // ENOUGH]
    return slates.take(telling), slates.rows(telling)


def _fitted(slates: ShownSlates, columns: Doubles, longest: int) -> tuple[Doubles, Doubles]:
    """Return the weights of columns, per unit of each, and the effects of `longest` places."""
    if not len(slates):
        return np.zeros(columns.shape[1]), np.zeros(longest)
    known, deviation = _within(columns, slates)
    problem = _Clicks(known, slates, longest)
    start = np.zeros(known.shape[1] + longest)
    found = scipy.optimize.minimize(
        problem.loss, start, jac=True, method="L-BFGS-B", options={"maxiter": STEPS}
    )
    effect = found.x[known.shape[1] :]
    shown = np.bincount(slates.position, minlength=longest)
    return found.x[: known.shape[1]] / deviation, effect - np.average(effect, weights=shown)


class _Clicks:
    """The penalized likelihood of clicks, as a function of weights of columns and effects of places."""

    def __init__(self, known: Doubles, slates: ShownSlates, longest: int) -> None:
        self._known, self._place, self._longest = known, slates.position, longest
        self._start, self._slate = slates.start[:-1], slates.slate
        self._clicked = slates.clicked.astype(np.float64)
        self._clicks = np.add.reduceat(self._clicked, self._start)

    def loss(self, weights: Doubles) -> tuple[float, Doubles]:
        """Return the loss at `weights`, of columns and then of places, and its gradient."""
        n = self._known.shape[1]
        beside, effect = weights[:n], weights[n:]
        score = self._known @ beside + effect[self._place]
        highest = np.maximum.reduceat(score, self._start)
        odds = np.exp(score - highest[self._slate])
        total = np.add.reduceat(odds, self._start)
        likely = float(self._clicked @ score - self._clicks @ (np.log(total) + highest))
        left = self._clicked - (self._clicks / total)[self._slate] * odds
        step = np.diff(effect, prepend=effect[:1], append=effect[-1:])
        penalty = 0.5 * RIDGE * float(beside @ beside) + 0.5 * SMOOTH * float(step @ step)
        by_column = left @ self._known - RIDGE * beside
        by_place = np.bincount(self._place, left, self._longest) + SMOOTH * np.diff(step)
        return penalty - likely, -np.concatenate((by_column, by_place))


def _bent(score: Doubles) -> Doubles:
    """Return columns, float64 [rows, m], whose sums are broken lines of the score; none if none is known."""
    known = score[np.isfinite(score)]
    if not len(known):
        return np.empty((len(score), 0))
    held = np.clip(score, *np.quantile(known, FARTHEST))
    return np.column_stack([held, *(np.maximum(held - bend, 0.0) for bend in np.quantile(known, BENDS))])


def _elsewhere(slates: ShownSlates) -> Doubles:
    """Return the mean log place of each row's item in other rows, float64 [rows]; NaN: there are none."""
    place, size = np.log1p(slates.position), int(slates.item.max(initial=-1)) + 1
    others = np.bincount(slates.item, minlength=size)[slates.item] - 1
    total = np.bincount(slates.item, weights=place, minlength=size)[slates.item] - place
    elsewhere: Doubles = np.divide(total, others, out=np.full(len(place), np.nan), where=others > 0)
    return elsewhere


def _within(columns: Doubles, slates: ShownSlates) -> tuple[Doubles, Doubles]:
    """Return columns less their mean in the slate, of unit variance over all rows, and what they deviated."""
    missing = np.isnan(columns)
    filled = np.where(missing, 0.0, columns)
    counted = np.maximum(np.add.reduceat((~missing).astype(np.float64), slates.start[:-1], axis=0), 1.0)
    mean = np.add.reduceat(filled, slates.start[:-1], axis=0) / counted
    off = np.where(missing, 0.0, filled - mean[slates.slate])
    deviation = np.sqrt(np.square(off).mean(axis=0))
    deviation[deviation <= SAME] = np.inf
    return off / deviation, deviation

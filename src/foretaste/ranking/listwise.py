"""Weights that make what came next likely, and put it high on the list."""

from dataclasses import replace

import numpy as np
import scipy

from foretaste.domain.arrays import Doubles, Floats, Int64s
from foretaste.domain.kernel import kernel
from foretaste.ranking.samples import SampleTable

CUTOFF = 10
TOLERANCE = 1e-7
"""The search ends where a step lowers the loss relatively by less."""
SOFTNESS = 0.5
"""An item counts as above another by the logistic function of their difference over this."""
LIKELIHOOD = 0.02
"""How much cross-entropy counts beside the gain: enough that weights cannot grow without end."""
MAX_STEPS = 40


@kernel
def _loss(columns: Floats, start: Int64s, truth: Int64s, weights: Doubles, gradient: Doubles) -> float:
    """Return the summed cross-entropy of the truths and add its gradient to `gradient`."""
    n_columns = columns.shape[1]
    longest = 0
    for i in range(len(truth)):
        longest = max(longest, start[i + 1] - start[i])
    score = np.empty(longest)
    total = 0.0
    for i in range(len(truth)):
        first, n = start[i], start[i + 1] - start[i]
        highest = -np.inf
        for row in range(n):
            value = 0.0
            for c in range(n_columns):
                value += weights[c] * columns[first + row, c]
            score[row] = value
            highest = max(highest, value)
        total -= score[truth[i]]
        norm = 0.0
        for row in range(n):
            score[row] = np.exp(score[row] - highest)
            norm += score[row]
        total += highest + np.log(norm)
        for row in range(n):
            chance = score[row] / norm
            for c in range(n_columns):
                gradient[c] += chance * columns[first + row, c]
        for c in range(n_columns):
            gradient[c] -= columns[first + truth[i], c]
    return total


@kernel
def _smooth_loss(columns: Floats, start: Int64s, truth: Int64s, weights: Doubles, gradient: Doubles) -> float:
    """Return minus the summed gains of the truths at their soft places, and add its gradient."""
    n_columns = columns.shape[1]
    slope = np.empty(n_columns)
    total = 0.0
    for i in range(len(truth)):
        first, n = start[i], start[i + 1] - start[i]
        target = first + truth[i]
        place = 1.0
        slope[:] = 0.0
        for row in range(first, first + n):
            ahead = 0.0
            for c in range(n_columns):
                ahead += weights[c] * (columns[row, c] - columns[target, c])
            if row == target or ahead < -20.0 * SOFTNESS:
                continue
            above = 1.0 / (1.0 + np.exp(-ahead / SOFTNESS))
            place += above
            steepness = above * (1.0 - above) / SOFTNESS
            for c in range(n_columns):
                slope[c] += steepness * (columns[row, c] - columns[target, c])
        depth = np.log2(1.0 + place)
        total -= 1.0 / depth
        factor = 1.0 / (depth * depth * (1.0 + place) * np.log(2.0))
        for c in range(n_columns):
            gradient[c] += factor * slope[c]
    return total


@kernel
def _places(columns: Floats, start: Int64s, truth: Int64s, weights: Doubles) -> Int64s:
    """Return the place (0 is best) of each truth; of equal scores the earlier row comes first."""
    n_columns = columns.shape[1]
    places = np.zeros(len(truth), np.int64)
    for i in range(len(truth)):
        target = 0.0
        for c in range(n_columns):
            target += weights[c] * columns[start[i] + truth[i], c]
        for row in range(start[i + 1] - start[i]):
            value = 0.0
            for c in range(n_columns):
                value += weights[c] * columns[start[i] + row, c]
            if value > target or (value == target and row < truth[i]):
                places[i] += 1
    return places


def fit_weights(table: SampleTable, *, start: Doubles, least: Doubles, prior: float) -> Doubles:
    """Return the weights that minimize the cross-entropy of `table`, each at least `least`.

    The loss has a pull to `start` that weighs as much as `prior` samples. Cao et al. 2007, "Learning to
    rank: from pairwise approach to listwise approach" (the top-one case); solved by L-BFGS-B.
    """

    def loss(weights: Doubles) -> tuple[float, Doubles]:
        pull = weights - start
        gradient = prior * pull
        value = 0.5 * prior * float(pull @ pull)
        value += _loss(table.columns, table.start, table.truth, weights, gradient)
        return value / max(len(table), 1), gradient / max(len(table), 1)

    bounds = [(low, None) for low in least]
    first = np.maximum(start, least)
    options = {"ftol": TOLERANCE}
    found = scipy.optimize.minimize(loss, first, jac=True, method="L-BFGS-B", bounds=bounds, options=options)
    return np.asarray(found.x, np.float64)


def sharpen(table: SampleTable, *, start: Doubles, least: Doubles, prior: float) -> Doubles:
    """Return the weights near `start` under which the truths stand highest, each at least `least`.

    Cross-entropy minds most how badly a truth is missed that no list would show; here the first places
    count: NDCG with the place of a truth made smooth (Qin et al. 2010, "A general approximation framework
    for direct optimization of information retrieval measures"), and a little cross-entropy, with a pull to
    `start` that weighs as much as `prior` samples of it.
    """

    def loss(weights: Doubles) -> tuple[float, Doubles]:
        pull = weights - start
        gradient = prior * pull
        value = 0.5 * prior * float(pull @ pull)
        value += _loss(table.columns, table.start, table.truth, weights, gradient)
        gradient *= LIKELIHOOD
        value *= LIKELIHOOD
        value += _smooth_loss(table.columns, table.start, table.truth, weights, gradient)
        return value / max(len(table), 1), gradient / max(len(table), 1)

    bounds = [(low, None) for low in least]
    options = {"ftol": TOLERANCE, "maxiter": MAX_STEPS}
    first = np.maximum(start, least)
    found = scipy.optimize.minimize(loss, first, jac=True, method="L-BFGS-B", bounds=bounds, options=options)
    return np.asarray(np.maximum(found.x, least), np.float64)


def smooth_gradient(table: SampleTable, weights: Doubles) -> Doubles:
    """Return the mean gradient of what `sharpen` minimizes first: minus the gain at soft places."""
    gradient = np.zeros(len(weights))
    _smooth_loss(table.columns, table.start, table.truth, np.ascontiguousarray(weights), gradient)
    return gradient / max(len(table), 1)


def to_log_odds(table: SampleTable, weights: Doubles, *, start: float = 1.0, prior: float = 0.0) -> float:
    """Return the factor that makes scores by `weights` log odds: with it the truths are likeliest.

    It is drawn to `start` as if by `prior` samples.
    """
    score = np.ascontiguousarray((table.columns @ weights)[:, np.newaxis], np.float32)
    alone = replace(table, columns=score)
    return float(fit_weights(alone, start=np.array([start]), least=np.zeros(1), prior=prior)[0])


def gains(table: SampleTable, weights: Doubles) -> Doubles:
    """Return NDCG@10 of every sample under `weights`, float64 [len(table)]."""
    places = _places(table.columns, table.start, table.truth, weights)
    return np.where(places < CUTOFF, 1.0 / np.log2(places + 2.0), 0.0)

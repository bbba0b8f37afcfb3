"""Leanings: along which lines people differ from each other, and where one person stands on them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from foretaste.domain.arrays import Doubles, Floats, Int64s, Ordinals
from foretaste.ranking.click_rates import ClickRates
from foretaste.ranking.normal_equations import ridge_scores
from foretaste.ranking.shown import ShownSlates
from foretaste.ranking.subspace import main_directions
from foretaste.ranking.traits import TraitRows

AXES = 24
ROUNDS = 8
SHRINK = 0.2
"""Covariances between lines count so much less: they are estimated from few people."""
MOST_PEOPLE = 3000
KNOTS = 33
NUMBER_SCALE = 0.5
LOGIT = -2
"""The column of the vectors that the rate decides."""
SUREST = 1e-6
NOISE = 0.15
"""The variance of a surprise that the estimation starts from."""


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """How traits, numbers and rates become a vector of few dimensions.

    `axis` float32 [n_traits, n_axes] are main directions of the trait rows; `knot` float64
    [n_numbers, KNOTS] the quantiles of each number; `rate` float64 [2] mean and deviation of the logit rates.
    """

    axis: Floats
    knot: Doubles
    rate: Doubles

    @property
    def n(self) -> int:
        """How many dimensions there are."""
        return int(self.axis.shape[1]) + len(self.knot) + 2

    def vectors(self, rows: TraitRows, rate: Doubles) -> Doubles:
        """Return the vectors of items with these traits, numbers and rates, float64 [len(rows), n]."""
        matrix = sparse.csr_matrix((rows.weight, rows.term, rows.start), (len(rows), len(self.axis)))
        along = np.asarray(matrix @ self.axis, np.float64)
        length = np.sqrt(np.square(along).sum(axis=1, keepdims=True))
        along /= np.where(length > 0.0, length, 1.0)
        numbers = np.zeros((len(rows), len(self.knot)))
        share = np.linspace(-NUMBER_SCALE, NUMBER_SCALE, KNOTS)
        for number, knots in enumerate(self.knot):
            values = rows.number[:, number]
            known = ~np.isnan(values)
            numbers[known, number] = np.interp(values[known], knots, share)
        ones = np.full(len(rows), NUMBER_SCALE)
        return np.concatenate([along, numbers, self.logit(rate)[:, None], ones[:, None]], axis=1)

    def logit(self, rate: Doubles) -> Doubles:
        """Return what rates are in the vectors, in the column `LOGIT`."""
        scaled: Doubles = NUMBER_SCALE * (_logit(rate) - self.rate[0]) / self.rate[1]
        return scaled


@dataclass(frozen=True, slots=True, eq=False)
class Leanings:
    """A random-effects model: a surprise is vector · leaning + noise.

    A person's leaning is drawn from a common normal distribution of mean 0, whose `covariance` float64 [n, n]
    is estimated together with the variance of the `noise`. `vector` float64 [n_items, n] are the items'
    vectors along `lines`.
    """

    lines: Lines
    covariance: Doubles
    noise: float
    vector: Doubles
    _pull: Doubles

    @classmethod
    def of(cls, lines: Lines, covariance: Doubles, noise: float, rows: TraitRows, rates: ClickRates) -> Self:
        """Return the leanings of items that have the traits `rows`."""
        vector = lines.vectors(rows, rates.rate)
        pull = np.asarray(noise * np.linalg.inv(covariance), np.float64)
        return cls(lines, covariance, noise, vector, pull)

    def foretell(self, candidates: Doubles, past: Doubles, surprise: Doubles) -> Doubles:
        """Return the expected surprise of candidates, given those of the past; float64 [len(candidates)].

        `candidates` and `past` are vectors. The posterior mean of the leaning, as ridge regression.
        """
        found = np.zeros(len(candidates))
        if len(past):
            ridge_scores(candidates, past, surprise, self._pull, found)
        return found

    def at(self, items: Ordinals, rate: Doubles) -> Doubles:
        """Return the vectors of items with these rates, float64 [len(items), n]."""
        vector: Doubles = self.vector[items]
        vector[:, LOGIT] = self.lines.logit(rate)
        return vector

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """Return all that was learnt as arrays."""
        return {
            "axis": self.lines.axis,
            "knot": self.lines.knot,
            "logit": self.lines.rate,
            "covariance": self.covariance,
            "noise": np.array([self.noise]),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], rows: TraitRows, rates: ClickRates) -> Self:
        """Rebuild the leanings that `arrays` came from."""
        lines = Lines(arrays["axis"], arrays["knot"], arrays["logit"])
        return cls.of(lines, arrays["covariance"], float(arrays["noise"][0]), rows, rates)


def leanings_of(
    slates: ShownSlates, rows: TraitRows, n_traits: int, rates: ClickRates, look: Doubles, seed: int
) -> Leanings:
    """Learn along which lines people differ, by expectation-maximization on the surprises of their slates."""
    lines = _lines(rows, n_traits, rates, seed)
    vector = lines.vectors(rows, rates.rate)
    item, position = slates.item, slates.position
    surprise = slates.clicked - look[position] * rates.rate[item]
    grams, sums, squares, counts = _by_person(slates, vector, surprise, seed)
    covariance, noise = np.eye(lines.n) * 0.1, NOISE
    for _ in range(ROUNDS if len(grams) else 0):
        spread = np.linalg.inv(np.linalg.inv(covariance)[None] + grams / noise)
        mean = np.einsum("pij,pj->pi", spread, sums) / noise
        second = np.einsum("pi,pj->pij", mean, mean) + spread
        left = squares - 2.0 * np.einsum("pi,pi->p", mean, sums) + np.einsum("pij,pij->p", second, grams)
        covariance = second.mean(axis=0)
        noise = max(float(left.sum() / counts.sum()), 1e-4)
    shrunk = (1.0 - SHRINK) * covariance + SHRINK * np.diag(np.diag(covariance)) + 1e-6 * np.eye(lines.n)
    return Leanings.of(lines, shrunk, noise, rows, rates)


def _by_person(
    slates: ShownSlates, vector: Doubles, surprise: Doubles, seed: int
) -> tuple[Doubles, Doubles, Doubles, Int64s]:
    """Return XᵀX, Xᵀr, rᵀr and the number of rows of every person (of a sample of them)."""
    people = np.unique(slates.user)
    if len(people) > MOST_PEOPLE:
        people = np.sort(np.random.default_rng(seed).choice(people, MOST_PEOPLE, replace=False))
    owner = slates.user[slates.slate]
    order = np.argsort(owner, kind="stable")
    begin, end = np.searchsorted(owner[order], people), np.searchsorted(owner[order], people, side="right")
    n, width = len(people), vector.shape[1]
    grams, sums, squares = np.zeros((n, width, width)), np.zeros((n, width)), np.zeros(n)
    for person in range(n):
        own = order[begin[person] : end[person]]
        x, r = vector[slates.item[own]], surprise[own]
        grams[person], sums[person], squares[person] = x.T @ x, x.T @ r, r @ r
    return grams, sums, squares, end - begin


def _lines(rows: TraitRows, n_traits: int, rates: ClickRates, seed: int) -> Lines:
    matrix = sparse.csr_matrix((rows.weight.astype(np.float64), rows.term, rows.start), (len(rows), n_traits))
    axis = main_directions(matrix, AXES, seed)
    logit = _logit(rates.rate) if len(rates.rate) else np.zeros(1)
    share = np.linspace(0.0, 1.0, KNOTS)
    knots = [
        np.quantile(own, share) if len(own := column[~np.isnan(column)]) else np.zeros(KNOTS)
        for column in rows.number.T
    ]
    knot = np.array(knots).reshape(rows.number.shape[1], KNOTS)
    return Lines(axis, knot, np.array([logit.mean(), max(logit.std(), 1e-3)]))


def _logit(rate: Doubles) -> Doubles:
    """Return log odds; an item that always stood where few look may have more clicks than looks."""
    chance = np.clip(rate, SUREST, 1.0 - SUREST)
    odds: Doubles = np.log(chance / (1.0 - chance))
    return odds

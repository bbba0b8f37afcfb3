"""Percentile bootstrap intervals, by person: one person's events are not independent of each other.

Efron and Tibshirani 1993, "An Introduction to the Bootstrap", chapter 13; whole people are drawn with
replacement (a cluster bootstrap), so that a few busy people widen the interval as they should.
"""

import msgspec
import numpy as np

from foretaste.domain.arrays import Doubles, Ordinals

DRAWS = 2000
LEVEL = 0.95
_CHUNK_CELLS = 4_000_000


class Interval(msgspec.Struct, frozen=True, kw_only=True):
    """A value with the interval that holds it in `level` of all drawings of other people like these."""

    value: float
    low: float
    high: float
    level: float = LEVEL

    def __str__(self) -> str:
        return f"{self.value:.4f} [{self.low:.4f}, {self.high:.4f}]"


def mean_interval(
    values: Doubles, users: Ordinals, *, seed: int, draws: int = DRAWS, level: float = LEVEL
) -> Interval:
    """Return the mean of `values` float64 [n], with its interval; `users` [n] says whose each value is."""
    return mean_intervals(values[np.newaxis], users, seed=seed, draws=draws, level=level)[0]


def mean_intervals(
    values: Doubles, users: Ordinals, *, seed: int, draws: int = DRAWS, level: float = LEVEL
) -> list[Interval]:
    """Return `mean_interval` of each row of `values` float64 [m, n], all from the same drawings of people."""
    rows = [_by_user(row, users) for row in values]
    if not rows:
        return []
    counts = rows[0][1]
    drawn = _draw(np.stack([*(sums for sums, _ in rows), counts]), seed, draws)
    return [
        _interval(_divided(sums.sum(), counts.sum()), found / np.maximum(drawn[-1], 1.0), level)
        for (sums, _), found in zip(rows, drawn[:-1], strict=True)
    ]


def difference_interval(
    ours: Doubles, theirs: Doubles, users: Ordinals, *, seed: int, draws: int = DRAWS, level: float = LEVEL
) -> Interval:
    """Return mean(ours) - mean(theirs), both measured on the same events (paired), with its interval."""
    return mean_interval(ours - theirs, users, seed=seed, draws=draws, level=level)


def ratio_interval(
    ours: Doubles, theirs: Doubles, users: Ordinals, *, seed: int, draws: int = DRAWS, level: float = LEVEL
) -> Interval:
    """Return mean(ours) / mean(theirs), both measured on the same events (paired), with its interval.

    Infinite where theirs is 0 and ours is not; 1 where both are 0.
    """
    return ratio_intervals(ours[np.newaxis], theirs, users, seed=seed, draws=draws, level=level)[0]


def ratio_intervals(
    ours: Doubles, theirs: Doubles, users: Ordinals, *, seed: int, draws: int = DRAWS, level: float = LEVEL
) -> list[Interval]:
    """Return `ratio_interval` of each row of `ours` float64 [m, n], all from the same drawings of people."""
    sums = np.stack([_by_user(row, users)[0] for row in (*ours, theirs)])
    drawn, total = _draw(sums, seed, draws), sums.sum(axis=1)
    found = []
    for row in range(len(ours)):
        ratios = np.array([_quotient(a, b) for a, b in zip(drawn[row], drawn[-1], strict=True)])
        found.append(_interval(_quotient(float(total[row]), float(total[-1])), ratios, level))
    return found


def _by_user(values: Doubles, users: Ordinals) -> tuple[Doubles, Doubles]:
    _, group = np.unique(users, return_inverse=True)
    sums, counts = np.bincount(group, weights=values), np.bincount(group)
    return sums.astype(np.float64), counts.astype(np.float64)


def _draw(columns: Doubles, seed: int, draws: int) -> Doubles:
    """Return the sums of `columns` [c, n] over `draws` samples of n people; float64 [c, draws].

    Without people all sums are 0.
    """
    n = columns.shape[1]
    if n == 0:
        return np.zeros((len(columns), draws))
    generator = np.random.default_rng(seed)
    step = max(1, _CHUNK_CELLS // n)
    sums = []
    for begin in range(0, draws, step):
        size = min(step, draws - begin)
        chosen = generator.integers(0, n, (size, n)) + n * np.arange(size)[:, np.newaxis]
        times = np.bincount(chosen.ravel(), minlength=size * n).reshape(size, n)
        sums.append(columns @ times.T.astype(np.float64))
    return np.concatenate(sums, axis=1)


def _interval(value: float, drawn: Doubles, level: float) -> Interval:
    outside = (1.0 - level) / 2.0
    low, high = np.quantile(drawn, [outside, 1.0 - outside], method="inverted_cdf")
    return Interval(value=float(value), low=float(low), high=float(high), level=level)


def _divided(above: float, below: float) -> float:
    return float(above / below) if below else 0.0


def _quotient(above: float, below: float) -> float:
    if below > 0.0:
        return float(above / below)
    return 1.0 if above == 0.0 else float("inf")

"""Scores of different sources on one scale."""

import numpy as np

from foretaste.domain.arrays import Doubles, Floats
from foretaste.domain.kernel import kernel

_ROUNDING = 1e-6


@kernel
def _spread(score: Floats, mean: Doubles, deviation: Doubles) -> None:
    n_sources, n = score.shape
    for s in range(n_sources):
        total = 0.0
        for i in range(n):
            total += score[s, i]
        mean[s] = total / n
        squares = 0.0
        for i in range(n):
            off = score[s, i] - mean[s]
            squares += off * off
        deviation[s] = np.sqrt(squares / n)
        if deviation[s] <= _ROUNDING * np.abs(mean[s]):
            deviation[s] = 0.0


def spread(score: Floats) -> tuple[Doubles, Doubles]:
    """Return mean and deviation of every source over the items of `score`, float64 [n_sources] each.

    `score` is float32 [n_sources, n]. A source that says the same of all (up to rounding) has deviation 0.
    """
    mean, deviation = np.zeros(len(score)), np.zeros(len(score))
    if score.shape[1]:
        _spread(np.ascontiguousarray(score), mean, deviation)
    return mean, deviation


def scales(score: Floats, weights: Doubles) -> tuple[Doubles, Doubles, Doubles, float]:
    """Return `spread`, each source's weight over its deviation (0 for none), and Σ scale · mean.

    `weights` float64 holds those of the sources first.
    """
    figures = np.zeros((3, len(score)))
    offset = scale_of(np.ascontiguousarray(score), weights, figures)
    return figures[0], figures[1], figures[2], offset


@kernel
def scale_of(score: Floats, weights: Doubles, figures: Doubles) -> float:
    """Write mean, deviation and scale of every source to the rows of `figures`; return the offset."""
    mean, deviation, scale = figures[0], figures[1], figures[2]
    if score.shape[1]:
        _spread(score, mean, deviation)
    offset = 0.0
    for s in range(len(mean)):
        if deviation[s] > 0.0:
            scale[s] = weights[s] / deviation[s]
            offset += scale[s] * mean[s]
    return offset


def standardize(score: Floats, mean: Doubles, deviation: Doubles) -> Floats:
    """Return z-scores, float32 [n_sources, n]; 0 for a source of deviation 0."""
    return ((score - mean[:, None]) * inverse(deviation)[:, None]).astype(np.float32)


def inverse(deviation: Doubles) -> Doubles:
    """Return 1 / deviation, 0 where the deviation is 0."""
    return np.divide(1.0, deviation, out=np.zeros_like(deviation), where=deviation > 0.0)


@kernel
def blend(
    score: Floats, scale: Doubles, offset: float, boost: Floats, weight: float, blended: Floats
) -> None:
    """Write Σ scale · score + weight · boost - offset of every item to `blended`, float32 [n]."""
    n_sources, n = score.shape
    for i in range(n):
        total = weight * boost[i] - offset
        for s in range(n_sources):
            total += scale[s] * score[s, i]
        blended[i] = total


def blend_scores(score: Floats, scale: Doubles, offset: float, boost: Floats, weight: float) -> Floats:
    """Return Σ scale · score + weight · boost - offset of every item, float32 [n].

    An item's value is bit-equal whatever other items are beside it.
    """
    blended = np.empty(score.shape[1], np.float32)
    blend(np.ascontiguousarray(score), scale, offset, boost, weight, blended)
    return blended

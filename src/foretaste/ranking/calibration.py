"""Calibration: what a blended score means as a chance between 0 and 1."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import scipy

from foretaste.domain.arrays import Doubles, Floats, Int64s, Mask
from foretaste.domain.kernel import kernel

FEWEST_PER_BIN = 50
PARTS = 10
EDGES = 20
"""Calibration error is measured over as many equally filled bins."""


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """A rising curve from blended score to the chance that the person goes on to have the item.

    `score` and `chance`, float64 [n_knots], both rising, joined by straight lines and level beyond the ends.
    `report` holds `expected_calibration_error`, `base_rate` and `pairs` of the judged part.
    """

    score: Doubles
    chance: Doubles
    report: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def flat(cls, chance: float = 0.0) -> Self:
        """Return the curve of one who knows only how often it happens at all."""
        return cls(score=np.zeros(1), chance=np.array([chance]))

    @classmethod
    def fit(cls, scores: Floats, labels: Mask) -> Self:
        """Learn the curve from pairs of a person and an item: its blended score, and whether it happened.

        Isotonic regression over bins that grow finer towards the top, where slates are. The pairs of a person
        stand together; the reported error is that of the curve of every other tenth of the pairs on the
        tenths between. The curve returned is of all.
        """
        score = np.asarray(scores, np.float64)
        if len(score) < PARTS:
            return cls.flat(float(labels.mean()) if len(labels) else 0.0)
        learnt = np.arange(len(score)) * PARTS // len(score) % 2 == 0
        trial = cls(*_curve(score[learnt], labels[learnt]))
        report = {
            "expected_calibration_error": _error(trial.match(score[~learnt]), labels[~learnt]),
            "base_rate": float(labels.mean()),
            "pairs": float(len(labels)),
        }
        return cls(*_curve(score, labels), report)

    def match(self, scores: Floats | Doubles) -> Doubles:
        """Return the chances of `scores`, float64 of the same length, in [0, 1]."""
        chances: Doubles = _on_curve(scores, self.score, self.chance)
        return chances

    def describe(self) -> dict[str, Any]:
        """Return the curve as JSON values; `from_description` reads them exactly."""
        return {"score": self.score.tolist(), "chance": self.chance.tolist(), "report": dict(self.report)}

    @classmethod
    def from_description(cls, description: Mapping[str, Any]) -> Self:
        """Return the curve that `describe` described."""
        return cls(
            score=np.array(description["score"], np.float64),
            chance=np.array(description["chance"], np.float64),
            report=dict(description["report"]),
        )


@kernel
def _on_curve(scores: Floats | Doubles, knots: Doubles, chances: Doubles) -> Doubles:
    """Return what `numpy.interp` does, without the nine calls around it."""
    found, last = np.empty(len(scores)), len(knots) - 1
    for i in range(len(scores)):
        score = np.float64(scores[i])
        right = np.searchsorted(knots, score, side="right")
        if right == 0 or right > last:
            found[i] = chances[0 if right == 0 else last]
        else:
            rise = (chances[right] - chances[right - 1]) / (knots[right] - knots[right - 1])
            found[i] = rise * (score - knots[right - 1]) + chances[right - 1]
    return found


def _curve(scores: Doubles, labels: Mask) -> tuple[Doubles, Doubles]:
    """Return knots: the mean score and the isotonic chance of each bin, equal neighbours joined."""
    order = np.argsort(scores, kind="stable")
    border = _borders(len(scores))
    size = np.diff(border).astype(np.float64)
    score = np.add.reduceat(scores[order], border[:-1]) / size
    hits = np.add.reduceat(labels[order].astype(np.float64), border[:-1])
    chance = scipy.optimize.isotonic_regression(hits / size, weights=size).x
    inner = np.zeros(len(chance), np.bool_)
    inner[1:-1] = (chance[1:-1] == chance[:-2]) & (chance[1:-1] == chance[2:])
    return score[~inner], chance[~inner]


def _borders(n: int) -> Int64s:
    """Return where bins of sorted scores begin and end: each takes a tenth of what is left, the last all."""
    border = [0]
    while (size := (n - border[-1]) // 10) >= FEWEST_PER_BIN:
        border.append(border[-1] + size)
    return np.array([*border, n], np.int64)


def _error(chance: Doubles, labels: Mask) -> float:
    """Return the expected calibration error: the mean distance of chance and frequency over equal bins."""
    order = np.argsort(chance, kind="stable")
    parts = [part for part in np.array_split(order, EDGES) if len(part)]
    off = [abs(chance[part].mean() - labels[part].mean()) * len(part) for part in parts]
    return float(sum(off) / len(chance))

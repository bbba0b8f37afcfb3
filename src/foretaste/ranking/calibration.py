"""Calibration: what a blended score means as a chance between 0 and 1."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from foretaste.domain.arrays import Doubles, Floats, Mask


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
        """Learn the curve from pairs of a person and an item: its blended score, and whether it happened."""
        raise NotImplementedError

    def match(self, scores: Floats | Doubles) -> Doubles:
        """Return the chances of `scores`, float64 of the same length, in [0, 1]."""
        return np.asarray(np.interp(scores, self.score, self.chance))

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

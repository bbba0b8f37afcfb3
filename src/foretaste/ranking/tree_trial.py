"""A trial of trees: what those of earlier slates make of later ones, and how many there should be."""

from dataclasses import dataclass

import numpy as np

from foretaste.domain.arrays import Doubles, Int64s, Mask
from foretaste.ranking.lambdamart import BoostingOptions, Lists, Objective, curves
from foretaste.ranking.shown import ShownSlates


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Slates with their features, float64 [rows, n], and what each place adds, float64 [longest].

    Trees begin with `begin` float64 [rows], the rival's score times `trust`; in features that are `rising`
    they rise.
    """

    slates: ShownSlates
    features: Doubles
    effect: Doubles
    trust: float
    begin: Doubles
    rising: Mask

    def lists(self, chosen: Int64s) -> Lists:
        """Return the `chosen` slates as trees learn from them."""
        rows = self.slates.rows(chosen)
        return Lists(
            self.features[rows],
            self.slates.clicked[rows],
            self.slates.sizes[chosen],
            self.effect[self.slates.position[rows]] + self.begin[rows],
            self.rising,
        )


def trial(
    earlier: Table, later: Table, objective: Objective, seed: int, rounds: int, options: BoostingOptions
) -> tuple[Doubles, int]:
    """Return scores of the later rows by trees of the earlier ones, and how many trees did best.

    How many score a half of the later people is chosen on the other half: else what they are worth would
    hold the luck of the choice.
    """
    halves = later.slates.halves(seed)
    judged = [later.lists(half) for half in halves]
    booster, gained = curves(earlier.lists(earlier.slates.telling), judged, objective, rounds, options, seed)
    best = int(np.average(gained, axis=0, weights=[len(half) for half in halves]).argmax()) + 1
    raw = booster.predict(later.features, raw_score=True, num_iteration=best)
    for half, other in zip(halves, reversed(gained), strict=True):
        rows, chosen = later.slates.rows(half), int(other.argmax()) + 1
        raw[rows] = booster.predict(later.features[rows], raw_score=True, num_iteration=chosen)
    return later.begin + raw, best


def deviation(raw: Doubles, part: ShownSlates) -> float:
    """Return the mean deviation of scores within a slate."""
    mean = np.bincount(part.slate, weights=raw) / part.sizes
    return float(max(np.sqrt(np.square(raw - mean[part.slate]).mean()), 1e-9))

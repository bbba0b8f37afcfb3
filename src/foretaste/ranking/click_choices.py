"""Clicks of a slate as choices among what it showed, and how likely they are by scores."""

import numpy as np
import scipy

from foretaste.domain.arrays import Doubles
from foretaste.ranking.shown import ShownSlates

STEEPEST = 20.0
"""The log odds that a deviation of a score may be worth at most."""


class ClickChoices:
    """Which items of each slate were clicked, in a conditional logit (McFadden 1974).

    Clicks of a slate count as drawn one by one, which makes strong effects look weaker where much is clicked.
    No slate may be empty.
    """

    def __init__(self, slates: ShownSlates) -> None:
        self._start, self._slate = slates.start[:-1], slates.slate
        self.clicked = slates.clicked.astype(np.float64)
        self._clicks = np.add.reduceat(self.clicked, self._start)

    def likely(self, score: Doubles) -> tuple[Doubles, Doubles]:
        """Return the log likelihood of each slate's clicks, float64 [n], and how many a row expects [rows].

        `score` float64 [rows] are the log odds of rows, up to what a slate has in common.
        """
        highest = np.maximum.reduceat(score, self._start)
        odds = np.exp(score - highest[self._slate])
        total = np.add.reduceat(odds, self._start)
        found = np.add.reduceat(self.clicked * score, self._start)
        return found - self._clicks * (np.log(total) + highest), (self._clicks / total)[self._slate] * odds

    def best_slope(self, score: Doubles, beside: Doubles) -> float:
        """Return what one more of `score` is worth in log odds `beside` others; both float64 [rows]."""
        deviation = score.std() if len(score) else 0.0
        if not deviation:
            return 0.0
        found = scipy.optimize.minimize_scalar(
            lambda slope: -self.likely(slope * score + beside)[0].sum(),
            bounds=(0.0, STEEPEST / deviation),
            method="bounded",
        )
        return float(found.x)

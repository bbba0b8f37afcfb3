"""Which items stand for all others in a softmax."""

from dataclasses import dataclass

import numpy as np

from foretaste.domain.arrays import Doubles, Floats, Ordinals
from foretaste.models.neural.sequences import Sequences

POWER = 0.5
"""Items are drawn by popularity to this power."""


@dataclass(frozen=True, slots=True, eq=False)
class Negatives:
    """Draws `count` items, or takes all where there are no more than that (`chance` is None then)."""

    count: int
    chance: Doubles | None

    def drawn(self, generator: np.random.Generator) -> tuple[Ordinals, Floats]:
        """Return items, int32 [count], and the logarithm of how often each was to be expected, float32.

        This is what a score has to be lowered by for the sum over the drawn ones to be, on average, the sum
        over all (Bengio, Senécal: "Adaptive importance sampling", 2008).
        """
        if self.chance is None:
            return np.arange(self.count, dtype=np.int32), np.zeros(self.count, np.float32)
        rising = np.cumsum(self.chance)
        item = np.searchsorted(rising, generator.random(self.count) * rising[-1], side="right")
        return item.astype(np.int32), np.log(self.count * self.chance[item]).astype(np.float32)


def negatives_of(sequences: Sequences, most: int) -> Negatives:
    """Return what draws `most` of the known items, or takes them all if there are no more."""
    n_known = len(sequences.known)
    if n_known <= most:
        return Negatives(n_known, None)
    chance = np.maximum(np.bincount(sequences.item, minlength=n_known), 1.0) ** POWER
    return Negatives(most, chance / chance.sum())

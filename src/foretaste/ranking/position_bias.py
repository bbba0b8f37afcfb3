"""Position bias: how much of a click is due to the place where an item stood."""

import numpy as np

from foretaste.domain.arrays import Doubles, Int64s
from foretaste.ranking.shown import ShownSlates

ROUNDS = 30
PSEUDO = 5.0
"""An item's appeal is drawn to the common one as if it had been looked at so many times more."""
LEAST = 0.05


def at_places(look: Doubles, position: Int64s) -> Doubles:
    """Return how likely places are looked at, float64 [len(position)]: those beyond `look` like its last."""
    if not len(look):
        return np.ones(len(position))
    return look[np.minimum(position, len(look) - 1)]


def examination(slates: ShownSlates, n_items: int) -> Doubles:
    """Return how likely a place is looked at, relative to the mean place; float64 [longest slate], mean 1.

    A click is a look times the item's appeal. Both are estimated in turn (expectation-maximization of the
    position-based model of Craswell et al. 2008, in its Poisson form): an item's appeal is its clicks over
    the looks it got, a place's looks are its clicks over the appeal of what stood there. So what is shown
    at the top since it is good does not count as bias. The means are weighted by how often places were shown.
    """
    longest = int(slates.sizes.max(initial=0))
    look = np.ones(longest)
    position, item, clicked = slates.position, slates.item, slates.clicked.astype(np.float64)
    if not len(item) or not clicked.any():
        return look
    shown = np.bincount(position, minlength=longest).astype(np.float64)
    clicks_at = np.bincount(position, weights=clicked, minlength=longest)
    clicks_of = np.bincount(item, weights=clicked, minlength=n_items)
    common = clicked.mean()
    for _ in range(ROUNDS):
        looks = np.bincount(item, weights=look[position], minlength=n_items)
        appeal = (clicks_of + PSEUDO * common) / (looks + PSEUDO)
        expected = np.bincount(position, weights=appeal[item], minlength=longest)
        look = (clicks_at + PSEUDO * common) / (expected + PSEUDO * common)
        look = np.maximum(look / ((look * shown).sum() / shown.sum()), LEAST)
    return look

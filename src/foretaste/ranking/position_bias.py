"""Position bias: how much of a click is due to the place where an item stood."""

import numpy as np

from foretaste.domain.arrays import Doubles, Int64s
from foretaste.ranking.shown import ShownSlates
from foretaste.ranking.usual_places import rate_by_place, usual_places

ROUNDS = 30
PSEUDO = 5.0
"""An item's appeal is drawn to what is likely as if it had been looked at so many times more."""
LEAST = 0.05


def at_places(look: Doubles, position: Int64s) -> Doubles:
    """Return how likely places are looked at, float64 [len(position)]: those beyond `look` like its last."""
    if not len(look):
        return np.ones(len(position))
    return look[np.minimum(position, len(look) - 1)]


def examination(slates: ShownSlates, n_items: int) -> Doubles:
    """Return how likely a place is looked at, relative to the mean place; float64 [longest slate], mean 1.

    A click is a look times the item's appeal times what the slate's clicks allow for: where one is taken of
    each, the better the others the fewer are left. All three are estimated in turn (expectation-maximization
    of the position-based model of Craswell et al. 2008 in its Poisson form, where the slate's part makes it a
    conditional logit): an item's appeal is its clicks over the looks it got, a place's looks are its clicks
    over the appeal of what stood there. Of items with few looks what is likely goes by their usual place. So
    what is shown at the top since it is good does not count as bias, and where items always stand at the same
    place nearly nothing does. The means are weighted by how often places were shown.
    """
    longest = int(slates.sizes.max(initial=0))
    look = np.ones(longest)
    position, item, clicked = slates.position, slates.item, slates.clicked.astype(np.float64)
    if not len(item) or not clicked.any():
        return look
    shown = np.bincount(position, minlength=longest).astype(np.float64)
    clicks_at = np.bincount(position, weights=clicked, minlength=longest)
    clicks_of = np.bincount(item, weights=clicked, minlength=n_items).astype(np.float64)
    clicks_in = np.bincount(slates.slate, weights=clicked, minlength=len(slates))
    common = clicked.mean()
    place = usual_places(slates, n_items)
    appeal = np.full(n_items, common)
    for _ in range(ROUNDS):
        expected = np.bincount(slates.slate, weights=look[position] * appeal[item], minlength=len(slates))
        left = np.divide(clicks_in, expected, out=np.zeros(len(slates)), where=expected > 0.0)[slates.slate]
        looks = np.bincount(item, weights=look[position] * left, minlength=n_items).astype(np.float64)
        likely = rate_by_place(place, looks, clicks_of, common)
        appeal = (clicks_of + PSEUDO * likely) / (looks + PSEUDO)
        expected = np.bincount(position, weights=appeal[item] * left, minlength=longest)
        look = (clicks_at + PSEUDO * common) / (expected + PSEUDO * common)
        look = np.maximum(look / ((look * shown).sum() / shown.sum()), LEAST)
    return look

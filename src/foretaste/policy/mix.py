"""The person's own mix: a slate whose kinds of items come in the proportions of what the person had.

Steck 2018, "Calibrated recommendations": relevance minus how far the slate's mix is from the person's own,
as Kullback-Leibler divergence, item by item.
"""

from dataclasses import dataclass

import numpy as np

from foretaste.domain.arrays import Doubles, Floats, Int64s, Ordinals
from foretaste.domain.kernel import inner_kernel
from foretaste.features.category_table import CategoryTable

_SMOOTHING = 0.01
"""How much of the person's own mix is added to a slate's, so that a kind it lacks costs a finite amount."""

MOST_WEIGHT = 0.99


@dataclass(frozen=True, slots=True, eq=False)
class Mix:
    """What the person had, by kind, and how the candidates stand to that.

    `own` float64 [kinds] sums to 1, every kind positive; `share` float64 [n, kinds] is each candidate's part
    of each of them, rows that sum to at most 1. `weight` in [0, 1) trades relevance against closeness.
    """

    own: Doubles
    share: Doubles
    weight: float

    @property
    def exchange(self) -> float:
        """What a nat of divergence is worth in log odds: 1 at a weight of a half."""
        weight = min(self.weight, MOST_WEIGHT)
        return weight / (1.0 - weight)


def own_mix(table: CategoryTable, history: Ordinals, importance: Floats) -> tuple[Ordinals, Doubles]:
    """Return the codes of the categories in a history, rising, and the part of each in it, summing to 1.

    `history` int32 [m] are items, `importance` float32 [m] what each of them counts; an item counts in equal
    parts for its categories. Items without a category have no part in it.
    """
    owner, code, part = _memberships(table, history)
    counted = part * importance[owner]
    codes, at = np.unique(code[counted > 0.0], return_inverse=True)
    own = np.bincount(at, weights=counted[counted > 0.0], minlength=len(codes))
    return codes, np.asarray(own / own.sum() if len(codes) else own, np.float64)


def shares(table: CategoryTable, items: Ordinals, codes: Ordinals) -> Doubles:
    """Return the part of each category of `codes` (rising) in each of `items`, float64 [n, codes]."""
    found = np.zeros((len(items), len(codes)))
    owner, code, part = _memberships(table, items)
    at = np.searchsorted(codes, code)
    known = at < len(codes)
    known[known] = codes[at[known]] == code[known]
    found[owner[known], at[known]] = part[known]
    return found


def _memberships(table: CategoryTable, items: Ordinals) -> tuple[Int64s, Ordinals, Doubles]:
    """Return one row per category of each of `items`: whose it is, its code, and its part in the item."""
    owner, code = table.listed(items)
    return owner, code, 1.0 / np.bincount(owner, minlength=len(items))[owner]


@inner_kernel
def closeness(own: Doubles, share: Doubles, total: Doubles, places: int, i: int) -> float:
    """Return minus KL(own, the mix that a slate would have) if candidate `i` joined it.

    `total` float64 [kinds] sums the shares of the `places` items that stand already.
    """
    found = 0.0
    for kind in range(len(own)):
        part = (total[kind] + share[i, kind]) / (places + 1)
        found -= own[kind] * np.log(own[kind] / ((1.0 - _SMOOTHING) * part + _SMOOTHING * own[kind]))
    return found

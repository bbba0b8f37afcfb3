"""Who was taken near young items: what events tell of these, many at a time."""

import numpy as np

from foretaste.domain.arrays import Doubles, Floats, Int64s, Ordinals
from foretaste.domain.kernel import kernel
from foretaste.features.item_state import ItemState
from foretaste.models.likeness import DOUBT, PARTS, Mixtures
from foretaste.models.nearest import keep_largest
from foretaste.models.sorting import rise

_OFTEN = 0xFFFFFFFF
"""How often two items were taken near each other is in the lower half of a number, the item in the upper."""


def companions(items: ItemState, young: Ordinals, trained: Int64s) -> Mixtures:
    """Return each of `young` as the mixture of the trained items that people took near it most, as of now.

    `trained` int64 [n_items] is how often each was taken in training.
    """
    near = items.neighbours
    part = np.zeros((len(young), PARTS), np.int32)
    weight = np.zeros((len(young), PARTS), np.float32)
    _find_companions(young, trained, near.start, near.length, near.item, near.together, part, weight)
    return Mixtures(young, part, weight)


def blended(one: Mixtures, other: Mixtures, share: Doubles) -> Mixtures:
    """Return `share`, float64 [rows], of each of `one` and the rest of `other`: the largest parts."""
    part, weight = np.zeros_like(one.part), np.zeros_like(one.weight)
    own, rest = share.astype(np.float32), (1.0 - share).astype(np.float32)
    _blend(one.part, one.weight, other.part, other.weight, own, rest, part, weight)
    return Mixtures(one.item, part, weight)


@kernel
def _find_companions(
    young: Ordinals,
    trained: Int64s,
    start: Int64s,
    length: Int64s,
    other: Ordinals,
    together: Ordinals,
    part: Ordinals,
    weight: Floats,
) -> None:
    for row in range(len(young)):
        if young[row] >= len(start):
            continue
        first, n = start[young[row]], 0
        near = np.empty(length[young[row]], np.int64)
        for place in range(first, first + len(near)):
            item = other[place]
            if together[place] > 0 and item < len(trained) and trained[item] > 0:
                near[n] = np.int64(item) << 32 | np.int64(together[place])
                n += 1
        rise(near[:n])
        who, often = np.empty(n, np.int32), np.empty(n, np.float32)
        for k in range(n):
            who[k], often[k] = near[k] >> 32, np.float32(near[k] & _OFTEN)
        keep_largest(who, often, part[row], weight[row])
        total = np.float32(DOUBT)
        for p in range(PARTS):
            total += weight[row, p]
        for p in range(PARTS):
            weight[row, p] /= total


@kernel
def _blend(
    one_part: Ordinals,
    one_weight: Floats,
    other_part: Ordinals,
    other_weight: Floats,
    own: Floats,
    rest: Floats,
    part: Ordinals,
    weight: Floats,
) -> None:
    """Write the blends of rows whose parts, where their weights are not 0, are rising."""
    most = part.shape[1]
    item, value = np.empty(2 * most, np.int32), np.empty(2 * most, np.float32)
    for row in range(len(part)):
        a = b = n = 0
        while a < most or b < most:
            while a < most and one_weight[row, a] == np.float32(0.0):
                a += 1
            while b < most and other_weight[row, b] == np.float32(0.0):
                b += 1
            if a == most and b == most:
                break
            takes_one = b == most or (a < most and one_part[row, a] <= other_part[row, b])
            takes_other = a == most or (b < most and other_part[row, b] <= one_part[row, a])
            item[n] = one_part[row, a] if takes_one else other_part[row, b]
            value[n] = np.float32(0.0)
            if takes_one:
                value[n] += one_weight[row, a] * own[row]
                a += 1
            if takes_other:
                value[n] += other_weight[row, b] * rest[row]
                b += 1
            n += 1
        keep_largest(item[:n], value[:n], part[row], weight[row])

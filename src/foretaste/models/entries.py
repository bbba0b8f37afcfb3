"""Scores of some items as one number each, so that the larger number is the better item.

An entry holds the bits of a score, float32, in its upper half and the item's ordinal, turned round, in its
lower one: of equal positive scores the lower ordinal is the larger entry. Entries of positive scores are
positive and in the order of their scores; all others are smaller than those.
"""

import numpy as np

from foretaste.domain.arrays import Floats, Int64s, Ordinals
from foretaste.domain.kernel import kernel
from foretaste.models.sorting import fall, keep_best

TURNED = 0xFFFFFFFF
"""An ordinal turned round is this less the ordinal."""


@kernel
def entry_of(score: np.float32, item: int) -> int:
    """Return the entry of an item."""
    return int(np.int64(np.float32(score).view(np.int32))) << 32 | (TURNED - item)


def items_of(entries: Int64s) -> Ordinals:
    """Return the items of entries, int32, in their order."""
    return (TURNED - (entries & TURNED)).astype(np.int32)


@kernel
def write_scores(entries: Int64s, scores: Floats) -> None:
    """Write the score of each entry to its item's place, if there is one."""
    for entry in entries:
        item = TURNED - (entry & TURNED)
        if item < len(scores):
            scores[item] = np.int32(entry >> 32).view(np.float32)


@kernel
def pick_scores(entries: Int64s, rising: Ordinals, place: Int64s, scores: Floats) -> None:
    """Write the score of each entry whose item is one of `rising` to `place` of it."""
    for entry in entries:
        item = TURNED - (entry & TURNED)
        k = np.searchsorted(rising, item)
        while k < len(rising) and rising[k] == item:
            scores[place[k]] = np.int32(entry >> 32).view(np.float32)
            k += 1


@kernel
def in_order(entries: Int64s, length: int, count: int) -> Int64s:
    """Return the best `count` of `entries[:length]`, or all there are, the best first."""
    if length > count:
        keep_best(entries, length, count)
        length = count
    found = entries[:length].copy()
    fall(found)
    return found

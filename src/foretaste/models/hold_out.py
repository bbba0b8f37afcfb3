"""How much of a log without an order is held out of whom."""

import numpy as np

from foretaste.domain.arrays import Doubles, Int64s

FEWEST_PEOPLE = 1_000
"""So many people are asked, if there are, however much of the log that hides."""


def given_up(lengths: Int64s, share: float, lot: Doubles) -> Int64s:
    """Return how many of their `lengths` events people give up, int64: of some that `share`, of others none.

    The share of a short history, rounded up, is a large part of it, so that what remains would be much
    sparser than the log, and what suits it would not suit the log. So as few people give something up, those
    with the lowest `lot` (uniform in [0, 1)), as hide about `share` of all events, whatever the length.
    """
    hidden: Int64s = np.ceil(share * lengths).astype(np.int64)
    people = np.count_nonzero(hidden)
    if people:
        hidden[lot >= max(share * lengths.sum() / hidden.sum(), FEWEST_PEOPLE / people)] = 0
    return hidden

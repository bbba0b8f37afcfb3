"""What people come back to, and what not: types of events after which nobody here takes an item again."""

import numpy as np

from foretaste.domain.arrays import Mask
from foretaste.domain.event import EventColumns
from foretaste.evaluation.replay import first_marked

SELDOM = 0.05
"""So few of the later signs of liking are for something had before where people do not come back to it."""
BY_CHANCE = 3
"""So many more might have been (the rule of three: none of n is surely less than three of n)."""


def taken_once(events: EventColumns, counts: Mask, consuming: Mask, n_types: int) -> Mask:
    """Return after which types of events people do not come back to an item, bool [n_types].

    `events` are in order of time. A type is looked at by its signs of liking (`counts` bool [n]), and by what
    people did with their items afterwards, until an event was `consuming` (bool [n]). Types of too few events
    to tell are none.
    """
    every = np.arange(len(events))
    user = events.user.astype(np.int64)
    pair = user << 32 | events.item.astype(np.int64)
    open_still = counts & (every <= first_marked(pair, consuming))
    found = np.zeros(n_types, np.bool_)
    for kind in np.unique(events.type[counts & ~consuming]).tolist():
        of_kind = counts & (events.type == kind)
        later = int((of_kind & (every > first_marked(user, of_kind))).sum())
        again = int((open_still & (every > first_marked(pair, of_kind))).sum())
        found[kind] = again + BY_CHANCE <= SELDOM * later
    return found


def come_back(events: EventColumns, counts: Mask, consuming: Mask) -> bool:
    """Return whether more than a few of the later signs of liking are for what may be shown again.

    `events` are in order of time, `counts` and `consuming` bool [n]: such signs, and what ends the interest
    in an item.
    """
    every = np.arange(len(events))
    user = events.user.astype(np.int64)
    pair = user << 32 | events.item.astype(np.int64)
    anything = np.ones(len(events), np.bool_)
    later = counts & (every > first_marked(user, anything)) & (every <= first_marked(pair, consuming))
    again = later & (every > first_marked(pair, anything))
    return int(again.sum()) > max(BY_CHANCE, SELDOM * int(later.sum()))

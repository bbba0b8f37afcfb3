"""Rest: what a person was shown often, and did nothing with, is not shown for a time."""

import numpy as np

from foretaste.domain.arrays import MICROS_PER_SECOND, Mask, Ordinals
from foretaste.domain.query import Query
from foretaste.domain.slate_rules import Rest
from foretaste.events.vocabulary import IMPRESSION
from foretaste.pipeline.view import NOTHING, View


def resting(rest: Rest | None, view: View, now: int) -> Ordinals:
    """Return the items that rest at `now`, int32, the one that has rested longest first.

    An item rests while its latest impression is less than `seconds` ago, if the person has at least
    `impressions` of them and no other event with it within as long. A function of their own events alone.
    """
    if rest is None or view.user < 0 or IMPRESSION not in view.type_names:
        return NOTHING
    tally, since = view.state.tally(view.user), now - round(rest.seconds * MICROS_PER_SECOND)
    seen = tally.type == list(view.type_names).index(IMPRESSION)
    often = seen & (tally.count >= rest.impressions) & (tally.last > since)
    touched = tally.item[~seen & (tally.last > since)]
    often &= ~np.isin(tally.item, touched)
    longest_first = np.lexsort((tally.item[often], tally.last[often]))
    return np.asarray(tally.item[often][longest_first])


def without_resting(query: Query, view: View, allowed: Mask) -> Mask:
    """Return `allowed` (bool, by ordinal) without what rests; the same array where nothing does.

    Pinned items do not rest; nor do those that have rested longest, as many as it takes to fill the slate.
    """
    rules = query.rules
    if rules is None or rules.rest is None:
        return allowed
    pinned = [view.named.get(name, -1) for name in rules.item_ids]
    there = resting(rules.rest, view, query.now)
    there = there[(there < len(allowed)) & ~np.isin(there, pinned)]
    there = there[allowed[there]]
    if not len(there):
        return allowed
    left = allowed.copy()
    left[there] = False
    missing = query.k + len(view.shown) - np.count_nonzero(left)
    left[there[: max(0, missing)]] = True
    return left

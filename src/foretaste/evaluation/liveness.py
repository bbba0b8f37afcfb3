"""Does an answer notice what just happened, and is it the person's own? Three shares that say so."""

import msgspec
import numpy as np

from foretaste.domain.arrays import Int64s, Mask, Ordinals
from foretaste.domain.event import EventColumns
from foretaste.evaluation.beyond_accuracy import own_list_share
from foretaste.evaluation.judgement import Judged

UNKNOWN_USER = -1


class Liveness(msgspec.Struct, frozen=True, kw_only=True):
    """Shares between 0 and 1.

    `changed`: answers that differ before and after an event (asked at the same moment), the item of the event
    taken out of both. `own_lists`: people whose set of items nobody else gets. `cold_served`: unknown users
    who get a full list. `events`, `people`: how many were tried.
    """

    changed: float
    own_lists: float
    cold_served: float
    events: int
    people: int


def changed(before: Ordinals, after: Ordinals, consumed: Ordinals) -> Mask:
    """Return which lists changed, bool [n], once `consumed` [n] is taken out and one place is cut off both.

    `before` and `after` int32 [n, k + 1]: with the spare place, a list of k remains whether it held the
    item or not.
    """
    different = np.zeros(len(consumed), np.bool_)
    for row, item in enumerate(consumed):
        first, second = (lists[row][lists[row] != item][: lists.shape[1] - 1] for lists in (before, after))
        different[row] = not np.array_equal(first, second)
    return different


def measure_liveness(
    events: EventColumns, tried: Int64s, judged: Judged, *, start: int, k: int = 10, cold: int = 100
) -> Liveness:
    """Measure the first of `judged` around the events at the positions `tried` (rising) and at the end.

    `judged` knows the events before `start`; all from there on are applied. `cold` unknown users are asked
    for at moments spread over the events tried.
    """
    before = np.full((len(tried), k + 1), -1, np.int32)
    after = before.copy()
    served, asked = 0, 0
    done = start
    for row, position in enumerate(tried.tolist()):
        user, now = int(events.user[position]), int(events.time[position])
        judged.apply(events.take(done, position))
        before[row] = judged.lists(user, now, k + 1)[0]
        judged.apply(events.take(position, position + 1))
        after[row] = judged.lists(user, now, k + 1)[0]
        done = position + 1
        if row % max(1, len(tried) // cold) == 0:
            asked += 1
            served += int((judged.lists(UNKNOWN_USER, now, k)[0] >= 0).all())
    judged.apply(events.take(done, len(events)))
    end = int(events.time[-1]) if len(events) else 0
    people = np.unique(events.user)
    last = [judged.lists(int(user), end, k)[0] for user in people]
    return Liveness(
        changed=float(changed(before, after, events.item[tried]).mean()) if len(tried) else 0.0,
        own_lists=own_list_share(np.stack(last)) if last else 0.0,
        cold_served=served / asked if asked else 0.0,
        events=len(tried),
        people=len(people),
    )

"""Replay in true time order: ask before each event what comes next, then let it happen.

The protocol: before each event of a user with at least one earlier event, rank all items that the user
has not had, note at which place the item of the event stands, then apply the event. Nothing is known
but what had happened by then.
"""

import numpy as np

from foretaste.domain.arrays import Int64s, Mask
from foretaste.domain.event import EventColumns
from foretaste.evaluation.judgement import Advance, Judged, Judgement, unheard
from foretaste.evaluation.metrics import hits_of

_REPORTS = 50


def questions(events: EventColumns, *, start: int, counts: Mask, consuming: Mask) -> Int64s:
    """Return the positions, from `start` on, of the events that the protocol asks about; int64, rising.

    `events` are in time order from the beginning of the log. Asked are events that count (`counts` bool
    [n]: a sign of liking), of users with an earlier event, on items that the user has not had: had are those
    of earlier events with `consuming` (bool [n]).
    """
    every = np.arange(len(events))
    pair = events.user.astype(np.int64) << 32 | events.item.astype(np.int64)
    asked = counts & (every > first_marked(events.user.astype(np.int64), np.ones(len(events), np.bool_)))
    asked &= every <= first_marked(pair, consuming)
    return np.asarray(np.flatnonzero(asked[start:]) + start)


def drawn(positions: Int64s, most: int | None, seed: int) -> Int64s:
    """Return `positions`, thinned out by lot to `most` if there are more; int64, rising."""
    if most is None or len(positions) <= most:
        return positions
    chosen = np.random.default_rng(seed).choice(len(positions), most, replace=False)
    return positions[np.sort(chosen)]


def replay(
    events: EventColumns,
    asked: Int64s,
    judged: Judged,
    *,
    start: int,
    k: int = 10,
    possible: int | None = None,
    advance: Advance = unheard,
) -> Judgement:
    """Ask `judged` before each event at a position of `asked` (rising), and apply all events from `start` on.

    `judged` knows the events before `start`. `possible` is how many positions there were, if
    some were drawn.
    """
    names = tuple(judged.names)
    lists = np.full((len(names), len(asked), k), -1, np.int32)
    done = start
    for row, position in enumerate(asked.tolist()):
        judged.apply(events.take(done, position))
        done = position
        lists[:, row] = judged.lists(int(events.user[position]), int(events.time[position]), k)
        if row % max(1, len(asked) // _REPORTS) == 0:
            advance(row / len(asked))
    judged.apply(events.take(done, len(events)))
    truth = events.item[asked]
    each = np.arange(len(asked) + 1, dtype=np.int64)
    hits = [hits_of(lists[row], each, truth) for row in range(len(names))]
    return Judgement(
        names=names,
        user=events.user[asked],
        position=asked,
        lists=lists,
        hits=np.stack(hits) if hits else np.zeros((0, len(asked), k), np.bool_),
        wanted=np.ones(len(asked), np.int64),
        possible=len(asked) if possible is None else possible,
    )


def first_marked(group: Int64s, marked: Mask) -> Int64s:
    """Return for each position the first marked position of its group, beyond the end where there is none."""
    _, inverse = np.unique(group, return_inverse=True)
    first = np.full(int(inverse.max(initial=-1)) + 1, len(group), np.int64)
    places = np.flatnonzero(marked)
    np.minimum.at(first, inverse[places], places)
    return np.asarray(first[inverse])

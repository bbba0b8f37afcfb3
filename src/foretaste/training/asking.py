"""Which questions a part of the log asks, and when each is asked."""

import numpy as np

from foretaste.domain.arrays import MICROS_PER_SECOND, Int64s, Ordinals
from foretaste.evaluation.replay import questions
from foretaste.ranking.contexts import SESSION_SECONDS
from foretaste.training.prepare import Prepared

_FEW = 20


def asked_between(prepared: Prepared, start: int, stop: int) -> Int64s:
    """Return the positions, from `start` to before `stop`, of events that are questions; int64, rising.

    With times these are what `evaluation.replay.questions` asks; without, all signs of liking by people who
    have events before `start`.
    """
    if prepared.timed:
        events = prepared.events.take(0, stop)
        counts, consuming = prepared.counts[:stop], prepared.consuming[:stop]
        return questions(events, start=start, counts=counts, consuming=consuming)
    known = np.unique(prepared.events.user[:start])
    asked = np.isin(prepared.events.user[start:stop], known) & prepared.counts[start:stop]
    return np.flatnonzero(asked) + start


def asked_at(prepared: Prepared, position: int) -> int:
    """Return the moment, microseconds, at which a question about the event at `position` is asked."""
    if prepared.timed and position < len(prepared.events):
        return int(prepared.events.time[position])
    return int(prepared.events.time.max())


def strangers_between(prepared: Prepared, start: int, stop: int, *, each: int = 20) -> Int64s:
    """Return the positions, from `start` to before `stop`, that tell what strangers take to; int64, rising.

    The first `each` signs of liking of everyone who has no event before `start`; where there are fewer than
    one in twenty of all, all signs of liking.
    """
    positions = np.flatnonzero(prepared.counts[start:stop]) + start
    user = prepared.events.user[positions]
    new = ~np.isin(user, prepared.events.user[:start])
    order = np.argsort(user, kind="stable")
    _, begin, count = np.unique(user[order], return_index=True, return_counts=True)
    rank = np.empty(len(positions), np.int64)
    rank[order] = np.arange(len(positions)) - np.repeat(begin, count)
    found = positions[new & (rank < each)]
    return found if _FEW * len(found) >= len(positions) else positions


def session_starts(prepared: Prepared) -> Int64s:
    """Return for every event the position of the first event of its session, int64 [n].

    A session goes on as long as its person's events are no more than `SESSION_SECONDS` apart.
    """
    user, time = prepared.events.user, prepared.events.time
    order = np.argsort(user, kind="stable")
    apart = np.diff(time[order], prepend=time[order][:1]) > SESSION_SECONDS * MICROS_PER_SECOND
    first = apart | (np.diff(user[order], prepend=-1) != 0)
    starts = np.empty(len(user), np.int64)
    starts[order] = order[np.maximum.accumulate(np.where(first, np.arange(len(order)), 0))]
    return starts


def some_of_each(group: Int64s, most: int, seed: int) -> Int64s:
    """Return places of at most `most` members of every group, drawn by lot; int64, rising."""
    return np.flatnonzero(_by_lot(group, np.random.default_rng(seed)) < most)


def evenly_drawn(group: Int64s | Ordinals, most: int | None, seed: int) -> Int64s:
    """Return places of `most` members (None: all), few of each group, by lot; int64, rising."""
    if most is None or most >= len(group):
        return np.arange(len(group))
    generator = np.random.default_rng(seed)
    rank = _by_lot(group, generator)
    return np.sort(np.lexsort((generator.random(len(group)), rank))[:most])


def _by_lot(group: Int64s | Ordinals, generator: np.random.Generator) -> Int64s:
    """Return for each member its place in a random order of its group, int64 [len(group)]."""
    shuffled = generator.permutation(len(group))
    order = shuffled[np.argsort(group[shuffled], kind="stable")]
    _, begin, count = np.unique(group[order], return_index=True, return_counts=True)
    rank = np.empty(len(group), np.int64)
    rank[order] = np.arange(len(group)) - np.repeat(begin, count)
    return rank

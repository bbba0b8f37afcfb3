"""Which questions a part of the log asks, and when each is asked."""

import numpy as np

from foretaste.domain.arrays import Int64s
from foretaste.evaluation.replay import questions
from foretaste.training.prepare import Prepared


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

"""Sessions: runs of a person's events without a long pause."""

import numpy as np

from foretaste.domain.arrays import MICROS_PER_SECOND, Int64s, Micros, Ordinals

IDLE_GAP_SECONDS = 1800.0
"""A pause longer than this ends a session."""


def session_numbers(user: Ordinals, time: Micros, gap_seconds: float = IDLE_GAP_SECONDS) -> Int64s:
    """Return the number of the session that each event belongs to, int64 [n], in the order given.

    Events of one user that follow each other in time by at most `gap_seconds` share a session. Sessions
    are numbered 0, 1, 2, … by (user, start), whatever the order of the events.
    """
    if not len(user):
        return np.empty(0, np.int64)
    order = np.lexsort((time, user))
    sorted_user, sorted_time = user[order], time[order]
    begins = np.empty(len(user), np.bool_)
    begins[0] = True
    pause = np.diff(sorted_time) > round(gap_seconds * MICROS_PER_SECOND)
    begins[1:] = (np.diff(sorted_user) != 0) | pause
    numbers = np.empty(len(user), np.int64)
    numbers[order] = np.cumsum(begins) - 1
    return numbers

"""Contexts: the situations in which the blend has weights of its own."""

from bisect import bisect_right

import numpy as np

from foretaste.domain.arrays import MICROS_PER_SECOND, Int64s, Mask
from foretaste.domain.history import History

LENGTHS = (1, 2, 5, 20)
"""Histories shorter than 1, 2, 5, 20 and longer ones are told apart."""

SESSION_SECONDS = 1800.0
"""Whose last event is no older than this is in a session."""

N_CONTEXTS = 2 * (len(LENGTHS) + 1)


def context_at(length: int, in_session: bool) -> int:
    """Return the context of a history of `length` events, in a session or not."""
    return 2 * bisect_right(LENGTHS, length) + int(in_session)


def contexts_of(length: Int64s, in_session: Mask) -> Int64s:
    """Return the context of each of many, int64 as long as both."""
    return 2 * np.searchsorted(np.array(LENGTHS), length, side="right").astype(np.int64) + in_session


def is_in_session(history: History, now: int) -> bool:
    """Return whether the last event of `history` is at most `SESSION_SECONDS` before `now`."""
    return bool(len(history)) and now - int(history.time[-1]) <= SESSION_SECONDS * MICROS_PER_SECOND

"""What a question hides besides the one item that is asked about."""

import numpy as np

from foretaste.domain.arrays import Int64s, Ordinals
from foretaste.training.asking import session_starts
from foretaste.training.prepare import Prepared


class Hidden:
    """What is asked about as a whole: to propose more of it than the one item asked is not wrong.

    In a hold-out that is all that is hidden of a person; in time all that a person takes in one session, for
    who is asked about before it begins, and for strangers, of whom nothing else is known. Within a session
    what comes next is asked.
    """

    def __init__(self, prepared: Prepared) -> None:
        rows = np.arange(prepared.tune, prepared.test)
        rows = rows[prepared.counts[rows]] if prepared.kind != "sequence" else rows[:0]
        self._starts = session_starts(prepared) if prepared.timed else None
        group = self._groups(prepared.events.user[rows], rows)
        order = np.argsort(group, kind="stable")
        self._group = group[order]
        self._item = prepared.events.item[rows][order]

    def others(self, position: int, user: int, truth: int) -> Ordinals:
        """Return all that is asked about with `truth`, of `user` at `position`, but `truth`."""
        if self._starts is not None and user >= 0 and self._starts[position] != position:
            return self._item[:0]
        group = self._groups(np.array([user], np.int32), np.array([position]))[0]
        first, last = np.searchsorted(self._group, (group, group + 1))
        found = self._item[first:last]
        return np.asarray(found[found != truth])

    def _groups(self, user: Ordinals, position: Int64s) -> Int64s:
        """Return which hidden whole each event belongs to: a person, or a session by its first event."""
        return user.astype(np.int64) if self._starts is None else self._starts[position]

"""Which items the latest events were about: what was worked out of all items follows these alone."""

from collections import deque

import numpy as np

from foretaste.domain.arrays import Ordinals

MOST = 1024
"""So many items of events are remembered; who asks for more looks at all items."""


class RecentItems:
    """The items of the latest events, by the number of the event."""

    def __init__(self) -> None:
        self._first = self._last = 0
        self._batches: deque[tuple[int, Ordinals]] = deque()
        self._count = 0
        self._told: tuple[tuple[int, int], Ordinals] | None = None

    def note(self, before: int, last: int, items: Ordinals) -> None:
        """Take note that the events after `before` up to `last` were about `items`, int32."""
        if before != self._last or len(items) > MOST:
            self._batches.clear()
            self._count = 0
            self._first = before if len(items) <= MOST else last
        self._last, self._told = last, None
        if len(items) <= MOST:
            self._batches.append((last, items[items >= 0]))
            self._count += len(self._batches[-1][1])
        while self._count > MOST or len(self._batches) > MOST:
            self._first, gone = self._batches.popleft()
            self._count -= len(gone)

    def since(self, seq: int, now: int) -> Ordinals | None:
        """Return the items of the events after `seq` up to the latest one, `now`, rising, each once.

        Others may be among them. None where that is not remembered. Nobody may write to them: they are given
        to all who ask the same.
        """
        if seq < self._first or now != self._last:
            return None
        if self._told is None or self._told[0] != (seq, now):
            self._told = (seq, now), np.unique(self._after(seq))
        return self._told[1]

    def _after(self, seq: int) -> Ordinals:
        found = []
        for last, items in reversed(self._batches):
            if last <= seq:
                break
            found.append(items)
        return found[0] if len(found) == 1 else np.concatenate((np.empty(0, np.int32), *found))

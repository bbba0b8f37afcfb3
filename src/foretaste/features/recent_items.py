"""Which items the latest events were about: what was worked out of all items follows these alone."""

import numpy as np

from foretaste.domain.arrays import Ordinals
from foretaste.domain.kernel import kernel

MOST = 1024
"""So many items of events are remembered; who asks for more looks at all items."""
_ROOM = 4 * MOST


class RecentItems:
    """The items of the latest events, by the number of the event."""

    def __init__(self) -> None:
        self._first = self._last = 0
        self._begin = self._end = 0
        self._item = np.empty(_ROOM, np.int32)
        self._until = np.empty(_ROOM, np.int64)
        self._told: tuple[tuple[int, int], Ordinals] | None = None

    def note(self, before: int, last: int, items: Ordinals) -> None:
        """Take note that the events after `before` up to `last` were about `items`, int32."""
        if before != self._last or len(items) > MOST:
            self._begin = self._end = 0
            self._first = before if len(items) <= MOST else last
        self._last, self._told = last, None
        if len(items) <= MOST:
            self._append(last, items[items >= 0])

    def since(self, seq: int, now: int) -> Ordinals | None:
        """Return the items of the events after `seq` up to the latest one, `now`, rising, each once.

        Others may be among them. None where that is not remembered. Nobody may write to them: they are given
        to all who ask the same.
        """
        if seq < self._first or now != self._last:
            return None
        if self._told is None or self._told[0] != (seq, now):
            until = self._until[self._begin : self._end]
            start = self._begin + int(until.searchsorted(seq, side="right"))
            self._told = (seq, now), _rising_once(self._item[start : self._end])
        return self._told[1]

    def _append(self, last: int, items: Ordinals) -> None:
        """Remember items of a batch up to the event `last`; what is too much goes, in whole batches."""
        if self._end + len(items) > _ROOM:
            kept, count = slice(self._begin, self._end), self._end - self._begin
            self._item[:count], self._until[:count] = self._item[kept], self._until[kept]
            self._begin, self._end = 0, count
        end = self._end + len(items)
        self._item[self._end : end], self._until[self._end : end] = items, last
        self._end = end
        if end - self._begin > MOST:
            self._first = int(self._until[end - MOST - 1])
            self._begin += int(self._until[self._begin : end].searchsorted(self._first, side="right"))


@kernel
def _rising_once(items: Ordinals) -> Ordinals:
    """Return each of the items once, rising: Shell's sort, which is quick for the few there are."""
    rising, gap = items.copy(), 1
    while gap < len(rising) // 3:
        gap = 3 * gap + 1
    while gap > 0:
        for k in range(gap, len(rising)):
            item, place = rising[k], k
            while place >= gap and rising[place - gap] > item:
                rising[place] = rising[place - gap]
                place -= gap
            rising[place] = item
        gap //= 3
    n = 0
    for k in range(len(rising)):
        if k == 0 or rising[k] != rising[n - 1]:
            rising[n] = rising[k]
            n += 1
    return rising[:n]

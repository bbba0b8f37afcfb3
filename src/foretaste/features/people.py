"""What is known of all people at this moment: who touched an item lately, and what each of them did."""

from dataclasses import dataclass

import numpy as np

from foretaste.domain.arrays import Floats, Int64s, Ordinals
from foretaste.features import tables
from foretaste.features.item_state import TableHolder
from foretaste.features.touches import MINUTE, PERSON


@dataclass(frozen=True, slots=True, eq=False)
class Sessions:
    """Touches and histories as they lie in memory, for kernels: views that the next event may change.

    The touches of item i are the places `start[i]` to before `start[i] + length[i]` of `touch`, in no order
    (see `touches`). The history of user u is the places `users[u, tables.HISTORY] + users[u,
    tables.HISTORY_OFFSET]` on, `users[u, tables.HISTORY_LENGTH]` many, of `history` (its columns are
    `tables.TIME`, `KEY` and `CODE`) and of `weight`, oldest first.
    `start`, `length` and `interactions` (how many positive events) are int64 [n_items], `touch` int64 [pool],
    `users` int64 [n_users, USER_COLUMNS].
    `lines` int32 [2, pool] is for whoever reads many histories: from the first place of each, the items of
    its positive events, and their minutes (see `touches`). There are `read[u, 1]` of user u, as of the event
    `read[u, 0]`, int64 [n_users, 2]: who finds another one in `users[u, tables.USER_SEQ]` writes them anew.
    """

    start: Int64s
    length: Int64s
    interactions: Int64s
    touch: Int64s
    users: Int64s
    history: Int64s
    weight: Floats
    lines: Ordinals
    read: Int64s


_READ = ("users", "history", "weight", "items", "touches", "counts")


class People:
    """The side of a state that is about people. Read it while no event is applied, as `ItemState`."""

    def __init__(self, holder: TableHolder, *, is_frozen: bool = False) -> None:
        self._holder = holder
        self.is_frozen = is_frozen
        self._breaks = holder.breaks
        self._lines: Ordinals = np.empty((2, 0), np.int32)
        self._read: Int64s = np.empty((0, 2), np.int64)

    def frozen(self) -> "People":
        """Return what is known now, which later events do not change."""
        arrays = self._holder.arrays
        copies = {name: getattr(arrays, name).copy() for name in _READ}
        return People(TableHolder(arrays._replace(**copies)), is_frozen=True)

    @property
    def sessions(self) -> Sessions:
        """The arrays behind `touches` and all histories, for kernels."""
        arrays = self._holder.arrays
        n_users = arrays.counts[tables.N_USERS]
        items = arrays.items[: arrays.counts[tables.N_ITEMS]]
        self._make_lines(arrays)
        return Sessions(
            start=items[:, tables.TOUCH],
            length=items[:, tables.TOUCH_LENGTH],
            interactions=items[:, tables.INTERACTIONS],
            touch=arrays.touches,
            users=arrays.users[:n_users],
            history=arrays.history,
            weight=arrays.weight,
            lines=self._lines,
            read=self._read[:n_users],
        )

    def _make_lines(self, arrays: tables.Arrays) -> None:
        """Have room for all lines; where histories lie elsewhere by now all have to be written anew."""
        if self._lines.shape[1] != len(arrays.history) or self._breaks != self._holder.breaks:
            self._lines, self._read = np.empty((2, len(arrays.history)), np.int32), np.empty((0, 2), np.int64)
            self._breaks = self._holder.breaks
        missing = len(arrays.users) - len(self._read)
        if missing > 0:
            self._read = np.concatenate((self._read, np.full((missing, 2), -1)))

    def touches(self, item: int) -> tuple[Ordinals, Int64s]:
        """Return who had to do with `item`, the latest first, and when: microseconds, down to the minute.

        Each person once, at most as many as the state keeps; empty for an unknown item.
        """
        arrays = self._holder.arrays
        if not 0 <= item < arrays.counts[tables.N_ITEMS]:
            return np.empty(0, np.int32), np.empty(0, np.int64)
        start, length = arrays.items[item, tables.TOUCH], arrays.items[item, tables.TOUCH_LENGTH]
        row = np.sort(arrays.touches[start : start + length])[::-1]
        return (row & PERSON).astype(np.int32), (row >> 32) * MINUTE

"""Rows by what they were made of: who asks about the same once more has them at once."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foretaste.domain.arrays import Int64s

Rows = tuple[NDArray[Any], ...]
"""Equally long arrays, a row for each item."""
Key = tuple[int, int]
"""A digest of what a row is made of, in two parts."""


class RememberedRows:
    """The rows made last, `most` at most; the oldest go first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._place: dict[Key, int] = {}
        self._keys: list[Key | None] = [None] * most
        self._rows: Rows = ()
        self._next = 0

    def of(self, keys: Sequence[Key], make: Callable[[Int64s], Rows]) -> Rows:
        """Return a row for each of `keys`, new arrays; `make` gives those at the places it is told, int64."""
        place = np.array([self._place.get(key, -1) for key in keys], np.int64)
        missing = np.flatnonzero(place < 0)
        if self._rows and not len(missing):
            return tuple(array[place] for array in self._rows)
        made = make(missing)
        rows = made
        if len(missing) < len(keys):
            rows = tuple(array[place] for array in self._rows)
            for array, new in zip(rows, made, strict=True):
                array[missing] = new
        self._keep([keys[at] for at in missing.tolist()], made)
        return rows

    def _keep(self, keys: Sequence[Key], rows: Rows) -> None:
        if not self._rows:
            self._rows = tuple(np.zeros((self._most, *array.shape[1:]), array.dtype) for array in rows)
        kept = slice(max(0, len(keys) - self._most), None)
        places = (self._next + np.arange(len(keys[kept]))) % self._most
        for key, place in zip(keys[kept], places.tolist(), strict=True):
            before = self._keys[place]
            if before is not None and self._place.get(before) == place:
                del self._place[before]
            self._keys[place], self._place[key] = key, place
        for array, new in zip(self._rows, rows, strict=True):
            array[places] = new[kept]
        self._next = (self._next + len(places)) % self._most

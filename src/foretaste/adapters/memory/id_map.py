"""The id map in memory."""

from collections.abc import Sequence
from threading import Lock
from typing import get_args

import numpy as np

from foretaste.domain.arrays import Ordinals
from foretaste.ports.id_map import IdKind


class MemoryIdMap:
    """`IdMap` that ends with the process."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._names: dict[IdKind, list[str]] = {kind: [] for kind in get_args(IdKind)}
        self._ordinals: dict[IdKind, dict[str, int]] = {kind: {} for kind in get_args(IdKind)}

    def assign(self, kind: IdKind, ids: Sequence[str]) -> Ordinals:
        """Return the ordinals of `ids`, giving new ones where needed."""
        with self._lock:
            ordinals, names = self._ordinals[kind], self._names[kind]
            for name in ids:
                if name not in ordinals:
                    names.append(name)
                    ordinals[name] = len(names) - 1
        return self.find(kind, ids)

    def find(self, kind: IdKind, ids: Sequence[str]) -> Ordinals:
        """Return the ordinals of `ids`, -1 where unknown."""
        ordinals = self._ordinals[kind]
        return np.array([ordinals.get(name, -1) for name in ids], np.int32)

    def ordinal(self, kind: IdKind, one: str) -> int:
        """Return the ordinal of one id, -1 where unknown."""
        return self._ordinals[kind].get(one, -1)

    def names(self, kind: IdKind, start: int = 0) -> list[str]:
        """Return the ids with ordinals from `start` on, in order."""
        return self._names[kind][start:]

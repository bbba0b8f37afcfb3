"""Arrays that were computed from a catalog and may be used again, within a bound of memory."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any, TypeVar

from numpy.typing import NDArray

MOST_BYTES = 256 << 20
T = TypeVar("T")


class KeptArrays:
    """What was made under a key is given again; beyond `most_bytes` the longest unused goes.

    The arrays of `size_of` are made read-only, since many answers share them. Threads may ask at once; of two
    that make the same, one is kept.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most = most_bytes
        self._bytes = 0
        self._kept: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        """How many are kept."""
        return len(self._kept)

    def get(self, key: Hashable, make: Callable[[], T], arrays: Callable[[T], list[NDArray[Any]]]) -> T:
        """Return what `key` stands for, made now if it is not kept; `arrays` are those that it holds."""
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
                known: T = found[0]
                return known
        made = make()
        held = arrays(made)
        for array in held:
            array.flags.writeable = False
        size = sum(array.nbytes for array in held)
        if held and size <= self._most:
            self._keep(key, made, size)
        return made

    def _keep(self, key: Hashable, made: object, size: int) -> None:
        with self._lock:
            if key in self._kept:
                return
            self._kept[key] = (made, size)
            self._bytes += size
            while self._bytes > self._most:
                _, (_, freed) = self._kept.popitem(last=False)
                self._bytes -= freed

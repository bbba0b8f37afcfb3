"""Work that several ask for at the same moment is done once."""

from collections.abc import Callable, Hashable
from concurrent.futures import Future
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")
PATIENCE_SECONDS = 1.0
"""So long others' work is waited for; then it is done here too."""


class Flights(Generic[T]):
    """Any number of threads may ask; `waiting` counts those that wait for another's work."""

    def __init__(self, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self.waiting = 0
        self._patience = patience_seconds
        self._lock = Lock()
        self._under_way: dict[Hashable, Future[T]] = {}

    @property
    def under_way(self) -> int:
        """How many different things are worked on."""
        return len(self._under_way)

    def joined(self, key: Hashable, work: Callable[[], T]) -> tuple[T | None, bool]:
        """Return what `work` gives, and False; or what it gave for who asked for `key` before, and True.

        None, and True, where that failed or takes too long. Raises what `work` raises.
        """
        with self._lock:
            before = self._under_way.get(key)
            if before is None:
                mine = self._under_way[key] = Future()
        if before is not None:
            return self._waited_for(before), True
        try:
            found = work()
        except BaseException as error:
            self._landed(key)
            mine.set_exception(error)
            raise
        self._landed(key)
        mine.set_result(found)
        return found, False

    def _landed(self, key: Hashable) -> None:
        with self._lock:
            del self._under_way[key]

    def _waited_for(self, before: Future[T]) -> T | None:
        with self._lock:
            self.waiting += 1
        try:
            return before.result(self._patience)
        except Exception:  # noqa: BLE001 - too late, or failed: whoever does the work tells of that
            return None
        finally:
            with self._lock:
                self.waiting -= 1

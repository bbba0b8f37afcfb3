"""Answers in memory, the least recently asked for given up first."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Lock
from time import monotonic

from foretaste.ports.answer_cache import Lookup

_OVERHEAD = 400
"""Bytes of memory that a person's entry takes beside its answers, about."""


@dataclass(slots=True)
class _Shelf:
    stamp: bytes
    until: float
    answers: dict[bytes, bytes] = field(default_factory=dict)
    size: int = _OVERHEAD


class MemoryAnswerCache:
    """`AnswerCache` that ends with the process and holds about `most_bytes`.

    `most_answers` are kept for one person, `most_answer_bytes` is the longest answer; `clock` reads seconds.
    """

    def __init__(
        self,
        *,
        ttl_seconds: float = 3600.0,
        most_bytes: int = 64 << 20,
        most_answers: int = 16,
        most_answer_bytes: int = 1 << 17,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._ttl = ttl_seconds
        self._most_bytes = most_bytes
        self._most_answers = most_answers
        self._most_answer_bytes = most_answer_bytes
        self._clock = clock
        self._lock = Lock()
        self._shelves: OrderedDict[str | None, _Shelf] = OrderedDict()
        self._size = 0

    def get(self, user_id: str | None, stamp: bytes, request: bytes) -> Lookup:
        """Return what is kept for a request under a stamp."""
        with self._lock:
            shelf = self._shelf(user_id)
            if shelf is None:
                return Lookup(answer=None, outcome="absent")
            if shelf.stamp != stamp:
                return Lookup(answer=None, outcome="stale")
            self._shelves.move_to_end(user_id)
            answer = shelf.answers.get(request)
            return Lookup(answer=answer, outcome="absent" if answer is None else "hit")

    def put(self, user_id: str | None, stamp: bytes, request: bytes, answer: bytes) -> bool:
        """Keep an answer; return whether it is kept."""
        if len(answer) > self._most_answer_bytes:
            return False
        with self._lock:
            shelf = self._shelf(user_id)
            if shelf is None or shelf.stamp != stamp or _is_full(shelf, request, self._most_answers):
                self._drop(user_id)
                shelf = self._shelves[user_id] = _Shelf(stamp, self._clock() + self._ttl)
                self._size += shelf.size
            former = shelf.answers.get(request)
            grown = len(answer) + len(request) if former is None else len(answer) - len(former)
            shelf.answers[request] = answer
            shelf.size += grown
            self._size += grown
            self._shelves.move_to_end(user_id)
            while self._size > self._most_bytes:
                self._drop(next(iter(self._shelves)))
        return True

    def forget(self, user_ids: Sequence[str]) -> int:
        """Remove everything of people."""
        with self._lock:
            return sum(self._drop(user_id) for user_id in user_ids)

    def close(self) -> None:
        """Nothing is held but memory."""

    @property
    def size(self) -> int:
        """About how many bytes are held."""
        return self._size

    def _shelf(self, user_id: str | None) -> _Shelf | None:
        """Return a person's entry unless it is too old."""
        shelf = self._shelves.get(user_id)
        if shelf is not None and self._clock() >= shelf.until:
            self._drop(user_id)
            return None
        return shelf

    def _drop(self, user_id: str | None) -> bool:
        shelf = self._shelves.pop(user_id, None)
        if shelf is not None:
            self._size -= shelf.size
        return shelf is not None


def _is_full(shelf: _Shelf, request: bytes, most: int) -> bool:
    return len(shelf.answers) >= most and request not in shelf.answers

"""The page: how far the keeper is, in memory that all processes of one service share.

Aligned 64-bit integers in a mapped file. The keeper writes what it published, each reader what it took over.
Whoever is behind finds what is missing in the stores; the page itself holds no data.
"""

import mmap
import os
import time
from pathlib import Path
from threading import Lock
from typing import Final, NamedTuple, Self

BYTES: Final = 4096
_WORD: Final = 8
_CHANGE, _KEEPER, _WANTED, _FIRST = 0, 1, 2, 3
_SLOTS, _SLOT = 16, 8
MOST_READERS: Final = (BYTES // _WORD - _SLOTS) // _SLOT
"""How many readers a page has room for."""
_ANSWERS: Final = 7
_PATIENCE_SECONDS: Final = 0.05
_PAUSE_SECONDS: Final = 0.0001


class Published(NamedTuple):
    """How far the keeper is: each number only grows.

    `seq` is that of the last event that is durable and folded, `catalog` and `people` are versions, `model`,
    `blend` and `scenarios` count the changes of what serves.
    """

    seq: int = 0
    catalog: int = 0
    people: int = 0
    model: int = 0
    blend: int = 0
    scenarios: int = 0


_SIZE = len(Published._fields)
NOTHING: Final = Published()


class SharedPage:
    """The page in the file at `path`, of which one process writes `publish` and each reader its own slot.

    A number is read whole or not at all. What belongs together is read together: a writer makes `change` odd,
    writes, and makes it even again, and who reads looks at it before and after.
    """

    def __init__(self, path: Path) -> None:
        with path.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), BYTES)
        self._words = memoryview(self._memory).cast("q")
        self._writing, self._fence = Lock(), Lock()

    @classmethod
    def create(cls, path: Path) -> Self:
        """Make the file at `path` and return its page, all zero."""
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.ftruncate(descriptor, BYTES)
        finally:
            os.close(descriptor)
        return cls(path)

    @property
    def change(self) -> int:
        """A number that is another one after each `publish`."""
        return self._words[_CHANGE]

    def publish(self, now: Published) -> None:
        """Let readers know how far the keeper is; whoever looks afterwards sees it, or what came later."""
        words = self._words
        with self._writing:
            words[_CHANGE] |= 1
            self._order()
            for place, value in enumerate(now, _FIRST):
                words[place] = value
            self._order()
            words[_CHANGE] += 1

    def published(self) -> tuple[int, Published]:
        """Return `change` and what was published by then.

        Where a keeper died while it published, or rests in the middle of it, `change` is odd and the numbers
        may be of two moments; none is older than what was published last.
        """
        deadline = 0.0
        while True:
            before = self.change
            self._order()
            found = Published(*self._words[_FIRST : _FIRST + _SIZE])
            self._order()
            if not before & 1 and self.change == before:
                return before, found
            now = time.monotonic()
            deadline = deadline or now + _PATIENCE_SECONDS
            if now >= deadline:
                return before | 1, found
            time.sleep(_PAUSE_SECONDS)

    @property
    def keeper(self) -> int:
        """The process id of the keeper, 0 while there is none that takes writes."""
        return self._words[_KEEPER]

    @keeper.setter
    def keeper(self, pid: int) -> None:
        self._words[_KEEPER] = pid

    @property
    def wanted(self) -> int:
        """How many readers there should be."""
        return self._words[_WANTED]

    @wanted.setter
    def wanted(self, readers: int) -> None:
        self._words[_WANTED] = readers

    def reader(self, slot: int) -> int:
        """Return the process id of the reader in this slot, 0 where there is none."""
        return self._words[_place(slot)]

    def taken_over(self, slot: int) -> Published:
        """Return how far a reader is."""
        begin = _place(slot) + 1
        return Published(*self._words[begin : begin + _SIZE])

    def take_over(self, slot: int, pid: int, now: Published) -> None:
        """Note that this slot is that of the reader `pid`, and how far it is."""
        begin = _place(slot) + 1
        for place, value in enumerate(now, begin):
            self._words[place] = value
        self._order()
        self._words[begin - 1] = pid

    def answer(self, slot: int, connections: int = 0) -> None:
        """Note that the reader in this slot takes requests, and has so many connections."""
        self._words[_place(slot) + _ANSWERS] = 1 + connections

    def fewest_connections(self) -> int:
        """Return how many connections the reader has that has the fewest of those that take requests."""
        answering = [self._words[_place(slot) + _ANSWERS] for slot in range(self.wanted)]
        return min([connections for connections in answering if connections], default=1) - 1

    def vacate(self, slot: int) -> None:
        """Note that there is no reader in this slot."""
        self._words[_place(slot) + _ANSWERS] = 0
        self._words[_place(slot)] = 0

    def readers(self) -> list[int]:
        """Return the slots that have a reader."""
        return [slot for slot in range(self.wanted) if self.reader(slot)]

    def answering(self) -> list[int]:
        """Return the slots whose readers take requests."""
        return [slot for slot in range(self.wanted) if self._words[_place(slot) + _ANSWERS]]

    def close(self) -> None:
        """Release the memory. Closing twice is fine."""
        self._words.release()
        self._memory.close()

    def _order(self) -> None:
        """Let no processor move what is written or read before this behind it: locks are such barriers."""
        with self._fence:
            pass


def _place(slot: int) -> int:
    return _SLOTS + slot * _SLOT

"""What the log's events said of their moments: device, place, source, … bounded, as circumstances."""

from array import array
from collections import Counter
from collections.abc import Iterable, Mapping

import numpy as np

from foretaste.domain.arrays import Int64s
from foretaste.domain.circumstances import CLOCK, TOPICS, Circumstances, written
from foretaste.domain.event import EventColumns
from foretaste.ports.event_log import EventLog

MOST_KEYS = 64
"""So many keys of contexts are told apart, the first ones met."""
MOST_VALUES = 256
"""So many values of each key are told apart, the most frequent ones."""
MOST_HELD = 4_096
"""While reading so many values of each key are counted, the first ones met."""
_TOPICS = f"{TOPICS}="


def contexts_of(log: EventLog, seqs: Int64s) -> tuple[Circumstances, int]:
    """Return the contexts of the events with these rising sequence numbers, and how many entries are dropped.

    What they say under `topics` is about the item that was taken, which nobody knows before, and is left out.
    Nothing, and next to no work, where no event has a context.
    """
    return contexts_among(log.contexts(0), seqs)


def contexts_among(told: Iterable[tuple[int, Mapping[str, str]]], seqs: Int64s) -> tuple[Circumstances, int]:
    """Return the same of contexts `told` with the numbers of their events, rising as `seqs` do."""
    reading = _Reading()
    last = int(seqs[-1]) if len(seqs) else 0
    for seq, context in told:
        if seq > last:
            break
        reading.take(seq, written(context))
    return reading.result(seqs)


class Moments:
    """The contexts of events by person and moment."""

    def __init__(self, events: EventColumns, contexts: Circumstances) -> None:
        rows = np.flatnonzero(np.diff(contexts.start))
        self._row = rows[np.lexsort((events.time[rows], events.user[rows]))]
        self._user, self._time = events.user[self._row], events.time[self._row]
        self._contexts = contexts

    def of(self, user: int, now: int) -> tuple[str, ...]:
        """Return what an event of `user` at the very moment `now` said of it; nothing if there is none."""
        first, last = np.searchsorted(self._user, (user, user + 1))
        place = first + int(np.searchsorted(self._time[first:last], now))
        if place == last or self._time[place] != now:
            return ()
        return self._contexts.of(int(self._row[place]))


class _Reading:
    """Entries of contexts read so far: the sequence number and the code of each."""

    def __init__(self) -> None:
        self._codes: dict[str, int] = {}
        self._held: Counter[str] = Counter()
        self._seq = array("q")
        self._code = array("i")
        self._dropped = 0

    def take(self, seq: int, names: tuple[str, ...]) -> None:
        for name in names:
            if name.startswith(_TOPICS):
                continue
            code = self._codes.get(name)
            if code is None:
                code = self._new(name)
            if code < 0:
                self._dropped += 1
            else:
                self._seq.append(seq)
                self._code.append(code)

    def result(self, seqs: Int64s) -> tuple[Circumstances, int]:
        if not self._code:
            return Circumstances(), self._dropped
        code = np.frombuffer(self._code, np.int32)
        kept = self._frequent(np.bincount(code, minlength=len(self._codes)))
        place = np.full(len(self._codes), -1, np.int32)
        place[kept] = np.arange(len(kept))
        rows = place[code] >= 0
        at = np.searchsorted(seqs, np.frombuffer(self._seq, np.int64)[rows])
        sizes = np.bincount(at, minlength=len(seqs))
        names = list(self._codes)
        told = Circumstances(
            names=tuple(names[number] for number in kept),
            start=np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes, dtype=np.int64)]),
            code=place[code[rows]],
        )
        return told, self._dropped + int(np.count_nonzero(~rows))

    def _new(self, name: str) -> int:
        """Return the code of a name met for the first time, -1 where it is one too many."""
        key = name.partition("=")[0]
        if key in CLOCK or (key not in self._held and len(self._held) >= MOST_KEYS):
            return -1
        if self._held[key] >= MOST_HELD:
            return -1
        self._held[key] += 1
        return self._codes.setdefault(name, len(self._codes))

    def _frequent(self, counts: Int64s) -> list[int]:
        """Return the codes of the most frequent values of each key, in order of first sight."""
        found: Counter[str] = Counter()
        kept = []
        names = list(self._codes)
        for number in np.argsort(-counts, kind="stable").tolist():
            key = names[number].partition("=")[0]
            found[key] += 1
            if found[key] <= MOST_VALUES:
                kept.append(number)
        return sorted(kept)

"""Circumstances: what is known of a moment of asking beside the history, each written as `key=value`.

The hour and the weekday, what the query's context says (device, location, …) and what is known of the person
(age, gender, country, …).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache

import numpy as np

from foretaste.domain.arrays import MICROS_PER_SECOND, Int64s, Ordinals
from foretaste.domain.item import Attribute

CLOCK = ("hour", "weekday")
"""Keys that the clock tells."""
TOPICS = "topics"
"""The key under which an event's context says, joined by `|`, what its item is about: no circumstance."""
HOURS = 3
"""Hours of a day are told apart in threes: 0, 3, 6, …"""
WIDTH = 10
"""Numbers from 20 to 29 are alike, as ages are."""
MOST = 256
"""So many different circumstances of people are told apart, the most frequent ones."""
LONGEST = 64


def _no_starts() -> Int64s:
    return np.zeros(1, np.int64)


def _no_codes() -> Ordinals:
    return np.empty(0, np.int32)


@dataclass(frozen=True, slots=True, eq=False)
class Circumstances:
    """The circumstances of people by user ordinal, or of events by their place.

    Those of row u are `names[code[i]]` for i from `start[u]`, int64 [n_rows + 1], to before `start[u + 1]`;
    `code` is int32. Rows beyond have none.
    """

    names: tuple[str, ...] = ()
    start: Int64s = field(default_factory=_no_starts)
    code: Ordinals = field(default_factory=_no_codes)

    def of(self, row: int) -> tuple[str, ...]:
        """Return the circumstances of a row."""
        if not 0 <= row < len(self.start) - 1:
            return ()
        return tuple(self.names[code] for code in self.code[self.start[row] : self.start[row + 1]])

    def take(self, rows: Int64s) -> "Circumstances":
        """Return the circumstances of these rows, in this order; of nobody where nothing is known at all."""
        if not self.names:
            return self
        sizes = np.diff(self.start)[rows]
        start = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])
        places = np.arange(start[-1]) + np.repeat(self.start[rows] - start[:-1], sizes)
        return Circumstances(self.names, start, self.code[places])


def clock_of(now: int) -> tuple[str, ...]:
    """Return the hour and the weekday (0 is Monday) of a moment in microseconds UTC."""
    return _clock_in(now // (MICROS_PER_SECOND * 3600))


@lru_cache(maxsize=64)
def _clock_in(hours: int) -> tuple[str, ...]:
    moment = datetime.fromtimestamp(hours * 3600, UTC)
    return f"hour={moment.hour // HOURS * HOURS}", f"weekday={moment.weekday()}"


def written(attributes: Mapping[str, Attribute]) -> tuple[str, ...]:
    """Return attributes as circumstances, by key: numbers in tens, texts in lower case and shortened."""
    return tuple(f"{key}={_value(attributes[key])}"[:LONGEST] for key in sorted(attributes))


def known_at(moment: tuple[str, ...], person: tuple[str, ...]) -> tuple[str, ...]:
    """Return the circumstances of a moment, and those of the person of which the moment says nothing."""
    if not moment:
        return person
    said = {name.partition("=")[0] for name in moment}
    return (*moment, *(name for name in person if name.partition("=")[0] not in said))


def circumstances_of(people: Sequence[Mapping[str, Attribute]]) -> Circumstances:
    """Return the circumstances of people with these attributes, the first being user 0."""
    each = [written(attributes) for attributes in people]
    counts: dict[str, int] = {}
    for told in each:
        for name in told:
            counts[name] = counts.get(name, 0) + 1
    names = sorted(sorted(counts), key=lambda name: -counts[name])[:MOST]
    place = {name: number for number, name in enumerate(names)}
    codes = [[place[name] for name in told if name in place] for told in each]
    return Circumstances(
        names=tuple(names),
        start=np.cumsum([0, *map(len, codes)], dtype=np.int64),
        code=np.array([code for row in codes for code in row], np.int32),
    )


def _value(value: Attribute) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(int(value // WIDTH * WIDTH))
    return value.strip().lower()

"""A person: all that a state knows of one, on its own."""

from dataclasses import dataclass

import numpy as np

from foretaste.domain.arrays import Int16s, Int64s, Micros, Ordinals
from foretaste.domain.history import History


@dataclass(frozen=True, slots=True, eq=False)
class Person:
    """What the events of one person come to, complete up to sequence number `as_of` of the log.

    `seq` is the number of their last event (of a state that was restored: at most the snapshot's), never
    above `as_of`; `events` how many there were, `first` and `last` their earliest and latest time in
    microseconds (0 without events). `history` are the latest weighted events, `key` int64 the event keys
    that order those of one time. The tally has one row for each (item, type), in that order: `tally_item`
    int32, `tally_type` int16, `tally_count` int64, `tally_last` int64, the latest time. Where `is_whole` is
    False the tally was longer than its bound, and neither it nor the history is here.
    """

    seq: int
    as_of: int
    events: int
    first: int
    last: int
    history: History
    key: Int64s
    tally_item: Ordinals
    tally_type: Int16s
    tally_count: Int64s
    tally_last: Micros
    is_whole: bool = True


NO_HISTORY = History(
    item=np.empty(0, np.int32),
    weight=np.empty(0, np.float32),
    time=np.empty(0, np.int64),
    type=np.empty(0, np.int16),
)

NOBODY = Person(
    seq=0,
    as_of=0,
    events=0,
    first=0,
    last=0,
    history=NO_HISTORY,
    key=np.empty(0, np.int64),
    tally_item=np.empty(0, np.int32),
    tally_type=np.empty(0, np.int16),
    tally_count=np.empty(0, np.int64),
    tally_last=np.empty(0, np.int64),
)
"""Somebody without events."""


def head_of(person: Person) -> Person:
    """Return `person` without history and tally, as one whose tally is too long is kept."""
    return Person(
        seq=person.seq,
        as_of=person.as_of,
        events=person.events,
        first=person.first,
        last=person.last,
        history=NO_HISTORY,
        key=NOBODY.key,
        tally_item=NOBODY.tally_item,
        tally_type=NOBODY.tally_type,
        tally_count=NOBODY.tally_count,
        tally_last=NOBODY.tally_last,
        is_whole=False,
    )

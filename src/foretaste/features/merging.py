"""Merging people: an anonymous history becomes a known person's, from one place of the log on.

A merge is two events of reserved types that stand next to each other in the log: `merge_from` by the old id,
`merge_into` by the other. Both are about the reserved item and weigh nothing. What the old id did before
is then the other's; what it does afterwards is too. What items learnt from it before stays as it is.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from foretaste.domain.arrays import Int64s, Ordinals
from foretaste.domain.event import EventColumns
from foretaste.domain.kernel import inner_kernel, inplace_kernel
from foretaste.events.vocabulary import MERGE_FROM, MERGE_INTO
from foretaste.features.keyed_rows import give_block, insert, position, room, take_block
from foretaste.features.tables import (
    CODE,
    COUNT,
    EVENTS,
    FIRST,
    HISTORIES,
    HISTORY,
    HISTORY_LENGTH,
    HISTORY_LEVEL,
    HISTORY_OFFSET,
    KEY,
    LAST,
    LAST_TIME,
    NEEDED,
    TALLIES,
    TALLY,
    TALLY_LENGTH,
    TALLY_LEVEL,
    TIME,
    TOUCH,
    TOUCH_LENGTH,
    TYPE_BITS,
    USER_SEQ,
    Arrays,
)
from foretaste.features.touches import PERSON

_NOWHERE = np.empty(0, np.int64)


class Aliases:
    """Who is somebody else now: ordinals of old ids, each with the person it was merged into."""

    def __init__(self, pairs: Int64s | None = None) -> None:
        self._into: dict[int, int] = {}
        self._merged: dict[int, list[int]] = {}
        for old, into in () if pairs is None else pairs.tolist():
            self._into[old] = into
            self._merged.setdefault(into, []).append(old)
        self._table = self._as_table()

    def __bool__(self) -> bool:
        return bool(self._into)

    def add(self, old: int, into: int) -> None:
        """Let `old`, and who was merged into it, be `into`; both are people of their own."""
        moved = [*self._merged.pop(old, []), old]
        self._into.update(dict.fromkeys(moved, into))
        self._merged.setdefault(into, []).extend(moved)
        self._table = self._as_table()

    def person(self, user: int) -> int:
        """Return who a user is now."""
        return self._into.get(user, user)

    def people(self, users: Ordinals) -> Ordinals:
        """Return who users are now, int32."""
        if not self._into:
            return users
        inside = users < len(self._table)
        return np.where(inside, self._table[np.where(inside, users, 0)], users)

    def of(self, person: int) -> list[int]:
        """Return the users that were merged into a person, in rising order."""
        return sorted(self._merged.get(person, ()))

    def pairs(self) -> Int64s:
        """Return (old, into), int64 [n, 2], by rising `old`."""
        return np.array(sorted(self._into.items()), np.int64).reshape(-1, 2)

    def _as_table(self) -> Ordinals:
        table = np.arange(1 + max(self._into, default=-1), dtype=np.int32)
        for user, target in self._into.items():
            table[user] = target
        return table


def marks(events: EventColumns, type_names: Sequence[str]) -> Int64s:
    """Return the places of the events that tell of merges, int64."""
    reserved = _reserved(type_names)
    return np.flatnonzero(np.isin(events.type, reserved)) if reserved else _NOWHERE


def resolved(events: EventColumns, type_names: Sequence[str]) -> EventColumns:
    """Return the events of a whole log as the people they are of now, without those that tell of merges."""
    places = marks(events, type_names)
    if not len(places):
        return events
    aliases, into = Aliases(), type_names.index(MERGE_INTO)
    for place in places.tolist():
        if events.type[place] == into and place > 0:
            old, person = (aliases.person(int(events.user[at])) for at in (place - 1, place))
            if old != person:
                aliases.add(old, person)
    kept = np.ones(len(events), np.bool_)
    kept[places] = False
    merged = replace(events, user=aliases.people(events.user))
    return merged.where(kept, events.previous_seq)


def _reserved(type_names: Sequence[str]) -> list[int]:
    return [type_names.index(name) for name in (MERGE_FROM, MERGE_INTO) if name in type_names]


@inner_kernel
def _comes_later(history: Int64s, one: int, other: int) -> bool:
    """Return whether row `one` comes after row `other` by (time, key, code)."""
    for part in (TIME, KEY, CODE):
        if history[one, part] != history[other, part]:
            return bool(history[one, part] > history[other, part])
    return False


@inner_kernel
def _level_for(length: int) -> int:
    level = 0
    while room(level) < length:
        level += 1
    return level


@inner_kernel
def _join_histories(a: Arrays, old: int, into: int, level: int, length: int) -> None:
    """Lay the latest `length` events of both into a new block of `into`."""
    users, history, weight, blocks = a.users, a.history, a.weight, a.blocks[HISTORIES]
    block = take_block(history[:, TIME], blocks, level) if level > 0 else 0
    first, second = (
        users[old, HISTORY] + users[old, HISTORY_OFFSET],
        users[into, HISTORY] + users[into, HISTORY_OFFSET],
    )
    left, right = first + users[old, HISTORY_LENGTH] - 1, second + users[into, HISTORY_LENGTH] - 1
    for place in range(block + length - 1, block - 1, -1):
        from_left = left >= first and (right < second or _comes_later(history, left, right))
        row = left if from_left else right
        for part in range(3):
            history[place, part] = history[row, part]
        weight[place] = weight[row]
        if from_left:
            left -= 1
        else:
            right -= 1
    for user in (old, into):
        give_block(history[:, TIME], blocks, users[user, HISTORY], users[user, HISTORY_LEVEL])
        users[user, HISTORY] = users[user, HISTORY_OFFSET] = 0
        users[user, HISTORY_LENGTH] = users[user, HISTORY_LEVEL] = 0
    users[into, HISTORY], users[into, HISTORY_LENGTH], users[into, HISTORY_LEVEL] = block, length, level


@inner_kernel
def _hand_over_touch(items: Int64s, touches: Int64s, item: int, old: int, into: int) -> None:
    """Let the touch of `old` be one of `into`; where both touched the item, the later one stays."""
    start = items[item, TOUCH]
    end = start + items[item, TOUCH_LENGTH]
    theirs, own = int(np.int64(-1)), int(np.int64(-1))
    for place in range(start, end):
        person = touches[place] & PERSON
        if person == old:
            theirs = place
        elif person == into:
            own = place
    if theirs < 0:
        return
    touch = (touches[theirs] >> 32) << 32 | into
    if own < 0:
        touches[theirs] = touch
        return
    touches[own] = max(touches[own], touch)
    touches[theirs] = touches[end - 1]
    items[item, TOUCH_LENGTH] -= 1


@inner_kernel
def _add_tallies(a: Arrays, old: int, into: int) -> None:
    users, tally, index, blocks = a.users, a.tally, a.tally_index, a.blocks[TALLIES]
    start = users[old, TALLY]
    for row in range(start, start + users[old, TALLY_LENGTH]):
        code = tally[row, 0]
        level = users[into, TALLY_LEVEL]
        place = position(tally, index, users[into, TALLY], users[into, TALLY_LENGTH], level, code)
        if place < 0:
            place = insert(tally, index, blocks, users, into, int(np.int64(TALLY)), code)
            tally[place, LAST_TIME] = tally[row, LAST_TIME]
        tally[place, COUNT] += tally[row, COUNT]
        tally[place, LAST_TIME] = max(tally[place, LAST_TIME], tally[row, LAST_TIME])
        _hand_over_touch(a.items, a.touches, code >> TYPE_BITS, old, into)
    give_block(tally[:, 0], blocks, start, users[old, TALLY_LEVEL])
    users[old, TALLY] = users[old, TALLY_LENGTH] = users[old, TALLY_LEVEL] = 0


@inplace_kernel
def merge_people(a: Arrays, old: int, into: int, seq: int, longest: int) -> bool:
    """Let all that is known of `old` be known of `into`; return whether the arrays were long enough.

    Where they are not, nothing was done: grow them (`tables.grown`) and call again.
    """
    users, needed = a.users, a.counts[NEEDED:]
    needed[0], needed[1], needed[2], needed[3] = max(old, into) + 1, 0, 0, 0
    needed[4], needed[5] = 0, 0
    if needed[0] > len(users):
        return False
    length = min(users[old, HISTORY_LENGTH] + users[into, HISTORY_LENGTH], longest)
    level = _level_for(length)
    needed[2] = a.blocks[HISTORIES][0] + room(level)
    rows = users[old, TALLY_LENGTH] + users[into, TALLY_LENGTH]
    needed[3] = a.blocks[TALLIES][0] + 2 * room(_level_for(rows) + 1)
    if needed[2] > len(a.history) or needed[3] > len(a.tally):
        return False
    _join_histories(a, old, into, level, length)
    _add_tallies(a, old, into)
    if users[old, EVENTS] > 0:
        had = users[into, EVENTS] > 0
        users[into, FIRST] = min(users[old, FIRST], users[into, FIRST]) if had else users[old, FIRST]
        users[into, LAST] = max(users[old, LAST], users[into, LAST]) if had else users[old, LAST]
    users[into, EVENTS] += users[old, EVENTS]
    users[into, USER_SEQ] = users[old, USER_SEQ] = seq
    for part in (EVENTS, FIRST, LAST):
        users[old, part] = 0
    return True

"""People one by one: out of a state, and folded on their own exactly as a state does it."""

from collections.abc import Sequence
from hashlib import blake2b

import msgspec
import numpy as np

from foretaste.domain.arrays import Floats, Int16s, Int64s, Ordinals
from foretaste.domain.errors import InvalidInputError, SequenceGapError
from foretaste.domain.event import EventColumns
from foretaste.domain.history import History
from foretaste.domain.person import Person, head_of
from foretaste.events.weights import EventWeights, weigh
from foretaste.features import tables
from foretaste.features.state import State, StateConfig, Summary, Tally
from foretaste.features.tables import TYPE_BITS
from foretaste.ports.online_store import PeopleEvents

_LAYOUT = 1


class PersonLimits(msgspec.Struct, frozen=True, kw_only=True):
    """How much is kept of a person on their own.

    `history_length` as in the state. `most_rows`: rows of the tally, one for each (item, type); someone
    with more is kept without tally and history. `weights`: what events weigh.
    """

    history_length: int = 200
    most_rows: int = 4096
    weights: EventWeights = EventWeights()

    def __post_init__(self) -> None:
        """Check the ranges; raise `InvalidInputError` naming the setting."""
        for field, value in (("history_length", self.history_length), ("most_rows", self.most_rows)):
            if not 1 <= value <= 1 << 20:
                raise InvalidInputError(
                    f"`{field}` is {value}; choose a number from 1 to {1 << 20}", field=field
                )

    @property
    def signature(self) -> bytes:
        """Four bytes that differ where records of one would be wrong for the other."""
        text = msgspec.json.encode((_LAYOUT, self), order="sorted")
        return blake2b(text, digest_size=4).digest()


def limits_of(config: StateConfig, *, most_rows: int = PersonLimits().most_rows) -> PersonLimits:
    """Return the limits that make people what a state of `config` knows of them."""
    return PersonLimits(history_length=config.history_length, most_rows=most_rows, weights=config.weights)


def person_of(state: State, user: int, limits: PersonLimits) -> Person:
    """Return what `state` knows of the user with this ordinal; hold `state.lock` or be its only writer."""
    history, summary, tally = state.history(user), state.summary(user), state.tally(user)
    order = np.lexsort((tally.type, tally.item))
    person = Person(
        seq=state.user_seq(user),
        as_of=state.seq,
        events=summary.events,
        first=summary.first or 0,
        last=summary.last or 0,
        history=history,
        key=_keys(state, user, len(history)),
        tally_item=tally.item[order],
        tally_type=tally.type[order],
        tally_count=tally.count[order],
        tally_last=tally.last[order],
    )
    return person if len(tally) <= limits.most_rows else head_of(person)


def tally_of(person: Person) -> Tally:
    """Return what a person did with what, as `State.tally`."""
    return Tally(
        item=person.tally_item, type=person.tally_type, count=person.tally_count, last=person.tally_last
    )


def summary_of(person: Person) -> Summary:
    """Return a person's activity, as `State.summary`."""
    return Summary(person.events, person.first, person.last) if person.events else Summary(0, None, None)


def fold_person(person: Person, events: PeopleEvents, place: int, limits: PersonLimits) -> Person:
    """Return `person` after the events of person number `place` of a batch, those seen before left out.

    The caller has checked that there is no gap.
    """
    own = slice(int(events.start[place]), int(events.start[place + 1]))
    new = np.flatnonzero(events.seq[own] > person.as_of) + own.start
    if not len(new):
        return person
    time = events.time[new]
    history, key = _history_after(person, events, new, limits.history_length)
    tally = _tally_after(person, events, new)
    folded = Person(
        seq=int(events.seq[new[-1]]),
        as_of=max(person.as_of, events.as_of),
        events=person.events + len(new),
        first=min(int(time.min()), person.first) if person.events else int(time.min()),
        last=max(int(time.max()), person.last) if person.events else int(time.max()),
        history=history,
        key=key,
        tally_item=tally.item,
        tally_type=tally.type,
        tally_count=tally.count,
        tally_last=tally.last,
    )
    return folded if person.is_whole and len(tally) <= limits.most_rows else head_of(folded)


def previous_seqs(state: State, events: EventColumns) -> Int64s:
    """Return for each event the number of its user's event before it, int64; `state` is as before the fold.

    Events that `state` has folded already get a number at least as high, which makes for a needless gap;
    raises `SequenceGapError` where events lie between it and these, among which might be one of these
    people's.
    """
    if events.previous_seq > state.seq:
        raise SequenceGapError(
            f"events after {events.previous_seq} do not follow {state.seq}: read the log from there on"
        )
    previous = np.array([state.user_seq(user) for user in events.user.tolist()], np.int64)
    latest: dict[int, int] = {}
    for place, (user, seq) in enumerate(zip(events.user.tolist(), events.seq.tolist(), strict=True)):
        previous[place] = latest.get(user, previous[place])
        latest[user] = seq
    return previous


def people_events(
    events: EventColumns,
    previous: Int64s,
    *,
    user_names: Sequence[str],
    type_names: Sequence[str],
    weights: EventWeights,
) -> PeopleEvents:
    """Return events by person; `previous` as `previous_seqs` gives it, names by ordinal."""
    order = np.argsort(events.user, kind="stable")
    user = events.user[order]
    first = np.flatnonzero(np.diff(user, prepend=-1))
    return PeopleEvents(
        user_ids=tuple(user_names[ordinal] for ordinal in user[first].tolist()),
        previous=previous[order][first],
        start=np.append(first, len(user)),
        seq=events.seq[order],
        time=events.time[order],
        key=events.key[order],
        item=events.item[order],
        type=events.type[order],
        weight=weigh(type_names, events.type, events.value, weights)[order],
        as_of=events.last_seq,
    )


def _keys(state: State, user: int, length: int) -> Int64s:
    if not length:
        return np.empty(0, np.int64)
    sessions = state.people.sessions
    row = sessions.users[user]
    start = int(row[tables.HISTORY] + row[tables.HISTORY_OFFSET])
    keys: Int64s = sessions.history[start : start + length, tables.KEY].copy()
    return keys


def _history_after(person: Person, events: PeopleEvents, new: Int64s, longest: int) -> tuple[History, Int64s]:
    weighted = new[events.weight[new] != 0.0]
    old = person.history
    item: Ordinals = np.concatenate((old.item, events.item[weighted]))
    kind: Int16s = np.concatenate((old.type, events.type[weighted]))
    weight: Floats = np.concatenate((old.weight, events.weight[weighted]))
    time: Int64s = np.concatenate((old.time, events.time[weighted]))
    key: Int64s = np.concatenate((person.key, events.key[weighted]))
    kept = np.lexsort((kind, item, key, time))[-longest:]
    return History(item=item[kept], weight=weight[kept], time=time[kept], type=kind[kept]), key[kept]


def _tally_after(person: Person, events: PeopleEvents, new: Int64s) -> Tally:
    old = person.tally_item.astype(np.int64) << TYPE_BITS | person.tally_type
    added = events.item[new].astype(np.int64) << TYPE_BITS | events.type[new]
    codes, row = np.unique(np.concatenate((old, added)), return_inverse=True)
    count = np.zeros(len(codes), np.int64)
    np.add.at(count, row, np.concatenate((person.tally_count, np.ones(len(new), np.int64))))
    last = np.full(len(codes), np.iinfo(np.int64).min)
    np.maximum.at(last, row, np.concatenate((person.tally_last, events.time[new])))
    return Tally(
        item=(codes >> TYPE_BITS).astype(np.int32), type=codes.astype(np.int16), count=count, last=last
    )

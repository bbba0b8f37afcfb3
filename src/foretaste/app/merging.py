"""Merging people: from the moment of the acknowledgement an old id is another person."""

from hashlib import blake2b

import msgspec
import numpy as np

from foretaste.app.home import Home
from foretaste.domain.clock import Clock
from foretaste.domain.errors import InvalidInputError
from foretaste.domain.event import Event
from foretaste.domain.item import Item
from foretaste.events.text import checked_id
from foretaste.events.vocabulary import MERGE_FROM, MERGE_INTO, MERGE_ITEM

SECONDS = 30.0


class Merged(msgspec.Struct, frozen=True, kw_only=True):
    """What a merge did: `merged` is False where both were one before. Answers of `state_seq` know it."""

    user_id: str
    from_user_id: str
    merged: bool
    state_seq: int


def merge_users(home: Home, from_user_id: str, into_user_id: str, *, clock: Clock) -> Merged:
    """Let all that `from_user_id` did and will do be done by `into_user_id`; durable when this returns.

    Either may be unknown: what comes later under the old id counts for the other. To do it again changes
    nothing. What is told of the old id goes over, where it is not told of the other. `clock` gives the time
    in microseconds.

    Raises `InvalidInputError` for an id that is none, or one merged into itself, `NotDurableError` where it
    cannot be stored.
    """
    for field, written in (("from_user_id", from_user_id), ("into_user_id", into_user_id)):
        checked_id(written, field, InvalidInputError)
    if from_user_id == into_user_id:
        raise InvalidInputError(
            f"{from_user_id!r} cannot be merged into itself; name two people", field="into_user_id"
        )
    if not _are_one(home, from_user_id, into_user_id):
        if home.catalog.get([MERGE_ITEM]) == [None]:
            home.put_items([Item(item_id=MERGE_ITEM, hidden=True)])
        home.log.submit(_told(from_user_id, into_user_id, clock())).result(SECONDS)
        merged = True
    else:
        merged = False
    _hand_over_profile(home, from_user_id, into_user_id)
    return Merged(user_id=into_user_id, from_user_id=from_user_id, merged=merged, state_seq=home.state.seq)


def everyone(home: Home) -> dict[str, int]:
    """Return who each id of the log is now, by id: ids that were merged are one person's."""
    names = home.id_map.names("user")
    with home.state.lock:
        people = home.state.persons(np.arange(len(names), dtype=np.int32))
    return dict(zip(names, people.tolist(), strict=True))


def _are_one(home: Home, one: str, other: str) -> bool:
    first, second = home.id_map.find("user", [one, other]).tolist()
    with home.state.lock:
        return first >= 0 and second >= 0 and home.state.person(first) == home.state.person(second)


def _told(old: str, into: str, now: int) -> list[Event]:
    """Return the two events that stand next to each other in the log (see `features.merging`)."""
    digest = blake2b(msgspec.json.encode([old, into]), digest_size=12).hexdigest()
    return [
        Event(event_id=f"{kind}:{digest}", user_id=user_id, item_id=MERGE_ITEM, type=kind, timestamp=now)
        for user_id, kind in ((old, MERGE_FROM), (into, MERGE_INTO))
    ]


def _hand_over_profile(home: Home, old: str, into: str) -> None:
    told = home.profiles.get(old)
    if told:
        known = home.profiles.get(into) or {}
        if not told.keys() <= known.keys():
            home.put_people({into: {**told, **known}})

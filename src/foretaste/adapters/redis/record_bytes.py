"""The bytes of a person's record, as the scripts in this folder read and write them.

All numbers are big-endian; times and event keys have their sign bit flipped, so that the larger number is the
larger one unsigned too.

====== ===== =====================================================================
at     bytes
====== ===== =====================================================================
0      4     signature of the limits and weights it was made with
4      8     token
12     4     epoch
16     8     as_of
24     8     seq
32     4     number of events
36     8     time of the first
44     8     time of the last
52     4     entries of the history; 2^32 - 1: neither history nor tally is here
56     26    for each entry: time (8), key (8), item (4), type (2), weight (float, 4)
then   18    for each row of the tally: item (4), type (2), count (4), last time (8)
====== ===== =====================================================================
"""

import struct
from functools import partial

import numpy as np
from numpy.typing import NDArray

from foretaste.domain.arrays import Int64s
from foretaste.domain.history import History
from foretaste.domain.person import NO_HISTORY, NOBODY, Person
from foretaste.ports.online_store import OnlineRecord, PeopleEvents

HEAD = struct.Struct(">4s8sIQQIQQI")
NOT_WHOLE = 0xFFFFFFFF
_SIGN = 1 << 63
_FLIP = np.uint64(_SIGN)
_MOST = 0xFFFFFFFF
_ENTRY = np.dtype([("time", ">u8"), ("key", ">u8"), ("item", ">u4"), ("type", ">u2"), ("weight", ">f4")])
_ROW = np.dtype([("item", ">u4"), ("type", ">u2"), ("count", ">u4"), ("last", ">u8")])
_EVENT = np.dtype([("seq", ">u8"), *((name, _ENTRY[name]) for name in _ENTRY.names or ())])
EVENT_BYTES = _EVENT.itemsize


def encoded(person: Person, signature: bytes, token: bytes, epoch: int = 0) -> bytes:
    """Return the record of a person."""
    entries = np.empty(len(person.history), _ENTRY)
    entries["time"], entries["key"] = _unsigned(person.history.time), _unsigned(person.key)
    entries["item"], entries["type"] = person.history.item, person.history.type
    entries["weight"] = person.history.weight
    rows = np.empty(len(person.tally_item), _ROW)
    rows["item"], rows["type"] = person.tally_item, person.tally_type
    rows["count"], rows["last"] = np.minimum(person.tally_count, _MOST), _unsigned(person.tally_last)
    head = HEAD.pack(
        signature,
        token,
        epoch,
        person.as_of,
        person.seq,
        min(person.events, _MOST),
        person.first + _SIGN,
        person.last + _SIGN,
        len(entries) if person.is_whole else NOT_WHOLE,
    )
    return head + entries.tobytes() + rows.tobytes()


def decoded(record: bytes, signature: bytes) -> OnlineRecord | None:
    """Return what a record says, None if it was made with other limits or is none."""
    if len(record) < HEAD.size or record[:4] != signature:
        return None
    _, token, epoch, as_of, seq, _, _, _, entries = HEAD.unpack_from(record)
    return OnlineRecord(
        seq=seq,
        as_of=as_of,
        epoch=epoch,
        token=token,
        is_whole=entries != NOT_WHOLE,
        read=partial(_person, record),
    )


def event_bytes(events: PeopleEvents) -> bytes:
    """Return all events of a batch as `apply.lua` takes them, one after the other."""
    packed = np.empty(len(events.seq), _EVENT)
    packed["seq"], packed["time"], packed["key"] = events.seq, _unsigned(events.time), _unsigned(events.key)
    packed["item"], packed["type"] = events.item, events.type
    packed["weight"] = events.weight + np.float32(0.0)  # a negative zero becomes a positive one: no weight
    return packed.tobytes()


def _person(record: bytes) -> Person:
    _, _, _, as_of, seq, events, first, last, count = HEAD.unpack_from(record)
    is_whole = count != NOT_WHOLE
    entries = np.frombuffer(record, _ENTRY, count if is_whole else 0, HEAD.size)
    rows = np.frombuffer(record, _ROW, offset=HEAD.size + entries.nbytes)
    history = History(
        item=entries["item"].astype(np.int32),
        weight=entries["weight"].astype(np.float32),
        time=_signed(entries["time"]),
        type=entries["type"].astype(np.int16),
    )
    return Person(
        seq=seq,
        as_of=as_of,
        events=events,
        first=first - _SIGN if events else 0,
        last=last - _SIGN if events else 0,
        history=history if is_whole else NO_HISTORY,
        key=_signed(entries["key"]) if is_whole else NOBODY.key,
        tally_item=rows["item"].astype(np.int32),
        tally_type=rows["type"].astype(np.int16),
        tally_count=rows["count"].astype(np.int64),
        tally_last=_signed(rows["last"]),
        is_whole=is_whole,
    )


def _unsigned(numbers: Int64s) -> NDArray[np.uint64]:
    return numbers.astype(np.int64).view(np.uint64) ^ _FLIP


def _signed(numbers: NDArray[np.uint64]) -> Int64s:
    return (numbers.astype(np.uint64) ^ _FLIP).view(np.int64)

"""People's records in memory."""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from time import monotonic

from foretaste.domain.person import NOBODY, Person
from foretaste.features.person import PersonLimits, fold_person
from foretaste.ports.online_store import Applied, Fate, OnlineRecord, PeopleEvents, Reading, Written


@dataclass(frozen=True, slots=True, eq=False)
class _Kept:
    person: Person
    token: bytes
    epoch: int
    until: float


class MemoryOnlineStore:
    """`OnlineStore` that ends with the process.

    It holds the `most` people who were active last, for `ttl_seconds` each; `clock` reads seconds.
    `incarnation` is what `get` and the others give; tests may change it.
    """

    def __init__(
        self,
        limits: PersonLimits,
        *,
        ttl_seconds: float = 3600.0,
        most: int = 100_000,
        clock: Callable[[], float] = monotonic,
        incarnation: str = "memory",
    ) -> None:
        self.incarnation = incarnation
        self._limits = limits
        self._ttl = ttl_seconds
        self._most = most
        self._clock = clock
        self._lock = Lock()
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._tokens = 0

    def get(self, user_ids: Sequence[str]) -> Reading:
        """Return records in the order of `user_ids`."""
        with self._lock:
            return Reading(self.incarnation, tuple([self._record(user_id) for user_id in user_ids]))

    def apply(self, events: PeopleEvents) -> Applied:
        """Fold events in."""
        with self._lock:
            return Applied(
                self.incarnation, tuple([self._fold(events, place) for place in range(len(events))])
            )

    def put(self, people: Mapping[str, Person]) -> Written:
        """Store people as rebuilt from the log."""
        with self._lock:
            return Written(
                self.incarnation, tuple([self._take(user_id, person) for user_id, person in people.items()])
            )

    def confirm(self, tokens: Mapping[str, bytes], epoch: int) -> int:
        """Raise the epoch of records that still bear these tokens."""
        confirmed = 0
        with self._lock:
            for user_id, token in tokens.items():
                kept = self._present(user_id)
                if kept is not None and kept.token == token:
                    self._kept[user_id] = _Kept(kept.person, token, max(kept.epoch, epoch), kept.until)
                    confirmed += 1
        return confirmed

    def delete(self, user_ids: Sequence[str]) -> int:
        """Remove records."""
        with self._lock:
            return sum(self._kept.pop(user_id, None) is not None for user_id in user_ids)

    def close(self) -> None:
        """Nothing is held but memory."""

    def _present(self, user_id: str) -> _Kept | None:
        kept = self._kept.get(user_id)
        return kept if kept is not None and self._clock() < kept.until else None

    def _record(self, user_id: str) -> OnlineRecord | None:
        kept = self._present(user_id)
        if kept is None:
            return None
        person = kept.person
        return OnlineRecord(
            seq=person.seq,
            as_of=person.as_of,
            epoch=kept.epoch,
            token=kept.token,
            is_whole=person.is_whole,
            read=lambda: person,
        )

    def _fold(self, events: PeopleEvents, place: int) -> Fate:
        user_id, kept = events.user_ids[place], self._present(events.user_ids[place])
        person = NOBODY if kept is None else kept.person
        if person.as_of < events.previous[place]:
            return "gap"
        folded = fold_person(person, events, place, self._limits)
        if folded is person:
            return "seen"
        self._keep(user_id, folded, kept)
        return "applied"

    def _take(self, user_id: str, person: Person) -> bytes:
        kept = self._present(user_id)
        newer = kept is not None and kept.person.as_of >= person.as_of
        return self._keep(user_id, kept.person if kept is not None and newer else person, kept)

    def _keep(self, user_id: str, person: Person, before: _Kept | None) -> bytes:
        """Store a person under the token and epoch of before, or a new token; return the token."""
        self._tokens += 1
        token = self._tokens.to_bytes(8, "big") if before is None else before.token
        epoch = 0 if before is None else before.epoch
        self._kept[user_id] = _Kept(person, token, epoch, self._clock() + self._ttl)
        self._kept.move_to_end(user_id)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)
        return token

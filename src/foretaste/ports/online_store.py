"""The online store: what is known of each person, where every replica can read it at once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from foretaste.domain.arrays import Floats, Int16s, Int64s, Micros, Ordinals
from foretaste.domain.person import Person

Fate = Literal["applied", "seen", "gap", "dropped"]
"""What became of one person's events: folded in; there already; not folded, because earlier ones are missing
(or the record is); not folded, and the record removed, because the store refused to write it."""


@dataclass(frozen=True, slots=True, eq=False)
class PeopleEvents:
    """A batch of events by person, weighed.

    Person i is `user_ids[i]`; their events are the places `start[i]` to before `start[i + 1]` of the
    columns, in log order. `previous[i]` is the sequence number of their last event before these, 0 for none
    (any number up to which they have no other event will do). The batch is all that these people have up to
    `as_of`. `weight` float32 is what `events.weights` makes of type and value.
    """

    user_ids: tuple[str, ...]
    previous: Int64s
    start: Int64s
    seq: Int64s
    time: Micros
    key: Int64s
    item: Ordinals
    type: Int16s
    weight: Floats
    as_of: int

    def __len__(self) -> int:
        """How many people there are."""
        return len(self.user_ids)


@dataclass(frozen=True, slots=True, eq=False)
class OnlineRecord:
    """One person's record: `seq` and `as_of` of the person, `person` decoded when asked for.

    `epoch` is the epoch of trust in which it was last confirmed, 0 for never. `token` names this record's
    uninterrupted presence in the store: a record that was lost and written anew has another one.
    """

    seq: int
    as_of: int
    epoch: int
    token: bytes
    is_whole: bool
    read: Callable[[], Person]

    @property
    def person(self) -> Person:
        """The person."""
        return self.read()


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """Records in the order asked for, None where there is none, and the server's incarnation."""

    incarnation: str
    records: tuple[OnlineRecord | None, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Applied:
    """What became of each person's events, and the incarnation of the server that did it."""

    incarnation: str
    fates: tuple[Fate, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Written:
    """The token of each record that was put, and the incarnation of the server that has it."""

    incarnation: str
    tokens: tuple[bytes, ...]


class OnlineStore(Protocol):
    """One record for each person, folded on by events: a copy of what the log says, never the truth.

    Promises (`foretaste.testing.contracts.online_store`):

    - **Exact.** A record is what a state knows of the person after the same events, bit for bit, in whatever
      order these came; one whose tally is longer than the bound keeps its head alone and says so.
    - **Once.** Events up to `as_of` of the record change nothing, so redelivery is harmless.
    - **No gaps.** Events whose `previous` is above the record's `as_of` are not folded: the fate `gap` asks
      for `put` of a person rebuilt from the log. An absent record is complete up to 0.
    - **Never back.** `put` leaves a record that is complete up to as much or more as it is.
    - **Bounded.** History and tally are bounded, and a person who is idle for the TTL is forgotten.
    - **Never a claim it cannot make.** A record that appears (first events, or `put` where there was none)
      has epoch 0 and a new token; `apply` and `put` keep both; `confirm` raises the epoch only of a record
      with the very token, so of one that was there all the time since the token was read.

    All raise `UnavailableError` where the store does not answer in time: it is then unknown what was done.

    **When a record may be believed.** A record says what the log says only if every acknowledged event
    reached it. So (`serving.trust`, with `ports.trust.TrustRecord` in the database of the log): whoever
    acknowledges an event has applied it here before, or has withdrawn trust by raising the epoch and has
    waited until every replica's belief in the former epoch has run out. Replicas believe a record that
    bears the present epoch, read from the incarnation of the server (process and replication id, asked on
    every connection) that the epoch was opened for: a server that restarted, lost data or was replaced by a
    replica has another one. Any other record is checked: if it is complete up to the head of the person in
    the log, read after the epoch was opened, `confirm` gives it the epoch; if not, the person is rebuilt,
    `put`, and confirmed likewise. Data that is missing is never a claim, so eviction and expiry need no
    more than that. While a primary is made a replica and back by hand, under open connections, belief may
    outlast the change by `serving.trust.LEASE_SECONDS`.
    """

    def get(self, user_ids: Sequence[str]) -> Reading:
        """Return records; without ids ask the server anew which incarnation it is."""
        ...

    def apply(self, events: PeopleEvents) -> Applied:
        """Fold events in, each person's atomically."""
        ...

    def put(self, people: Mapping[str, Person]) -> Written:
        """Store people as rebuilt from the log; return the tokens of what is then there, in their order."""
        ...

    def confirm(self, tokens: Mapping[str, bytes], epoch: int) -> int:
        """Raise the epoch of the records that still bear these tokens; return how many do."""
        ...

    def delete(self, user_ids: Sequence[str]) -> int:
        """Remove records; return how many there were."""
        ...

    def close(self) -> None:
        """Release everything. Closing twice is fine."""
        ...

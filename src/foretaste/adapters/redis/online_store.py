"""People's records in Redis or Valkey: one string each, folded on by a script at the server."""

import struct
from collections.abc import Mapping, Sequence
from importlib.resources import files

from redis import exceptions

from foretaste.adapters.redis.cluster import ClusterLine
from foretaste.adapters.redis.connection import TIMEOUT_SECONDS, Connections, new_token, refusal
from foretaste.adapters.redis.line import Command, Line, Reply, Script, permitted
from foretaste.adapters.redis.record_bytes import EVENT_BYTES, decoded, encoded, event_bytes
from foretaste.domain.errors import UnavailableError
from foretaste.domain.person import Person
from foretaste.features.person import PersonLimits
from foretaste.ports.online_store import Applied, Fate, OnlineRecord, PeopleEvents, Reading, Written
from foretaste.ports.telemetry import Telemetry

TTL_SECONDS = 3600.0
_FATES: tuple[Fate, ...] = ("gap", "seen", "applied")
_ORDER = struct.Struct(">4s8sQQQII")
_EPOCH = struct.Struct(">I")


class RedisOnlineStore:
    """`OnlineStore` under the keys `ft:{<namespace>:u:<user_id>}`.

    People who are idle for `ttl_seconds` are forgotten; with zero they stay until the server evicts them.
    Every command concerns one key, so a cluster spreads them. A key of another type, or of other limits,
    counts as absent and is written over.
    """

    def __init__(
        self,
        url: str,
        telemetry: Telemetry,
        *,
        limits: PersonLimits,
        namespace: str = "default",
        ttl_seconds: float = TTL_SECONDS,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        self.refused = ""
        """What the server said when it refused the last write, empty where it took it."""
        self._connections = Connections(url, telemetry, timeout_seconds=timeout_seconds)
        self._limits = limits
        self._signature = limits.signature
        self._namespace = namespace
        self._ttl = round(1000 * ttl_seconds)
        scripts = files(__package__)
        self._apply = Script(scripts.joinpath("apply.lua").read_bytes())
        self._put = Script(scripts.joinpath("put.lua").read_bytes())
        self._confirm = Script(scripts.joinpath("confirm.lua").read_bytes())

    @property
    def where(self) -> str:
        """The address of the server, without a password."""
        return self._connections.where

    def get(self, user_ids: Sequence[str]) -> Reading:
        """Return records in the order of `user_ids`."""
        with self._connections.lent("get") as line:
            if not user_ids:
                former = line.incarnation
                line.identify()
                if line.incarnation != former:
                    self._connections.forget()
                return Reading(line.incarnation, ())
            replies = permitted(line.exchange([("GET", self.key(user_id)) for user_id in user_ids]))
            return Reading(line.incarnation, tuple([self._record(reply) for reply in replies]))

    def apply(self, events: PeopleEvents) -> Applied:
        """Fold events in."""
        packed, commands = event_bytes(events), []
        starts = events.start.tolist()
        for place, (user_id, previous) in enumerate(
            zip(events.user_ids, events.previous.tolist(), strict=True)
        ):
            own = packed[starts[place] * EVENT_BYTES : starts[place + 1] * EVENT_BYTES]
            order = _ORDER.pack(
                self._signature,
                new_token(),
                previous,
                events.as_of,
                self._ttl,
                self._limits.history_length,
                self._limits.most_rows,
            )
            commands.append(self._apply.call(self.key(user_id), order, own))
        with self._connections.lent("apply") as line:
            replies = line.run(self._apply, commands)
            fates = [_FATES[reply] if isinstance(reply, int) else "dropped" for reply in replies]
            self._drop(
                line,
                [user for user, fate in zip(events.user_ids, fates, strict=True) if fate == "dropped"],
                replies,
            )
            return Applied(line.incarnation, tuple(fates))

    def put(self, people: Mapping[str, Person]) -> Written:
        """Store people as rebuilt from the log."""
        commands: list[Command] = [
            self._put.call(self.key(user_id), encoded(person, self._signature, new_token()), self._ttl)
            for user_id, person in people.items()
        ]
        with self._connections.lent("put") as line:
            replies = line.run(self._put, commands)
            refused = [
                user for user, reply in zip(people, replies, strict=True) if not isinstance(reply, bytes)
            ]
            self._drop(line, refused, replies)
            return Written(
                line.incarnation, tuple(reply if isinstance(reply, bytes) else b"" for reply in replies)
            )

    def confirm(self, tokens: Mapping[str, bytes], epoch: int) -> int:
        """Raise the epoch of records that still bear these tokens."""
        commands = [
            self._confirm.call(self.key(user_id), token, _EPOCH.pack(epoch))
            for user_id, token in tokens.items()
        ]
        with self._connections.lent("confirm") as line:
            return sum(reply for reply in line.run(self._confirm, commands) if isinstance(reply, int))

    def delete(self, user_ids: Sequence[str]) -> int:
        """Remove records."""
        with self._connections.lent("delete") as line:
            replies = line.exchange([("DEL", self.key(user_id)) for user_id in user_ids])
            _raise_for(replies)
            return sum(replies)

    def close(self) -> None:
        """Close all connections."""
        self._connections.close()

    def key(self, user_id: str) -> str:
        """Return the key of a person; in a cluster its braces decide the slot."""
        return f"ft:{{{self._namespace}:u:{user_id}}}"

    def _record(self, reply: Reply) -> OnlineRecord | None:
        return decoded(reply, self._signature) if isinstance(reply, bytes) else None

    def _drop(self, line: Line | ClusterLine, user_ids: Sequence[str], replies: Sequence[Reply]) -> None:
        """Remove records that could not be written, so that none is behind; raise if even that fails."""
        self.refused = str(refusal(replies) or "")
        if user_ids and refusal(line.exchange([("DEL", self.key(user_id)) for user_id in user_ids])):
            _raise_for(replies)


def _raise_for(replies: Sequence[Reply]) -> None:
    error = refusal(replies)
    if isinstance(error, exceptions.ResponseError):
        raise UnavailableError(f"Redis refuses to write: {error}", field="redis_url") from error

"""Connections to all primaries of a Redis or Valkey cluster, used as if they were one."""

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from itertools import groupby

from redis import exceptions
from redis.crc import key_slot

from foretaste.adapters.redis.line import Address, Command, Line, Reply, Script

SLOTS = 16_384
_KEY_AT = {"GET": 1, "DEL": 1, "HMGET": 1, "EVALSHA": 3}
"""Where the key is in each command that concerns one; all others go to any node."""
_UNCOVERED = "CLUSTERDOWN no node serves the slot; see CLUSTER INFO"


class ClusterLine:
    """One connection to each primary of a cluster, lent to one caller at a time.

    Commands go to the node that has their key's slot; where slots have moved since, the cluster is asked anew
    and they are sent again. `incarnation` names all primaries with their slots: it is another one when a node
    restarted, was replaced by its replica or has other slots, and empty where a slot is not served, or is
    just being moved.
    """

    def __init__(self, seed: Line, connected: Callable[[Address], Line]) -> None:
        self._seed = seed
        self._connected = connected
        self._lines: dict[Address, Line] = {}
        self._owners: list[Address | None] = [None] * SLOTS
        self.incarnation = ""

    @property
    def addresses(self) -> tuple[Address, ...]:
        """Where the primaries are."""
        return tuple(self._lines)

    @property
    def nodes(self) -> tuple[Line, ...]:
        """A connection to each primary."""
        return tuple(self._lines.values())

    @property
    def covered(self) -> int:
        """How many of the `SLOTS` a primary serves."""
        return SLOTS - self._owners.count(None)

    def open(self) -> None:
        """Ask where the slots are, and connect to every primary."""
        replies = self._seed.exchange((("CLUSTER", "SLOTS"),))
        if isinstance(replies[0], exceptions.ResponseError):
            raise replies[0]
        owners: list[Address | None] = [None] * SLOTS
        for first, last, primary, *_ in replies[0]:
            address = self._address(primary)
            owners[first : last + 1] = [address] * (last + 1 - first)
        wanted = dict.fromkeys(address for address in owners if address is not None)
        for address in set(self._lines) - set(wanted):
            self._lines.pop(address).close()
        for address in wanted:
            if address not in self._lines:
                self._lines[address] = self._connected(address)
        self._owners = owners
        self._name_it()

    def identify(self) -> None:
        """Ask every primary who it is, and where the slots are."""
        for line in self._lines.values():
            line.identify()
        self.open()

    def exchange(self, commands: Sequence[Command]) -> list[Reply]:
        """Return the reply to each command; one that is an error is returned as the driver's exception."""
        return self._spread(commands, lambda line, part: line.exchange(part))

    def run(self, script: Script, commands: Sequence[Command]) -> list[Reply]:
        """Return the reply to each call of a script, which every node is given that lacks it."""
        return self._spread(commands, lambda line, part: line.run(script, part))

    def stands(self) -> bool:
        """Return whether nothing came unasked for on any connection."""
        return all(line.stands() for line in self._lines.values())

    def close(self) -> None:
        """Hang up."""
        for line in (self._seed, *self._lines.values()):
            line.close()

    def _spread(
        self, commands: Sequence[Command], sent: Callable[[Line, Sequence[Command]], list[Reply]]
    ) -> list[Reply]:
        if not self.incarnation:
            self.identify()
        replies: list[Reply] = [None] * len(commands)
        self._fill(replies, range(len(commands)), commands, sent)
        moved = _places(replies, exceptions.MovedError)
        if moved:
            self.open()
            self._fill(replies, moved, commands, sent)
        for place in _places(replies, exceptions.AskError):
            replies[place] = self._asked(replies[place], commands[place], sent)
        return replies

    def _fill(
        self,
        replies: list[Reply],
        places: Iterable[int],
        commands: Sequence[Command],
        sent: Callable[[Line, Sequence[Command]], list[Reply]],
    ) -> None:
        """Send the commands at `places` to their nodes, and put the replies there."""
        of_node: dict[Address, list[int]] = {}
        for place in places:
            address = self._owner(commands[place])
            if address is None:
                replies[place] = exceptions.ClusterDownError(_UNCOVERED)
            else:
                of_node.setdefault(address, []).append(place)
        for address, own in of_node.items():
            told = sent(self._lines[address], [commands[place] for place in own])
            for place, reply in zip(own, told, strict=True):
                replies[place] = reply

    def _asked(
        self,
        error: exceptions.AskError,
        command: Command,
        sent: Callable[[Line, Sequence[Command]], list[Reply]],
    ) -> Reply:
        """Ask the node that is taking the slot over, for this once; meanwhile the cluster has no name."""
        self.incarnation = ""
        address = (error.host or self._seed_host(), error.port)
        line = self._lines.get(address)
        taking = line or self._connected(address)
        try:
            reply = sent(taking, (("ASKING",), command))[1]
            if isinstance(reply, exceptions.NoScriptError | exceptions.AskError):
                reply = sent(taking, (("ASKING",), command))[1]
            return reply
        finally:
            if line is None:
                taking.close()

    def _owner(self, command: Command) -> Address | None:
        at = _KEY_AT.get(str(command[0]))
        if at is None:
            return next(iter(self._lines), None)
        key = command[at]
        return self._owners[key_slot(key if isinstance(key, bytes) else str(key).encode())]

    def _address(self, node: Sequence[Reply]) -> Address:
        """Return where a node of `CLUSTER SLOTS` is; one that names no host is the one that was asked."""
        host = node[0].decode() if node[0] else ""
        return (host if host not in ("", "?") else self._seed_host(), int(node[1]))

    def _seed_host(self) -> str:
        return self._seed.host

    def _name_it(self) -> None:
        """Set `incarnation` by who serves which slots."""
        identities = {address: line.incarnation for address, line in self._lines.items()}
        self.incarnation = ""
        if self.covered == SLOTS and all(identities.values()):
            ranges = [(sum(1 for _ in slots), owner) for owner, slots in groupby(self._owners)]
            served = "\n".join([f"{length} {identities[owner]}" for length, owner in ranges if owner])
            self.incarnation = "cluster:" + sha256(served.encode()).hexdigest()


def _places(replies: Sequence[Reply], kind: type[exceptions.AskError]) -> list[int]:
    return [place for place, reply in enumerate(replies) if type(reply) is kind]

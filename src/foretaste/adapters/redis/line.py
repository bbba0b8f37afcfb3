"""One connection to one Redis or Valkey server, and the incarnation of that server."""

from collections.abc import Sequence
from contextlib import suppress
from hashlib import sha1
from typing import Any, TypeAlias

from redis import exceptions

Command: TypeAlias = tuple[bytes | str | int, ...]
Reply: TypeAlias = Any
Address: TypeAlias = tuple[str, int]
_AT_ONCE = 256
"""Commands sent before their replies are read."""
_PRIMARY = b"role:master"


class Script:
    """A Lua script, run by its hash and sent again where the server does not know it."""

    def __init__(self, source: bytes) -> None:
        self.source = source
        self.digest = sha1(source).hexdigest()  # noqa: S324 # the name that the server gives it

    def call(self, key: str, *arguments: bytes | int) -> Command:
        """Return the command that runs it on one key."""
        return ("EVALSHA", self.digest, 1, key, *arguments)


class Line:
    """One connection, lent to one caller at a time; `incarnation` is empty where no primary is at its end."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.incarnation = ""
        self.is_cluster = False

    @property
    def host(self) -> str:
        """Where the server is; of a socket in the file system this machine."""
        return str(getattr(self._connection, "host", "127.0.0.1"))

    def open(self) -> None:
        """Connect and ask the server who it is."""
        self._connection.connect()
        self.identify()

    def identify(self) -> None:
        """Ask the server who it is: process, replication history, and whether it is a primary."""
        replies = permitted(self.exchange((("INFO", "server"), ("INFO", "replication"))))
        lines = b"\n".join(reply for reply in replies if isinstance(reply, bytes)).split()
        names = [line.split(b":")[1].decode() for line in lines if line.startswith(_IDENTITY)]
        self.is_cluster = any(line in lines for line in _CLUSTER)
        self.incarnation = ":".join(names) if _PRIMARY in lines and len(names) == len(_IDENTITY) else ""

    def exchange(self, commands: Sequence[Command]) -> list[Reply]:
        """Return the reply to each command; one that is an error is returned as the driver's exception."""
        replies: list[Reply] = []
        for start in range(0, len(commands), _AT_ONCE):
            part = commands[start : start + _AT_ONCE]
            self._connection.send_packed_command(self._connection.pack_commands(part), check_health=False)
            replies += [self._reply() for _ in part]
        return replies

    def run(self, script: Script, commands: Sequence[Command]) -> list[Reply]:
        """Return the reply to each call of a script; a call that did not find it is made again, with it."""
        replies = self.exchange(commands)
        unknown = [
            place for place, reply in enumerate(replies) if isinstance(reply, exceptions.NoScriptError)
        ]
        if unknown:
            self.exchange((("SCRIPT", "LOAD", script.source),))
            again = self.exchange([commands[place] for place in unknown])
            for place, reply in zip(unknown, again, strict=True):
                replies[place] = reply
        return replies

    @property
    def nodes(self) -> "tuple[Line, ...]":
        """The one server."""
        return (self,)

    def stands(self) -> bool:
        """Return whether nothing came unasked for, as the end of the connection would."""
        try:
            return not self._connection.can_read(timeout=0)
        except (OSError, exceptions.RedisError):
            return False

    def close(self) -> None:
        """Hang up."""
        with suppress(OSError, exceptions.RedisError):
            self._connection.disconnect()

    def _reply(self) -> Reply:
        try:
            return self._connection.read_response()
        except exceptions.ResponseError as error:
            return error


def permitted(replies: list[Reply]) -> list[Reply]:
    """Return replies; raise the first that says that our user may not ask for that."""
    for reply in replies:
        if isinstance(reply, exceptions.NoPermissionError):
            raise reply
    return replies


_IDENTITY = (b"run_id:", b"master_replid:")
_CLUSTER = (b"redis_mode:cluster", b"server_mode:cluster")

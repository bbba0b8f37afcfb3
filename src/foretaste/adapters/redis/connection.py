"""Connections to one Redis or Valkey server, each with the incarnation of the server at its other end."""

import secrets
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from hashlib import sha1
from threading import BoundedSemaphore
from typing import Any, TypeAlias

from redis import exceptions
from redis.backoff import NoBackoff
from redis.connection import ConnectionPool
from redis.retry import Retry

from foretaste.domain.errors import InvalidInputError, UnavailableError
from foretaste.ports.telemetry import Telemetry

Command: TypeAlias = tuple[bytes | str | int, ...]
Reply: TypeAlias = Any
TIMEOUT_SECONDS = 0.25
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

    def open(self) -> None:
        """Connect and ask the server who it is."""
        self._connection.connect()
        self.identify()

    def identify(self) -> None:
        """Ask the server who it is: process, replication history, and whether it is a primary."""
        replies = self.exchange((("INFO", "server"), ("INFO", "replication")))
        lines = b"\n".join(reply for reply in replies if isinstance(reply, bytes)).split()
        names = [line.split(b":")[1].decode() for line in lines if line.startswith(_IDENTITY)]
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


_IDENTITY = (b"run_id:", b"master_replid:")


class Connections:
    """At most `most` connections to the server at `url`, opened as needed.

    Connecting, and each answer, take at most `timeout_seconds`, as does waiting for a connection to become
    free. Each use is observed as `redis_operation_duration_seconds{operation}`. Raises `InvalidInputError`
    for a URL that cannot be understood.
    """

    def __init__(
        self, url: str, telemetry: Telemetry, *, timeout_seconds: float = TIMEOUT_SECONDS, most: int = 16
    ) -> None:
        try:
            self._pool = ConnectionPool.from_url(
                url,
                protocol=2,
                socket_timeout=timeout_seconds,
                socket_connect_timeout=timeout_seconds,
                retry=Retry(NoBackoff(), 0),
            )
        except (ValueError, TypeError) as error:
            raise InvalidInputError(
                f"`redis_url` cannot be understood ({error}); write redis://[user:password@]host:port/0, "
                "rediss:// for TLS or unix:///path",
                field="redis_url",
            ) from error
        self.where = _without_password(url)
        self._telemetry = telemetry
        self._timeout = timeout_seconds
        self._free = BoundedSemaphore(most)
        self._idle: deque[Line] = deque()
        self._closed = False

    @contextmanager
    def lent(self, operation: str) -> Iterator[Line]:
        """Lend a connection; one on which anything failed is closed. Raises `UnavailableError`."""
        started = time.perf_counter()
        if self._closed or not self._free.acquire(timeout=self._timeout):
            reason = "is closed" if self._closed else f"has no free connection within {self._timeout} s"
            raise UnavailableError(f"the client of {self.where} {reason}", field="redis_url")
        line: Line | None = None
        try:
            line = self._line()
            yield line
        except BaseException as error:
            if line is not None:
                line.close()
            if isinstance(error, exceptions.RedisError | OSError):
                self.forget()
                raise UnavailableError(
                    f"Redis at {self.where} does not answer ({type(error).__name__}: {error}); check "
                    "`redis_url`, the server and its password",
                    field="redis_url",
                ) from error
            raise
        else:
            self._take_back(line)
        finally:
            self._free.release()
            self._telemetry.observe(
                "redis_operation_duration_seconds", time.perf_counter() - started, operation=operation
            )

    def forget(self) -> None:
        """Close what is not lent, so that whoever comes next asks anew who the server is."""
        while self._idle:
            with suppress(IndexError):
                self._idle.pop().close()

    def close(self) -> None:
        """Close all. Closing twice is fine."""
        self._closed = True
        self.forget()

    def _take_back(self, line: Line) -> None:
        self._idle.append(line)
        if self._closed:
            self.forget()

    def _line(self) -> Line:
        """Return an idle connection that still stands, or a new one."""
        while self._idle:
            with suppress(IndexError):
                line = self._idle.pop()
                if line.stands():
                    return line
                line.close()
        line = Line(self._pool.make_connection())
        try:
            line.open()
        except BaseException:
            line.close()
            raise
        return line


def refusal(replies: Sequence[Reply]) -> exceptions.ResponseError | None:
    """Return the first reply that is an error."""
    return next((reply for reply in replies if isinstance(reply, exceptions.ResponseError)), None)


def new_token() -> bytes:
    """Return eight random bytes."""
    return secrets.token_bytes(8)


def _without_password(url: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"

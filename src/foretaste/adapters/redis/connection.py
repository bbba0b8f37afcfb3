"""Connections to Redis or Valkey, each with the incarnation of what is at its other end."""

import secrets
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from threading import BoundedSemaphore
from typing import Any

from redis import Connection, exceptions
from redis.backoff import NoBackoff
from redis.connection import ConnectionPool, UnixDomainSocketConnection
from redis.retry import Retry

from foretaste.adapters.redis.cluster import ClusterLine
from foretaste.adapters.redis.line import Address, Line, Reply
from foretaste.domain.errors import InvalidInputError, UnavailableError
from foretaste.ports.telemetry import Telemetry

TIMEOUT_SECONDS = 0.25


class Connections:
    """At most `most` connections to the server at `url`, opened as needed.

    Where that is a node of a cluster, each leads to all its primaries (see `ClusterLine`); should the node of
    the URL be away, the others that are known are asked where the slots are.

    Connecting, and each answer, take at most `timeout_seconds`, as does waiting for a connection to become
    free. Each use is observed as `redis_operation_duration_seconds{operation}`. Raises `InvalidInputError`
    for a URL that cannot be understood.
    """

    def __init__(
        self, url: str, telemetry: Telemetry, *, timeout_seconds: float = TIMEOUT_SECONDS, most: int = 16
    ) -> None:
        try:
            _require_number(url)
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
        self._idle: deque[Line | ClusterLine] = deque()
        self._nodes: tuple[Address, ...] = ()
        self._closed = False

    @contextmanager
    def lent(self, operation: str) -> Iterator[Line | ClusterLine]:
        """Lend a connection; one on which anything failed is closed. Raises `UnavailableError`."""
        started = time.perf_counter()
        if self._closed or not self._free.acquire(timeout=self._timeout):
            reason = "is closed" if self._closed else f"has no free connection within {self._timeout} s"
            raise UnavailableError(f"the client of {self.where} {reason}", field="redis_url")
        line: Line | ClusterLine | None = None
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

    def _take_back(self, line: Line | ClusterLine) -> None:
        self._idle.append(line)
        if self._closed:
            self.forget()

    def _line(self) -> Line | ClusterLine:
        """Return an idle connection that still stands, or a new one."""
        while self._idle:
            with suppress(IndexError):
                line = self._idle.pop()
                if line.stands():
                    return line
                line.close()
        return self._opened()

    def _opened(self) -> Line | ClusterLine:
        """Return a new connection: to the server of the URL, or to the cluster that it is a node of."""
        try:
            line = self._connected(None)
        except (OSError, exceptions.RedisError):
            for address in self._nodes:
                with suppress(OSError, exceptions.RedisError):
                    line = self._connected(address)
                    break
            else:
                raise
        if not line.is_cluster:
            return line
        cluster = ClusterLine(line, self._connected)
        try:
            cluster.open()
        except BaseException:
            cluster.close()
            raise
        self._nodes = cluster.addresses
        return cluster

    def _connected(self, address: Address | None) -> Line:
        """Return a connection to a node, or to the server of the URL."""
        kwargs: dict[str, Any] = dict(self._pool.connection_kwargs)
        kind = self._pool.connection_class
        if address is not None:
            kwargs.pop("path", None)
            kwargs |= {"host": address[0], "port": address[1]}
            kind = Connection if kind is UnixDomainSocketConnection else kind
        line = Line(kind(**kwargs))
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
    """Return where the server is, without what stands before the host and after the question mark."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2].partition('?')[0]}"


def _require_number(url: str) -> None:
    """Raise `ValueError` where a path names no database by its number: the driver would take number 0."""
    scheme, _, rest = url.partition("://")
    name = rest.rpartition("@")[2].partition("?")[0].partition("/")[2].replace("/", "")
    if scheme != "unix" and not (name.isdecimal() or not name):
        raise ValueError(f"databases have numbers, and {name!r} is none")

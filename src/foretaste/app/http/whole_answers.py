"""Answers written at once: a second write is a second call of the system, and wakes the client twice."""

import asyncio
from collections.abc import Callable

_INTERIM = b"HTTP/1.1 100 "


class WholeAnswers(asyncio.WriteTransport):
    """Where one answer is written: its head waits for what comes after it, the body or the end.

    What is written first is the head, whole; before it may come an interim one, which does not wait.
    """

    def __init__(self, transport: asyncio.Transport, end: Callable[[], object]) -> None:
        super().__init__()
        self._transport = transport
        self._end = end
        self._is_ended = False
        self._head = b""
        self._is_begun = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Keep the head, or write what was kept and this."""
        if not self._is_begun and not bytes(data).startswith(_INTERIM):
            self._is_begun, self._head = True, bytes(data)
        else:
            head, self._head = self._head, b""
            self._transport.write(head + bytes(data) if head else data)

    def finish(self) -> None:
        """Write a head without a body."""
        if self._head:
            self.write(b"")

    def close(self) -> None:
        """Write what was kept, then end the connection, in the way that was given."""
        self.finish()
        self._is_ended = True
        self._end()

    def is_closing(self) -> bool:
        """Return whether the connection is closing."""
        return self._is_ended or self._transport.is_closing()

"""Connections that turn requests away early, and that nobody can hold for ever.

A request that is not let in is refused when its head was read, with bytes that are made once: refusing must
cost little where there is too much to do.
"""

import math
import time
from asyncio import Transport
from collections import deque
from typing import Any

from foretaste.app.http.asgi.exchange import ARRIVED, PRIORITY, Receive, Scope, Send
from foretaste.app.http.asgi.refusals import REFUSAL
from foretaste.app.http.bounded import BoundedProtocol
from foretaste.app.http.priorities import priority_of
from foretaste.serving.admission import Admission, Priority

DRAINED_BYTES = 1 << 20
"""So much of the body of a request that was turned away is read before it is answered."""

REFUSAL_HEAD = b"".join(
    [
        b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: %d\r\n" % len(REFUSAL.body),
        *(b"%b: %b\r\n" % header for header in REFUSAL.headers),
    ]
)


REFUSED_WHOLE = REFUSAL_HEAD + b"\r\n" + REFUSAL.body
_VERSION = b" HTTP/1.1\r\n"
_END = b"\r\n\r\n"
_TELLING = tuple(
    b"\n" + name for name in (b"connection", b"content-length", b"expect", b"transfer-encoding", b"upgrade")
)
"""Beginnings of lines that say more about a request than where it goes."""


def plain_address(data: bytes) -> bytes | None:
    """Return the address of a request if `data` is one whole GET, with nothing to be told but that.

    For these no parser is needed to say no: they have no body, and their connection stays.
    """
    end = data.find(b" ", 4)
    if (
        not data.startswith(b"GET /")
        or not data.startswith(_VERSION, end)
        or data.find(_END) != len(data) - 4
    ):
        return None
    lines = data.lower()
    return None if any(line in lines for line in _TELLING) else data[4:end]


class AdmittingProtocol(BoundedProtocol):
    """One connection whose requests `admission` lets in, or not. There may be `most_connections`."""

    def __init__(self, *args: Any, admission: Admission, most_connections: int, **more: Any) -> None:
        super().__init__(*args, **more)
        self._admission = admission
        self._most_connections = most_connections
        self._under_way: deque[Priority] = deque()
        self._drained = -1
        """Bytes read of the body of a request that was turned away; -1: of none."""
        self._refused_at = -math.inf
        """When a request was last turned away unread, in the loop's time."""

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]  # uvicorn narrows it
        """Take the connection, unless there are too many."""
        super().connection_made(transport)
        if len(self.connections) > self._most_connections:
            self._admission.refuse(Priority.ANSWERS)
            self.transport.write(REFUSAL_HEAD + b"connection: close\r\n\r\n" + REFUSAL.body)
            self.transport.close()
            self._abort_in_time()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget what was under way: nobody waits for it."""
        super().connection_lost(exc)
        while self._under_way:
            self._admission.leave(self._under_way.popleft())

    def data_received(self, data: bytes) -> None:
        """Take bytes; where there is too much to do, refuse what is plainly one more, without reading it."""
        if self._admission.is_full(Priority.ANSWERS) and self._is_idle():
            address = plain_address(data)
            if address is not None and priority_of(b"GET", address) is Priority.ANSWERS:
                self._turn_away_unread()
                return
        super().data_received(data)

    def timeout_keep_alive_handler(self) -> None:
        """End a connection that was idle for long; being refused is not being idle."""
        left = self._refused_at + self.timeout_keep_alive - self.loop.time()
        if left > 0:
            self._stay(left)
        else:
            super().timeout_keep_alive_handler()

    def on_headers_complete(self) -> None:
        """Let the request in, or turn it away."""
        if self._is_lingering:
            return
        priority = priority_of(self.parser.get_method(), self.url)
        if self._admission.enter(priority):
            self._under_way.append(priority)
            self.scope[ARRIVED] = time.perf_counter()  # type: ignore[literal-required]  # our own
            self.scope[PRIORITY] = priority  # type: ignore[literal-required]  # our own
            super().on_headers_complete()
        elif not self._under_way:
            self._begin_body()
            self._drained = 0
            self._wait()
            if self.expect_100_continue:
                self._turn_away(stays=False)
        else:
            self._turn_away_in_turn()

    def on_body(self, body: bytes) -> None:
        """Take a part of a body; of one that was turned away only note how long it is."""
        if self._is_lingering:
            return
        if self._drained < 0:
            super().on_body(body)
            return
        self._drained += len(body)
        if self._drained > DRAINED_BYTES:
            self._turn_away(stays=False)

    def on_message_complete(self) -> None:
        """End a request; one that was turned away has its answer now."""
        if self._is_lingering:
            return
        if self._drained < 0:
            super().on_message_complete()
            return
        self._in_head = True
        self._turn_away(stays=self.parser.should_keep_alive())
        self._drained = -1

    def on_response_complete(self) -> None:
        """Let the next request of this connection begin."""
        if self._under_way:
            self._admission.leave(self._under_way.popleft())
        super().on_response_complete()

    def _is_idle(self) -> bool:
        """Whether the next byte begins a request, and nothing is to be answered before it."""
        return not self._under_way and self._in_head and not self._fed and not self._is_ending()

    def _stay(self, seconds: float) -> None:
        """Wait for the next request for so long."""
        self.timeout_keep_alive_task = self.loop.call_later(seconds, self.timeout_keep_alive_handler)

    def _turn_away_unread(self) -> None:
        self._admission.refuse(Priority.ANSWERS)
        self._refused_at = self.loop.time()
        self.transport.write(REFUSED_WHOLE)
        if self.timeout_keep_alive_task is None:
            self._wait_no_more()
            self._stay(self.timeout_keep_alive)

    def _turn_away(self, *, stays: bool) -> None:
        self._wait_no_more()
        if self._is_ending():
            return
        head = REFUSAL_HEAD + (b"\r\n" if stays else b"connection: close\r\n\r\n")
        self.transport.write(head if self.parser.get_method() == b"HEAD" else head + REFUSAL.body)
        if stays:
            self._stay(self.timeout_keep_alive)
        else:
            self._end()

    def _turn_away_in_turn(self) -> None:
        """Refuse a request that came before the one before it was answered, when its turn comes."""
        self._under_way.append(Priority.HEALTH)
        usual, self.app = self.app, _refuse
        super().on_headers_complete()
        self.app = usual


async def _refuse(scope: Scope, _: Receive, send: Send) -> None:
    await REFUSAL.send(send, with_body=scope["method"] != "HEAD")

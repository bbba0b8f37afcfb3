"""Bounds on what comes before a body, and on how long a client may leave its answers unread."""

import asyncio
from asyncio import TimerHandle
from functools import partial
from typing import ClassVar

import msgspec
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from foretaste.app.http.asgi.problems import PROBLEM_JSON, HttpError, problem_of
from foretaste.app.http.whole_answers import WholeAnswers


class BoundedProtocol(HttpToolsProtocol):
    """One connection. What is sent before a body may have `head_bytes` and take `head_seconds`.

    What is no HTTP, too large or too slow is refused with a problem document, and the connection ends.
    """

    head_bytes: ClassVar[int] = 65_536
    head_seconds: ClassVar[float] = 30.0
    stuck_seconds: ClassVar[float] = 30.0
    """How long a client may leave its answers unread."""

    lingering_seconds: ClassVar[float] = 5.0
    """How long the rest of a body is taken and forgotten after its answer.

    What is left unread when a connection is closed resets it, and who still sends never sees the answer.
    """

    _in_head = True
    _fed = 0
    _is_lingering = False
    _timer: TimerHandle | None = None
    _stuck: TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn narrows it
        """Start waiting for the first request."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._wait_no_more()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes; refuse a head that has too many."""
        if self._is_lingering:
            return
        if self._in_head:
            self._fed += len(data)
        super().data_received(data)
        if not self._in_head or not self._fed or self._is_ending():
            return
        if self._fed > self.head_bytes:
            self._refuse(431, f"address and headers together may have {self.head_bytes} bytes")
        elif self._timer is None:
            self._wait()

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self._in_head = True

    def on_headers_complete(self) -> None:
        """Hand the request over."""
        self._begin_body()
        super().on_headers_complete()
        whole = WholeAnswers(self.transport, self._end)
        self.cycle.transport = whole  # type: ignore[assignment]  # a cycle does nothing else with it
        self.cycle.on_response = partial(self._answered, whole)

    def on_message_complete(self) -> None:
        """End a request: what comes next is a head again."""
        super().on_message_complete()
        self._in_head = True

    def pause_writing(self) -> None:
        """Stop writing to a client that does not read, for so long."""
        super().pause_writing()
        self._stuck = self.loop.call_later(self.stuck_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on: the client reads."""
        if self._stuck is not None:
            self._stuck.cancel()
        super().resume_writing()

    def _answered(self, whole: WholeAnswers) -> None:
        whole.finish()
        self.on_response_complete()

    def on_response_complete(self) -> None:
        """Let the next request begin, or end a connection whose client may not read the rest."""
        super().on_response_complete()
        if self.transport.is_closing():
            self._abort_in_time()

    def timeout_keep_alive_handler(self) -> None:
        """End a connection that was idle for long."""
        super().timeout_keep_alive_handler()
        self._abort_in_time()

    def _is_ending(self) -> bool:
        """Whether nothing more is said on this connection."""
        return self._is_lingering or self.transport.is_closing()

    def _end(self) -> None:
        """End the connection; where a body is still to come, so that its client sees the answer."""
        if self._in_head:
            self.transport.close()
            self._abort_in_time()
        else:
            self._linger()

    def _linger(self) -> None:
        """End the connection once its client has, or before long: what it still sends is forgotten."""
        self._is_lingering = True
        self.flow.resume_reading()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.loop.call_later(self.lingering_seconds, self.transport.abort)

    def _abort_in_time(self) -> None:
        if self.transport.get_write_buffer_size():
            self.loop.call_later(self.stuck_seconds, self.transport.abort)

    def _begin_body(self) -> None:
        self._in_head, self._fed = False, 0
        self._wait_no_more()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP."""
        self._refuse(400, f"{msg} The address must be percent-encoded ASCII of at most 65,535 characters.")

    def _wait(self) -> None:
        self._timer = self.loop.call_later(self.head_seconds, self._give_up)

    def _wait_no_more(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give_up(self) -> None:
        self._timer = None
        if self._fed:
            self._refuse(408, f"the request did not arrive within {self.head_seconds:g} s")
        else:
            self.transport.close()

    def _refuse(self, status: int, detail: str) -> None:
        problem = problem_of(HttpError(status, detail))
        body = msgspec.json.encode(problem)
        head = b"HTTP/1.1 %d %b\r\ncontent-type: %b\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % (
            status,
            problem.title.encode(),
            PROBLEM_JSON,
            len(body),
        )
        self.transport.write(head + body)
        if getattr(self.cycle, "response_complete", True):
            self._linger()
        else:  # an answer is being written: it ends here
            self.transport.close()
            self._abort_in_time()

"""The line between processes of one service: requests and answers as frames over a Unix socket.

A frame is its length (four bytes, big-endian) and a MessagePack array. Answers may come in any order, so one
connection carries all that one process asks of another. Bodies are whole: who forwards a request has read it,
within its limits, and a slow client holds up nobody else.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, TypeAlias

import msgspec

from foretaste.domain.errors import UnavailableError

MOST_PENDING: Final = 1_000
"""Requests that may wait for an answer on one connection; more are refused at once."""
SLOW_SECONDS: Final = 5.0
"""After how long without an answer the other process is said to hang."""
_LENGTH: Final = 4
_LONGEST: Final = (1 << 31) - 1
_CONNECT_SECONDS: Final = 1.0
_CLOSE_SECONDS: Final = 1.0

Headers: TypeAlias = tuple[tuple[bytes, bytes], ...]


class Call(msgspec.Struct, frozen=True, array_like=True):
    """A request: `path` and `query` as they came, before percent-decoding."""

    number: int
    method: str
    path: bytes
    query: bytes = b""
    headers: Headers = ()
    body: bytes = b""


class Reply(msgspec.Struct, frozen=True, array_like=True):
    """The answer to the call of that number."""

    number: int
    status: int
    headers: Headers
    body: bytes


Answer = Callable[[Call], Awaitable[Reply]]
_encode = msgspec.msgpack.Encoder().encode
_call, _reply = msgspec.msgpack.Decoder(Call).decode, msgspec.msgpack.Decoder(Reply).decode


class Line:
    """Asks the process that listens at `path`; connects when needed, and again after it was away."""

    def __init__(self, path: Path, name: str) -> None:
        self._path = path
        self._name = name
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None
        self._connecting = asyncio.Lock()
        self._pending: dict[int, asyncio.Future[Reply]] = {}
        self._asked: dict[int, float] = {}
        self._number = 0

    async def ask(self, call: Call, seconds: float) -> Reply:
        """Return the answer to `call`, whose number is chosen here.

        Raises `UnavailableError` where the other process is away, dies meanwhile, has too much to do, or does
        not answer within `seconds`: what was asked may then have been done nevertheless.
        """
        if len(self._pending) >= MOST_PENDING:
            raise UnavailableError(f"{self._name} has too much to do; try again shortly", retry_after=1.0)
        self._number += 1
        number = self._number
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._pending[number] = future
        self._asked[number] = time.monotonic()
        try:
            writer = self._writer or await self._connected()
            if writer.is_closing():  # it has ended, and `_read` is about to notice
                raise self._away()
            async with asyncio.timeout(seconds):
                writer.write(framed(msgspec.structs.replace(call, number=number)))
                await writer.drain()
                return await future
        except TimeoutError as error:
            raise UnavailableError(
                f"{self._name} did not answer within {seconds:g} s; it may have done it nevertheless",
                retry_after=1.0,
            ) from error
        except OSError as error:
            raise self._away() from error
        finally:
            self._pending.pop(number, None)
            self._asked.pop(number, None)

    def complaint(self) -> str | None:
        """Say that the other process has left a call without an answer for long, None where it has not."""
        waited = time.monotonic() - min(list(self._asked.values()), default=time.monotonic())
        return f"{self._name} has not answered for {waited:.0f} s" if waited > SLOW_SECONDS else None

    async def close(self) -> None:
        """Let go of the connection."""
        if self._reading is not None:
            self._reading.cancel()
            with suppress(asyncio.CancelledError):
                await self._reading

    async def _connected(self) -> asyncio.StreamWriter:
        async with self._connecting:
            if self._writer is None:
                try:
                    async with asyncio.timeout(_CONNECT_SECONDS):
                        reader, writer = await asyncio.open_unix_connection(str(self._path))
                except (OSError, TimeoutError) as error:
                    raise self._away() from error
                self._writer = writer
                self._reading = asyncio.create_task(self._read(reader, writer))
            return self._writer

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                reply = _reply(await frame_of(reader))
                future = self._pending.get(reply.number)
                if future is not None and not future.done():
                    future.set_result(reply)
        except (OSError, EOFError, msgspec.MsgspecError):
            pass
        finally:
            self._writer = None
            writer.close()
            for future in self._pending.values():
                if not future.done():
                    future.set_exception(self._away())

    def _away(self) -> UnavailableError:
        return UnavailableError(f"{self._name} is away; it is started again by itself", retry_after=1.0)


class Listening:
    """Answers calls at `path` by `answer` until closed; it must not raise."""

    def __init__(self, path: Path, answer: Answer) -> None:
        self._path = path
        self._answer = answer
        self._tasks: set[asyncio.Task[None]] = set()
        self._connections: dict[asyncio.StreamWriter, asyncio.Task[None] | None] = {}
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Begin to listen, in place of a process that died."""
        self._path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._serve, str(self._path))

    async def close(self, seconds: float) -> None:
        """Take no more calls, and answer those that were taken, within `seconds`."""
        if self._server is None:
            return
        self._server.close()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)
        for writer in self._connections:
            writer.close()
        ending = [task for task in self._connections.values() if task is not None]
        if ending:
            await asyncio.wait(ending, timeout=_CLOSE_SECONDS)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections[writer] = asyncio.current_task()
        try:
            while True:
                call = _call(await frame_of(reader))
                task = asyncio.create_task(self._answered(call, writer))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        except (OSError, EOFError, msgspec.MsgspecError):
            pass
        finally:
            self._connections.pop(writer)
            writer.close()

    async def _answered(self, call: Call, writer: asyncio.StreamWriter) -> None:
        reply = await self._answer(call)
        if not writer.is_closing():
            writer.write(framed(reply))
            with suppress(OSError):
                await writer.drain()


def framed(message: Call | Reply) -> bytes:
    """Return a message as it is sent."""
    body = _encode(message)
    return len(body).to_bytes(_LENGTH, "big") + body


async def frame_of(reader: asyncio.StreamReader) -> bytes:
    """Return the next message; raise `EOFError` where the other end is gone."""
    length = int.from_bytes(await reader.readexactly(_LENGTH), "big")
    if length > _LONGEST:
        raise EOFError
    return await reader.readexactly(length)


def asgi_answer(app: Any) -> Answer:
    """Return what answers calls by an ASGI application."""

    async def answer(call: Call) -> Reply:
        body = call.body
        parts: list[bytes] = []
        begun: dict[str, Any] = {"status": 500, "headers": []}

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                begun.update(message)
            else:
                parts.append(message.get("body", b""))

        scope = {
            "type": "http",
            "method": call.method,
            "path": call.path.decode("latin-1"),
            "raw_path": call.path,
            "query_string": call.query,
            "headers": list(call.headers),
        }
        await app(scope, receive, send)
        headers = tuple((bytes(name), bytes(value)) for name, value in begun["headers"])
        return Reply(call.number, begun["status"], headers, b"".join(parts))

    return answer

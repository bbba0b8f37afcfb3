"""The two clients: they send and wait; what to send, when and how often is in `exchange`."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from types import TracebackType
from typing import Self, TypeVar

from foretaste.client.calls import Call
from foretaste.client.errors import ClientError, ClosedError, NoAnswerError, TimedOutError
from foretaste.client.exchange import Exchange, Patience, Reply, Send, Wait, exchange
from foretaste.client.forking import renew_in_children
from foretaste.client.operations import Asynchronous, Blocking, Operations

try:
    import httpx
except ModuleNotFoundError as missing:
    raise ModuleNotFoundError(
        "foretaste.client needs httpx: pip install 'foretaste[client]'", name="httpx"
    ) from missing

T = TypeVar("T")
URL = "http://127.0.0.1:8000"
USUAL_PATIENCE = Patience()
CLOSED = "this client was closed; make another one"


class Client(Operations, Blocking):
    """Asks the service at `url`; may be used by several threads, and is to be closed.

    `headers` go with every request. `transport`, `sleep` and `draw` (numbers in [0, 1)) replace the network,
    the waiting and the randomness.
    """

    def __init__(
        self,
        url: str = URL,
        *,
        patience: Patience = USUAL_PATIENCE,
        headers: Mapping[str, str] | None = None,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], object] = time.sleep,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._connected = partial(httpx.Client, base_url=url, headers=headers, transport=transport)
        self._http = self._connected()
        self._patience, self._sleep, self._draw = patience, sleep, draw
        renew_in_children(self, Client._renew)

    def send(self, call: Call[T]) -> T:
        """Return the answer to `call`; raise a `ClientError`."""
        steps: Exchange[T] = exchange(call, self._patience, self._draw)
        try:
            step = next(steps)
            while True:
                step = steps.send(self._done(step))
        except StopIteration as end:
            answer: T = end.value
            return answer

    def close(self) -> None:
        """Let the connections go."""
        self._http.close()

    def _renew(self) -> None:
        """Use connections of its own: a forked process must not write into its parent's."""
        if not self._http.is_closed:
            self._http = self._connected()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _done(self, step: Send | Wait) -> Reply | ClientError | None:
        if isinstance(step, Wait):
            self._sleep(step.seconds)
            return None
        if self._http.is_closed:
            return ClosedError(CLOSED)
        try:
            return _reply(self._http.send(_request(self._http, step)))
        except httpx.HTTPError as error:
            return _no_answer(error, step)


class AsyncClient(Operations, Asynchronous):
    """The same for programs with an event loop: every method is to be awaited, `aclose` in the end."""

    def __init__(
        self,
        url: str = URL,
        *,
        patience: Patience = USUAL_PATIENCE,
        headers: Mapping[str, str] | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._http = httpx.AsyncClient(base_url=url, headers=headers, transport=transport)
        self._patience, self._sleep, self._draw = patience, sleep, draw

    async def send(self, call: Call[T]) -> T:
        """Return the answer to `call`; raise a `ClientError`."""
        steps: Exchange[T] = exchange(call, self._patience, self._draw)
        try:
            step = next(steps)
            while True:
                step = steps.send(await self._done(step))
        except StopIteration as end:
            answer: T = end.value
            return answer

    async def aclose(self) -> None:
        """Let the connections go."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def _done(self, step: Send | Wait) -> Reply | ClientError | None:
        if isinstance(step, Wait):
            await self._sleep(step.seconds)
            return None
        if self._http.is_closed:
            return ClosedError(CLOSED)
        try:
            return _reply(await self._http.send(_request(self._http, step)))
        except httpx.HTTPError as error:
            return _no_answer(error, step)


def _request(http: httpx.Client | httpx.AsyncClient, step: Send) -> httpx.Request:
    return http.build_request(
        step.method, step.target, content=step.body, headers=step.headers, timeout=step.timeout
    )


def _reply(response: httpx.Response) -> Reply:
    return Reply(response.status_code, response.content, response.headers.get("Retry-After"))


def _no_answer(error: httpx.HTTPError, step: Send) -> NoAnswerError:
    if isinstance(error, httpx.TimeoutException):
        return TimedOutError(f"{step.method} {step.target} was not answered within {step.timeout:g} s")
    return NoAnswerError(f"{step.method} {step.target} was not answered: {error}")

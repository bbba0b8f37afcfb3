"""Taking connections from a socket that several processes listen on, each its share."""

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress

import uvicorn

from foretaste.app.http.draining import DrainingServer

LOOK_SECONDS = 0.02
"""How often others are told how many connections there are."""
TURN_SECONDS = 0.005
"""How long a process that has more connections than another leaves one to it."""
_PAUSE_SECONDS = 0.0005
_AFTER_ERROR_SECONDS = 0.05


class SharingServer(DrainingServer):
    """A server whose connections are about as many as those of the other processes at its socket.

    Left to chance, whoever wakes first takes all that wait, and one process works while another rests: for
    as long as these connections are kept alive. `tell` is told how many there are here, `fewest` returns how
    many the process has that has the fewest of all.
    """

    def __init__(
        self, config: uvicorn.Config, tell: Callable[[int], object], fewest: Callable[[], int]
    ) -> None:
        super().__init__(config)
        self._tell = tell
        self._fewest = fewest
        self._tasks: list[asyncio.Task[None]] = []

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to take connections."""
        await super().startup(sockets=[])
        for listener in sockets or []:
            listener.setblocking(False)
            self._tasks.append(asyncio.create_task(self._accept(listener)))
        self._tasks.append(asyncio.create_task(self._tell_on()))

    async def stop_accepting(self) -> None:
        """Take no more connections."""
        for task in self._tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, _ = await loop.sock_accept(listener)
                await loop.connect_accepted_socket(self._protocol, connection)
            except OSError:
                await asyncio.sleep(_AFTER_ERROR_SECONDS)
            self._tell(len(self.server_state.connections))
            await self._turn()

    async def _turn(self) -> None:
        """Return when nobody has fewer connections, or does not take one."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + TURN_SECONDS
        while len(self.server_state.connections) > self._fewest() and loop.time() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _tell_on(self) -> None:
        while True:
            self._tell(len(self.server_state.connections))
            await asyncio.sleep(LOOK_SECONDS)

    def _protocol(self) -> asyncio.Protocol:
        return self.config.http_protocol_class(  # type: ignore[call-arg]  # what uvicorn makes them of
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )

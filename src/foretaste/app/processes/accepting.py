"""Taking connections from a socket that several processes listen on, each its share."""

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress

import uvicorn

from foretaste.app.http.accepting import AcceptingServer

LOOK_SECONDS = 0.02
"""How often others are told how many connections there are."""
TURN_SECONDS = 0.005
"""How long a process that has more connections than another leaves those that wait to it."""
AHEAD = 0.1
"""What part of the fewest connections a process may have more than the one that has these."""


class SharingServer(AcceptingServer):
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
        self._patient = True
        self._telling: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to take connections."""
        await super().startup(sockets)
        self._telling = asyncio.create_task(self._tell_on())

    async def stop_accepting(self) -> None:
        """Take no more connections."""
        await super().stop_accepting()
        if self._telling is not None:
            self._telling.cancel()
            with suppress(asyncio.CancelledError):
                await self._telling

    def _may_take(self, listener: socket.socket) -> bool:
        """Leave it to a process that has fewer, for a moment; then take one that it has not taken."""
        self._tell(self.taken)
        fewest = self._fewest()
        if self.taken <= fewest + AHEAD * fewest or not self._patient:
            self._patient = True
            return True
        self._patient = False
        self._rest(listener, TURN_SECONDS)
        return False

    async def _tell_on(self) -> None:
        while True:
            self._tell(self.taken)
            await asyncio.sleep(LOOK_SECONDS)

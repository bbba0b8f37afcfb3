"""How the service ends without losing a request."""

import asyncio
import socket

import uvicorn

DRAIN_SECONDS = 0.5
"""How long connections that are kept alive may still ask once, when the service ends."""
_LOOK_SECONDS = 0.01


class DrainingServer(uvicorn.Server):
    """A server that goes on for a moment when it is told to end, and says with each answer: the last one.

    So clients do not send a request into a connection that is just being closed.
    """

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let clients go, then stop."""
        loop = asyncio.get_running_loop()
        state = self.server_state
        state.default_headers = [*state.default_headers, (b"connection", b"close")]
        deadline = loop.time() + DRAIN_SECONDS
        while state.connections and loop.time() < deadline:  # noqa: ASYNC110 # uvicorn tells of no end
            await asyncio.sleep(_LOOK_SECONDS)
        await self.stop_accepting()
        await super().shutdown(sockets)

    async def stop_accepting(self) -> None:
        """Take no more connections; uvicorn does so by itself where it takes them."""

"""Taking connections: all that wait, not one for each round of the loop."""

import asyncio
import socket

from foretaste.app.http.draining import DrainingServer

MOST_AT_ONCE = 64
"""So many connections are taken before requests have their turn again."""
_AFTER_ERROR_SECONDS = 0.05


class AcceptingServer(DrainingServer):
    """A server that takes the connections that wait at its socket in few rounds of its loop.

    uvloop takes one a round, and rounds are as long as what there is to do in them: the last of many clients
    that come at once would wait for seconds, connected as far as it can tell, until a byte of it is read.
    """

    _listeners: tuple[socket.socket, ...] = ()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to take connections from `sockets`, which must listen."""
        await super().startup(sockets=[])
        self._loop = asyncio.get_running_loop()
        self._opening: set[asyncio.Task[object]] = set()
        self._listeners = tuple(sockets or ())
        for listener in self._listeners:
            listener.setblocking(False)
            self._listen(listener)

    async def stop_accepting(self) -> None:
        """Take no more connections."""
        listeners, self._listeners = self._listeners, ()
        for listener in listeners:
            self._loop.remove_reader(listener)

    def _listen(self, listener: socket.socket) -> None:
        if listener in self._listeners:
            self._loop.add_reader(listener, self._take, listener)

    @property
    def taken(self) -> int:
        """How many connections there are."""
        return len(self.server_state.connections) + len(self._opening)

    def _may_take(self, listener: socket.socket) -> bool:
        """Whether one more is to be taken now; who says no lets `listener` rest."""
        del listener
        return True

    def _rest(self, listener: socket.socket, seconds: float) -> None:
        """Take no connections from a socket for a while."""
        self._loop.remove_reader(listener)
        self._loop.call_later(seconds, self._listen, listener)

    def _take(self, listener: socket.socket) -> None:
        for _ in range(MOST_AT_ONCE):
            if not self._may_take(listener):
                return
            try:
                connection, _address = listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError:  # no more files may be open: others must close first
                self._rest(listener, _AFTER_ERROR_SECONDS)
                return
            connection.setblocking(False)
            self._open(connection)

    def _open(self, connection: socket.socket) -> None:
        opening = self._loop.create_task(self._loop.connect_accepted_socket(self._protocol, connection))
        self._opening.add(opening)
        opening.add_done_callback(self._opened)

    def _opened(self, opening: "asyncio.Task[object]") -> None:
        self._opening.discard(opening)
        if not opening.cancelled():
            opening.exception()  # who left already is no error

    def _protocol(self) -> asyncio.Protocol:
        return self.config.http_protocol_class(  # type: ignore[call-arg]  # what uvicorn makes them of
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )

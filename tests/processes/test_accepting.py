"""Processes that listen on one socket take about as many connections each."""

import asyncio
import socket
from contextlib import ExitStack

import pytest
import uvicorn

from foretaste.app.processes.accepting import SharingServer
from foretaste.testing.served import silent


class Kept(asyncio.Protocol):
    """Stays among the connections of its server."""

    def __init__(self, server_state, **_):
        self.connections = server_state.connections

    def connection_made(self, transport):
        self.transport = transport
        self.connections.add(self)


def shared(servers, clients):
    """Return how many of `clients` connections each of so many servers at one socket has in the end."""
    told = [0] * servers

    def server(place):
        config = uvicorn.Config(silent, http=Kept, lifespan="on", log_level="error")
        config.load()

        def tell(number):
            told[place] = number

        made = SharingServer(config, tell, lambda: min(told))
        made.lifespan = config.lifespan_class(config)
        return made

    async def run(listener):
        many = [server(place) for place in range(servers)]
        for each in many:
            await each.startup(sockets=[stack.enter_context(listener.dup())])
        for _ in range(clients):
            stack.enter_context(socket.create_connection(listener.getsockname(), timeout=10))
        async with asyncio.timeout(20):
            while sum(len(each.server_state.connections) for each in many) < clients:  # noqa: ASYNC110
                await asyncio.sleep(0.001)
        counts = [len(each.server_state.connections) for each in many]
        for each in many:
            await each.stop_accepting()
            for connection in each.server_state.connections:
                connection.transport.close()
            await each.lifespan.shutdown()
        return counts

    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=256))
        return asyncio.run(run(listener))


@pytest.mark.parametrize("clients", [4, 60, 150])
def test_each_takes_its_share(clients):
    counts = shared(3, clients)
    assert sum(counts) == clients
    assert max(counts) - min(counts) <= max(2, 0.5 * min(counts))


def test_one_alone_takes_all():
    assert shared(1, 100) == [100]

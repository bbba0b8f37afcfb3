"""Connections are taken as they come, many at once."""

import asyncio
import errno
import socket
from contextlib import ExitStack
from typing import ClassVar

import pytest
import uvicorn

from foretaste.app.http.accepting import MOST_AT_ONCE, AcceptingServer
from foretaste.testing.served import silent


class Noting(asyncio.Protocol):
    """Counts the connections of a server."""

    made: ClassVar[list] = []

    def __init__(self, **_):
        pass

    def connection_made(self, transport):
        self.made.append(transport)


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0), backlog=256) as opened:
        yield opened


class Full:
    """A listening socket of a machine that can open no more files, once."""

    def __init__(self, listener):
        self.fileno, self.setblocking, self._accept = listener.fileno, listener.setblocking, listener.accept
        self._refuses = True

    def accept(self):
        if self._refuses:
            self._refuses = False
            raise OSError(errno.EMFILE, "too many open files")
        return self._accept()


def serving(listener, during):
    """Serve at `listener` while `during` runs."""

    async def run():
        Noting.made.clear()
        config = uvicorn.Config(silent, http=Noting, lifespan="on", log_level="error")
        server = AcceptingServer(config)
        config.load()
        server.lifespan = config.lifespan_class(config)
        await server.startup(sockets=[listener])
        try:
            await during()
        finally:
            await server.stop_accepting()
            for transport in Noting.made:
                transport.close()
            await server.lifespan.shutdown()

    asyncio.run(run())


def connected(opened, listener, number):
    for _ in range(number):
        opened.enter_context(socket.create_connection(listener.getsockname(), timeout=10))


async def made(number):
    async with asyncio.timeout(10):
        while len(Noting.made) < number:  # noqa: ASYNC110 # the protocol tells nobody
            await asyncio.sleep(0.001)


def test_many_connections_are_taken_in_a_few_rounds_of_the_loop(listener):
    async def during():
        rounds = 0
        while len(Noting.made) < MOST_AT_ONCE:
            await asyncio.sleep(0)
            rounds += 1
        assert rounds < MOST_AT_ONCE / 4

    with ExitStack() as opened:
        connected(opened, listener, MOST_AT_ONCE)
        serving(listener, during)


def test_more_connections_than_are_taken_at_once_are_all_taken(listener):
    with ExitStack() as opened:
        connected(opened, listener, 2 * MOST_AT_ONCE + 1)
        serving(listener, lambda: made(2 * MOST_AT_ONCE + 1))


def test_none_is_taken_after_the_end(listener):
    async def nothing():
        pass

    serving(listener, nothing)
    with ExitStack() as opened:
        connected(opened, listener, 1)
        assert not Noting.made


def test_a_machine_that_can_open_no_more_files_takes_connections_later(listener):
    with ExitStack() as opened:
        connected(opened, listener, 1)
        serving(Full(listener), lambda: made(1))

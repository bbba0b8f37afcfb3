"""How a process that answers ends."""

import asyncio
from contextlib import asynccontextmanager

from foretaste.app.cli.process import while_open
from foretaste.app.http.asgi.application import Application


def test_what_is_open_while_serving_is_closed_before_the_server_is_told_of_the_end():
    """After that the server ends the event loop, and with it whatever is still being closed."""
    seen = []

    @asynccontextmanager
    async def opened():
        seen.append("opened")
        yield
        await asyncio.sleep(0.01)
        seen.append("closed")

    async def run():
        messages = iter(({"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}))

        async def receive():
            return next(messages)

        async def send(message):
            seen.append(message["type"])

        await while_open(Application([]), opened)({"type": "lifespan"}, receive, send)

    asyncio.run(run())
    assert seen == ["opened", "lifespan.startup.complete", "closed", "lifespan.shutdown.complete"]

"""A running service for the client."""

import asyncio

import pytest

from foretaste.app.wiring import home_in_memory
from foretaste.client import AsyncClient, Client, Patience
from foretaste.domain.item import Item
from foretaste.testing.served import served_home

PATIENT = Patience(timeout=60.0)
"""The first use of a kernel may compile it."""


@pytest.fixture(scope="module")
def address():
    """The address of a service of 20 items and 8 people."""
    with home_in_memory() as home:
        home.put_items(
            [Item(item_id=f"i{n}", title=f"Film {n}", categories=(f"Kind {n % 4}",)) for n in range(20)]
        )
        past = [
            {"user_id": f"u{user}", "item_id": f"i{(user * 3 + n) % 20}", "type": "watch"}
            for user in range(8)
            for n in range(8)
        ]
        home.recorder.record(past, now=1_700_000_000_000_000)
        with served_home(home) as found:
            yield found


@pytest.fixture(params=["blocking", "asynchronous"])
def shop(request, address):
    """Either client of the running service, its methods called the same way."""
    if request.param == "blocking":
        with Client(address, patience=PATIENT) as client:
            yield client
    else:
        with asyncio.Runner() as runner:
            client = AsyncClient(address, patience=PATIENT)
            yield Awaited(client, runner)
            runner.run(client.aclose())


class Awaited:
    """Runs what an asynchronous client gives until it is there."""

    def __init__(self, client, runner):
        self._client = client
        self._runner = runner

    def __getattr__(self, name):
        method = getattr(self._client, name)
        return lambda *args, **kwargs: self._runner.run(method(*args, **kwargs))

"""Services of films, empty and with a past."""

import pytest
from asgi_client import FILMS, NOW, PAST, Client

from foretaste.app.settings import Settings
from foretaste.app.wiring import home_in_memory


@pytest.fixture
def home():
    with home_in_memory() as opened:
        opened.put_items(FILMS)
        opened.recorder.record(PAST, now=NOW)
        yield opened


@pytest.fixture
def client(home):
    return Client(home)


@pytest.fixture
def caching():
    """A service that keeps its answers."""
    with home_in_memory(Settings(answer_cache="memory")) as opened:
        opened.put_items(FILMS)
        opened.recorder.record(PAST, now=NOW)
        yield Client(opened)


@pytest.fixture
def empty():
    with home_in_memory() as opened:
        yield Client(opened)

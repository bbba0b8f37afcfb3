"""What tests of this folder share: an empty shop, and a broker beside it."""

import pytest

from foretaste.adapters.memory.event_stream import MemoryBroker
from foretaste.app.wiring import home_in_memory


@pytest.fixture
def broker():
    return MemoryBroker()


@pytest.fixture
def home():
    with home_in_memory() as opened:
        yield opened

"""The streams in memory keep the promises of streams."""

from contextlib import closing

import pytest

from foretaste.adapters.memory.event_stream import (
    MemoryBroker,
    MemoryEventSink,
    MemoryEventSource,
    MemoryFencedSink,
)
from foretaste.domain.errors import UnavailableError
from foretaste.testing.contracts.event_stream import EventStreamContract, numbered
from foretaste.testing.contracts.fenced_sink import FencedSinkContract


class MemoryStreamSite:
    def __init__(self):
        self.broker = MemoryBroker()

    def sink(self):
        return closing(MemoryEventSink(self.broker, "events"))

    def fenced_sink(self):
        return closing(MemoryFencedSink(self.broker, "events"))

    def source(self, positions):
        return closing(MemoryEventSource(self.broker, "events", "group", positions))

    def make_anew(self):
        self.broker.delete("events")


@pytest.fixture
def stream_site():
    return MemoryStreamSite()


class TestMemoryEventStream(EventStreamContract):
    pass


class TestMemoryFencedSink(FencedSinkContract):
    pass


def test_a_broker_that_is_away_says_so(stream_site):
    stream_site.broker.available = False
    with stream_site.sink() as sink, stream_site.source(lambda _stream: {}) as source:
        with pytest.raises(UnavailableError):
            sink.submit(numbered(0, 1)).result()
        with pytest.raises(UnavailableError):
            sink.stream  # noqa: B018 # asking is the point
        assert source.poll(1, 0.0).messages == ()
        with pytest.raises(UnavailableError):
            source.lag()

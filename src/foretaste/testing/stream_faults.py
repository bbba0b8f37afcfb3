"""Planted faults: streams in memory that break one promise each, to show that the contracts notice."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future

from foretaste.adapters.memory.event_stream import (
    MemoryBroker,
    MemoryEventSink,
    MemoryEventSource,
    MemoryFencedSink,
)
from foretaste.ports.event_stream import Positions, StreamBatch, StreamMessage


class BeginsAnew(MemoryEventSource):
    """Reads from the beginning whatever the log says."""

    def __init__(self, broker: MemoryBroker, topic: str, group: str, positions: Positions) -> None:
        del positions
        super().__init__(broker, topic, group, lambda _stream: {})


class TrustsTheGroup(MemoryEventSource):
    """Goes on where the group said it was, not where the log says."""

    told: Mapping[str, int] = {}

    def __init__(self, broker: MemoryBroker, topic: str, group: str, positions: Positions) -> None:
        del positions
        super().__init__(broker, topic, group, lambda _stream: type(self).told)

    def acknowledge(self, reached: Mapping[str, int]) -> None:
        """Remember it for the next member."""
        type(self).told = dict(reached)


class LosesWhatErrorsFollow(MemoryEventSource):
    """Moves on but returns nothing now and then, as if an error had taken messages with it."""

    _polls = 0

    def _read(self, most: int) -> StreamBatch:
        batch = super()._read(most)
        if batch.messages:
            self._polls += 1
        return StreamBatch(stream=batch.stream) if self._polls == 2 else batch


class AcknowledgesUnsent(MemoryEventSink):
    """Resolves the future of a batch without its last message."""

    def submit(self, messages: Sequence[StreamMessage]) -> "Future[None]":
        """Send all but one."""
        return super().submit(messages[:-1])


class SendsBackwards(MemoryEventSink):
    """Sends the messages of a batch in the opposite order."""

    def submit(self, messages: Sequence[StreamMessage]) -> "Future[None]":
        """Send them from the last to the first."""
        return super().submit(messages[::-1])


class NeverFences(MemoryFencedSink):
    """Lets everyone write who ever took over."""

    def submit(self, messages: Sequence[StreamMessage]) -> "Future[None]":
        """Send a batch whoever writes."""
        return MemoryEventSink.submit(self, messages)

"""How far a log is behind the stream that is taken into it."""

import time
from collections import Counter
from collections.abc import Callable, Iterable

from foretaste.domain.errors import UnavailableError
from foretaste.ports.event_stream import EventSource, ReceivedMessage
from foretaste.ports.telemetry import Telemetry

LAG_SECONDS = 1.0
"""Between two looks at the lag while there is something to do."""


class StreamLag:
    """Exports how many messages of each partition of `source` are not stored yet, those in hand included.

    A partition that went to another member is told as 0 from then on: that member tells of it.
    """

    def __init__(
        self, source: EventSource, telemetry: Telemetry, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.away = ""
        """What the stream said when it was asked last how much waits; empty where it told."""
        self._source = source
        self._telemetry = telemetry
        self._clock = clock
        self._in_hand: Counter[int] = Counter()
        self._shown: dict[int, int] = {}
        self._shown_at = -LAG_SECONDS

    def read(self, messages: Iterable[ReceivedMessage]) -> None:
        """Note messages that were read, and are not stored yet."""
        self._in_hand.update(message.partition for message in messages)

    def stored(self, messages: Iterable[ReceivedMessage]) -> None:
        """Note messages that are stored."""
        self._in_hand.subtract(message.partition for message in messages)

    def show(self, *, idle: bool) -> None:
        """Export the lag now and then, and at once when it has ended; a stream that says nothing is noted."""
        now = self._clock()
        if now - self._shown_at < LAG_SECONDS and not (idle and any(self._shown.values())):
            return
        self._shown_at = now
        try:
            unread = self._source.lag()
        except UnavailableError as error:
            self.away = error.message
            return
        self.away = ""
        gone = dict.fromkeys(self._shown, 0)
        self._shown = {partition: count + self._in_hand[partition] for partition, count in unread.items()}
        for partition, waiting in {**gone, **self._shown}.items():
            self._telemetry.gauge("event_stream_lag", waiting, partition=str(partition))

"""Planted faults between Kafka and the log: each breaks one promise."""

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress

from confluent_kafka import Producer

from foretaste.adapters.kafka.event_sink import SAFE, KafkaEventSink
from foretaste.adapters.kafka.fenced_sink import KafkaFencedSink
from foretaste.adapters.sqlite.event_log import SqliteEventLog
from foretaste.domain.errors import UnavailableError
from foretaste.domain.event import Event
from foretaste.ports.event_log import AppendOutcome
from foretaste.ports.event_stream import StreamMessage

APART_SECONDS = 0.2


class StoresPositionsApart(SqliteEventLog):
    """Stores how far a stream was read first, the events a little later."""

    def submit(
        self, events: Sequence[Event], *, reached: Mapping[str, int] | None = None
    ) -> "Future[list[AppendOutcome]]":
        """Submit the positions and the events one after the other."""
        if reached:
            super().submit([], reached=reached).result()
            time.sleep(APART_SECONDS)
        return super().submit(events)


class AcknowledgesUnheard(KafkaEventSink):
    """Takes what was sent for what the broker has."""

    def _new_producer(self) -> Producer:
        return Producer(
            self._cluster.client(**{**SAFE, "acks": 0, "enable_idempotence": False})
            | {"error_cb": self._note}
        )


class TakesTroubleForDone(KafkaFencedSink):
    """Says that a batch is there whatever the brokers said."""

    def submit(self, messages: Sequence[StreamMessage]) -> "Future[None]":
        """Send a batch, and do not look."""
        with suppress(UnavailableError):
            return super().submit(messages)
        done: Future[None] = Future()
        done.set_result(None)
        return done

"""Kafka keeps the promises of streams."""

from contextlib import closing
from uuid import uuid4

import pytest
from confluent_kafka.admin import AdminClient

from foretaste.adapters.kafka.event_sink import KafkaEventSink
from foretaste.adapters.kafka.event_source import KafkaEventSource
from foretaste.adapters.kafka.fenced_sink import KafkaFencedSink
from foretaste.testing.contracts.event_stream import PARTITIONS, EventStreamContract
from foretaste.testing.contracts.fenced_sink import FencedSinkContract


class KafkaStreamSite:
    def __init__(self, cluster):
        self.cluster = cluster
        self.topic = f"test-{uuid4().hex[:8]}.events"
        self.make()

    def make(self):
        self.cluster.make_topics([self.topic], partitions=PARTITIONS)

    def sink(self):
        return closing(KafkaEventSink(self.cluster, self.topic))

    def fenced_sink(self):
        return closing(KafkaFencedSink(self.cluster, self.topic, name=f"{self.topic}-writer"))

    def source(self, positions):
        return closing(KafkaEventSource(self.cluster, self.topic, f"{self.topic}-group", positions))

    def make_anew(self):
        admin = AdminClient(self.cluster.client())
        admin.delete_topics([self.topic])[self.topic].result(10)
        self.make()


@pytest.fixture
def stream_site(cluster):
    return KafkaStreamSite(cluster)


class TestKafkaEventStream(EventStreamContract):
    pass


class TestKafkaFencedSink(FencedSinkContract):
    pass

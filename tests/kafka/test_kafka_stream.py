"""Kafka keeps the promises of streams."""

from contextlib import closing
from uuid import uuid4

import pytest
from confluent_kafka.admin import AdminClient

from foretaste.adapters.kafka.event_sink import KafkaEventSink
from foretaste.adapters.kafka.event_source import KafkaEventSource
from foretaste.adapters.kafka.fenced_sink import KafkaFencedSink
from foretaste.domain.errors import UnavailableError
from foretaste.testing.contracts.event_stream import (
    PARTITIONS,
    EventStreamContract,
    Reader,
    numbered,
    poll_until,
)
from foretaste.testing.contracts.fenced_sink import FencedSinkContract
from foretaste.testing.waiting import until


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
    def test_a_topic_made_anew_between_two_fetches_is_read_from_its_beginning(self, stream_site):
        reader = Reader()
        with stream_site.source(reader.positions) as source:
            send(stream_site, 0, 50)
            poll_until([source], reader, lambda: len(reader.messages) >= 50)
            source._consumer.pause(source._consumer.assignment())
            stream_site.make_anew()
            send(stream_site, 50, 500)  # more than there were: no position lies behind the end
            source._consumer.resume(source._consumer.assignment())
            poll_until([source], reader, lambda: len(reader.messages) >= 500)
        assert reader.values == [b"%06d" % number for number in range(500)]
        assert len(reader.streams) == 2


class TestKafkaFencedSink(FencedSinkContract):
    def test_who_writes_into_a_topic_made_anew_is_told_and_learns_its_name(self, stream_site):
        with stream_site.fenced_sink() as sink:
            sink.take_over()
            old = sink.stream
            sink.submit(numbered(0, 10)).result(60)
            stream_site.make_anew()
            with pytest.raises(UnavailableError):
                sink.submit(numbered(10, 20))
            until(lambda: took_over(sink))
            assert sink.stream != old
            sink.submit(numbered(20, 30)).result(60)


def took_over(sink):
    try:
        sink.take_over()
    except UnavailableError:
        return False
    return True


def send(site, start, stop):
    with site.sink() as sink:
        sink.submit(numbered(start, stop)).result(60)

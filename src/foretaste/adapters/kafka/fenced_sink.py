"""Messages into a Kafka topic by one writer at a time, batch by batch (Kafka's transactions)."""

import logging
from collections.abc import Sequence
from concurrent.futures import Future

from confluent_kafka import KafkaException, Producer

from foretaste.adapters.kafka.client import Heard, client_of, unavailable
from foretaste.adapters.kafka.cluster import CALL_SECONDS, KafkaCluster
from foretaste.adapters.kafka.event_sink import SAFE, SEND_SECONDS, Acknowledgements, produce
from foretaste.domain.errors import UnavailableError
from foretaste.ports.event_stream import StreamMessage

_log = logging.getLogger(__name__)


class KafkaFencedSink:
    """`FencedSink` into `topic`: the brokers refuse whoever had `name` before its present holder.

    Who reads with `isolation.level=read_committed` sees a batch as a whole or not at all. `submit` waits for
    the brokers itself, and raises where the topic was made anew since `take_over`. For one thread.
    """

    def __init__(
        self, cluster: KafkaCluster, topic: str, *, name: str, seconds: float = SEND_SECONDS
    ) -> None:
        self._cluster = cluster
        self._admin = cluster.admin()
        self._topic = topic
        self._name = name
        self._seconds = seconds
        self._stream = ""
        self._heard = Heard()
        self._producer: Producer | None = None

    @property
    def stream(self) -> str:
        """The name that the topic has for good; raises `UnavailableError` where no broker answers."""
        if not self._stream:
            self._stream = self._cluster.stream_name(self._topic, self._admin)
        return self._stream

    def take_over(self) -> None:
        """Become the one who writes, unless this is already so as far as known."""
        if self._producer is not None:
            return
        self._stream = ""
        options = self._cluster.client(
            **SAFE,
            transactional_id=self._name,
            transaction_timeout_ms=int(self._seconds * 2000),
            message_timeout_ms=int(self._seconds * 1000),
        )
        producer = client_of(Producer, options | {"error_cb": self._heard.note})
        try:
            producer.init_transactions(CALL_SECONDS)
        except KafkaException as error:
            producer.poll(0)  # hands over what it heard meanwhile
            raise unavailable(error, self._heard) from error
        self._producer = producer

    def submit(self, messages: Sequence[StreamMessage]) -> "Future[None]":
        """Send a batch as a whole; raises `UnavailableError` where another took over."""
        producer = self._producer
        if producer is None:
            raise UnavailableError("this sink does not write: take_over comes first")
        pending = Acknowledgements(len(messages), self._heard)
        try:
            producer.begin_transaction()
            for message in messages:
                _queue(producer, self._topic, message, pending)
            producer.commit_transaction(self._seconds)
            self._require_same_topic()
        except (BufferError, KafkaException) as error:
            self._give_up(producer)
            raise unavailable(error, self._heard) from error
        except UnavailableError:
            self._producer = None
            raise
        done: Future[None] = Future()
        done.set_result(None)
        return done

    def close(self) -> None:
        """Release everything; nothing waits, as a batch is under way only within `submit`."""
        self._producer = None

    def _require_same_topic(self) -> None:
        """Raise `UnavailableError` where the topic was made anew: who takes over again learns its name."""
        if self._cluster.stream_name(self._topic, self._admin) != self.stream:
            raise UnavailableError(f"the topic {self._topic} was made anew", retry_after=0.1)

    def _give_up(self, producer: Producer) -> None:
        """Undo what was begun, if that can be, and write no more until the next `take_over`."""
        self._producer = None
        try:
            producer.abort_transaction(CALL_SECONDS)
        except KafkaException as error:
            _log.info("the transaction is left to the brokers, which undo it: %s", error)


def _queue(producer: Producer, topic: str, message: StreamMessage, pending: Acknowledgements) -> None:
    try:
        produce(producer, topic, message, pending)
    except BufferError:
        producer.flush(SEND_SECONDS)
        produce(producer, topic, message, pending)

"""Messages into a Kafka topic, acknowledged by all replicas that are in step."""

from collections.abc import Sequence
from concurrent.futures import Future
from threading import Event, Lock, Thread

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from foretaste.adapters.kafka.client import Heard, client_of, unavailable
from foretaste.adapters.kafka.cluster import KafkaCluster, Options
from foretaste.domain.errors import UnavailableError
from foretaste.ports.event_stream import StreamMessage

SEND_SECONDS = 15.0
"""How long a message may be under way before its sender is told that it is not acknowledged."""

LARGEST_MESSAGE = 16 << 20
"""What the client lets through; the topic's `max.message.bytes` decides."""

POLL_SECONDS = 0.1

SAFE: Options = {
    "acks": "all",
    "enable_idempotence": True,
    "partitioner": "murmur2_random",  # as Java's clients: a key has one partition, whoever sends
    "message_max_bytes": LARGEST_MESSAGE,
    "linger_ms": 5,
    "compression_type": "lz4",
}


class KafkaEventSink:
    """`EventSink` into `topic`: retries send nothing twice and change no order (idempotent producer).

    A message is given up after `seconds`. Safe for many threads.
    """

    def __init__(self, cluster: KafkaCluster, topic: str, *, seconds: float = SEND_SECONDS) -> None:
        self._cluster = cluster
        self._topic = topic
        self._seconds = seconds
        self._making = Lock()
        self._closing = Event()
        self._broken = Event()
        self._stream = ""
        self._heard = Heard()
        self._producer = self._new_producer()
        self._thread = Thread(target=self._serve, name="foretaste-kafka", daemon=True)
        self._thread.start()

    @property
    def stream(self) -> str:
        """The name that the topic has for good; raises `UnavailableError` where no broker answers."""
        if not self._stream:
            self._stream = self._cluster.stream_name(self._topic)
        return self._stream

    def submit(self, messages: Sequence[StreamMessage]) -> "Future[None]":
        """Send messages. Raises `UnavailableError` at once where too many wait already."""
        if self._closing.is_set():
            raise UnavailableError("the sink is closed")
        pending = Acknowledgements(len(messages), self._heard)
        for sent, message in enumerate(messages):
            try:
                produce(self._usable(), self._topic, message, pending)
            except (BufferError, KafkaException) as error:
                pending.leave_out(len(messages) - sent)
                raise unavailable(error, self._heard) from error
        return pending.future

    def close(self) -> None:
        """Wait for what was submitted, within the sink's bound, and release everything."""
        if not self._closing.is_set():
            self._closing.set()
            self._thread.join()
            self._producer.flush(self._seconds)

    def _new_producer(self) -> Producer:
        return client_of(
            Producer,
            self._cluster.client(**SAFE, message_timeout_ms=int(self._seconds * 1000))
            | {"error_cb": self._note},
        )

    def _note(self, error: KafkaError) -> None:
        self._heard.note(error)
        if error.fatal():
            self._broken.set()

    def _usable(self) -> Producer:
        """Return the producer, a new one where the old one ended on an error that it cannot get over."""
        with self._making:
            if self._broken.is_set():
                self._broken.clear()
                self._producer = self._new_producer()
            return self._producer

    def _serve(self) -> None:
        """Hand acknowledgements on as they come."""
        while not self._closing.is_set():
            self._producer.poll(POLL_SECONDS)


class Acknowledgements:
    """Counts the acknowledgements of a batch down; `future` resolves with the last one.

    `heard` is what its producer heard of its connections.
    """

    def __init__(self, expected: int, heard: Heard) -> None:
        self.future: Future[None] = Future()
        self._heard = heard
        self._left = expected
        self._error: KafkaError | None = None
        self._lock = Lock()
        if not expected:
            self.future.set_result(None)

    def take(self, error: KafkaError | None, _message: Message) -> None:
        """Note what became of one message."""
        self._count(1, error)

    def leave_out(self, messages: int) -> None:
        """Expect fewer messages: these were not sent."""
        self._count(messages, None)

    def _count(self, messages: int, error: KafkaError | None) -> None:
        with self._lock:
            self._left -= messages
            self._error = self._error or error
            last = self._left == 0
        if last and self._error is None:
            self.future.set_result(None)
        elif last and self._error is not None:
            self.future.set_exception(unavailable(self._error, self._heard))


def produce(producer: Producer, topic: str, message: StreamMessage, pending: Acknowledgements) -> None:
    """Queue one message; raises `BufferError` where the queue is full, else `KafkaException`."""
    producer.produce(
        topic,
        value=message.value,
        key=message.key,
        headers=list(message.headers),
        on_delivery=pending.take,
    )

"""Messages out of a Kafka topic, read by a consumer group from the positions that the log keeps."""

import logging
import time
from collections.abc import Iterable, Mapping
from threading import Thread

from confluent_kafka import (
    OFFSET_BEGINNING,
    TIMESTAMP_NOT_AVAILABLE,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)

from foretaste.adapters.kafka.client import PASSING, Heard, client_of, unavailable
from foretaste.adapters.kafka.cluster import CALL_SECONDS, KafkaCluster
from foretaste.domain.errors import UnavailableError
from foretaste.ports.event_log import MOST_OFFSET
from foretaste.ports.event_stream import Headers, Positions, ReceivedMessage, StreamBatch, position_name

SESSION_SECONDS = 10.0
"""After how long without a sign of life a member's partitions go to others."""

SLICE_SECONDS = 0.1
"""Between two looks at whether partitions were given to this member."""

CLOSE_SECONDS = 5.0
"""How long brokers may take to let a member go."""

LINGER_SECONDS = 0.005
"""How long a batch is waited for after its first message."""

_log = logging.getLogger(__name__)


class KafkaEventSource:
    """`EventSource` over `topic` for one member of `group`.

    The group's own offsets are written for tools that show lag and never read. A member that is given
    partitions takes none of their messages until `positions` said where to go on. Messages are held until
    the brokers said, after they came, that the topic is still the one that the positions are of: the
    client goes on in one made anew where it stood in the old one.
    """

    def __init__(
        self,
        cluster: KafkaCluster,
        topic: str,
        group: str,
        positions: Positions,
        *,
        session_seconds: float = SESSION_SECONDS,
    ) -> None:
        self._cluster = cluster
        self._admin = cluster.admin()
        self._topic = topic
        self._held: list[Message] = []
        self._positions = positions
        self._stream = ""
        self._unplaced: frozenset[int] | None = None
        self._next: dict[int, int] = {}
        self._lost = 0
        self._troubles: list[tuple[KafkaError, int | None]] = []
        self._closed = False
        self._heard = Heard()
        self._consumer = client_of(
            Consumer,
            cluster.client(
                group_id=group,
                enable_auto_commit=False,
                enable_auto_offset_store=False,
                enable_partition_eof=True,
                auto_offset_reset="error",
                isolation_level="read_committed",
                partition_assignment_strategy="range",
                session_timeout_ms=int(session_seconds * 1000),
                heartbeat_interval_ms=int(session_seconds * 1000 / 4),
                queued_max_messages_kbytes=32_768,
                topic_metadata_refresh_interval_ms=30_000,
            )
            | {"error_cb": self._heard.note},
        )
        self._subscribed = False

    def poll(self, most: int, seconds: float) -> StreamBatch:
        """Return up to `most` messages as soon as there are some; none after `seconds`."""
        deadline = time.monotonic() + seconds
        self._join()
        while True:
            if self._unplaced is not None:
                self._place(self._unplaced)
            self._settle_troubles()
            left = deadline - time.monotonic()
            if len(self._held) < most:
                self._held += self._polled(most - len(self._held), min(max(left, 0.0), SLICE_SECONDS))
            batch = self._batch(self._of_this_stream())
            if batch.messages or batch.lost or deadline <= time.monotonic():
                return batch

    def acknowledge(self, reached: Mapping[str, int]) -> None:
        """Commit the group's offsets, in the background."""
        places = [(int(name.rpartition("/")[2]), offset) for name, offset in reached.items()]
        offsets = [TopicPartition(self._topic, each, at) for each, at in places if each in self._next]
        if not offsets:
            return
        try:
            self._consumer.commit(offsets=offsets, asynchronous=True)
        except KafkaException as error:
            _log.info("the group's offsets could not be written: %s", error)

    def assigned(self) -> frozenset[int]:
        """Return the partitions that this member reads at present."""
        return frozenset(self._next)

    def lag(self) -> dict[int, int]:
        """Return how many messages of each assigned partition were not polled yet."""
        lag = {}
        for partition, place in self._next.items():
            low, high = self._told_ends(partition)
            lag[partition] = max(high - max(place, low), 0)
        return lag

    def close(self) -> None:
        """Leave the group; brokers that do not answer are left to find out by themselves."""
        if not self._closed:
            self._closed = True
            leaving = Thread(target=self._consumer.close, name="foretaste-leaving", daemon=True)
            leaving.start()
            leaving.join(CLOSE_SECONDS)

    def _join(self) -> None:
        """Join the group with the first poll: by then whoever makes the topic has made it."""
        if not self._subscribed:
            self._subscribed = True
            self._consumer.subscribe(
                [self._topic], on_assign=self._given, on_revoke=self._taken, on_lost=self._taken
            )

    def _given(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Take partitions, but none of their messages yet."""
        self._unplaced = frozenset(each.partition for each in partitions)
        self._next = {}
        consumer.assign([])

    def _taken(self, _consumer: Consumer, _partitions: list[TopicPartition]) -> None:
        self._unplaced = None
        self._next = {}

    def _place(self, partitions: frozenset[int]) -> None:
        """Begin to read partitions where the log's positions say."""
        self._stream = self._present_name()
        known = self._positions(self._stream)
        self._read_from({each: known.get(position_name(self._stream, each), 0) for each in partitions})
        self._unplaced = None
        self._troubles.clear()

    def _read_from(self, places: Mapping[int, int]) -> None:
        wanted = [
            TopicPartition(self._topic, each, place or OFFSET_BEGINNING) for each, place in places.items()
        ]
        try:
            self._consumer.assign(wanted)
        except KafkaException as error:
            raise unavailable(error, self._heard) from error
        self._next = dict(places)

    def _polled(self, most: int, seconds: float) -> list[Message]:
        """Return what comes: no error may take messages away that came before it."""
        messages: list[Message] = []
        try:
            first = self._consumer.poll(seconds)
            if first is not None:
                messages.append(first)
                if most > 1:
                    messages += self._consumer.consume(most - 1, LINGER_SECONDS)
        except KafkaException as error:
            self._troubles.append((error.args[0], None))
        return messages

    def _of_this_stream(self) -> list[Message]:
        """Return the messages at hand; none where the topic was made anew, and is read from its beginning.

        Raises `UnavailableError` where the brokers do not say; the messages are kept until they do.
        """
        held = self._held
        told = self._next and any(message.error() is None for message in held)
        if told and self._present_name() != self._stream:
            held = []
            self._place(self.assigned())
        self._held = []
        return held

    def _present_name(self) -> str:
        return self._cluster.stream_name(self._topic, self._admin)

    def _batch(self, messages: Iterable[Message]) -> StreamBatch:
        taken: list[ReceivedMessage] = []
        reached: dict[str, int] = {}
        for message in messages:
            error = message.error()
            if error is not None:
                self._note(error, message)
                continue
            received = _received(message)
            if self._next.get(received.partition, MOST_OFFSET) > received.offset:
                continue  # the partition went to another member while this batch was gathered
            self._next[received.partition] = received.offset + 1
            reached[position_name(self._stream, received.partition)] = received.offset + 1
            taken.append(received)
        lost, self._lost = self._lost, 0
        return StreamBatch(stream=self._stream, messages=tuple(taken), reached=reached, lost=lost)

    def _note(self, error: KafkaError, message: Message) -> None:
        """Take in how far a partition goes; keep what is wrong until the messages at hand are returned."""
        partition, offset = message.partition(), message.offset()
        if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 # that is its public name
            if partition in self._next and offset is not None:
                self._next[partition] = max(self._next[partition], offset)
        elif error.code() not in PASSING:
            self._troubles.append((error, partition))

    def _settle_troubles(self) -> None:
        while self._troubles:
            error, partition = self._troubles[0]
            if error.code() == KafkaError._AUTO_OFFSET_RESET and partition is not None:  # noqa: SLF001
                self._reset(partition)  # tried again by the next poll where the brokers do not answer
                self._troubles = self._troubles[1:]
            else:
                self._troubles = self._troubles[1:]
                raise unavailable(error, self._heard)

    def _reset(self, partition: int) -> None:
        """Go on where the stream has something, after it said that it has nothing at our position."""
        if partition not in self._next:
            return
        if self._present_name() != self._stream:
            self._place(self.assigned())  # the topic was made anew
            return
        low, high = self._ends(partition)
        wanted = self._next[partition]
        place = min(max(wanted, low), high)
        _log.error(
            "partition %d of %s has no offset %d any more, only %d to %d: retention is shorter than the "
            "worker was away, or the brokers lost data; going on at %d",
            partition,
            self._topic,
            wanted,
            low,
            high,
            place,
        )
        self._read_from({**self._next, partition: place})
        self._lost += max(place - wanted, 0)

    def _told_ends(self, partition: int) -> tuple[int, int]:
        """Return the ends that came with the last messages; asking would wait behind the next ones."""
        told = self._consumer.get_watermark_offsets(TopicPartition(self._topic, partition), cached=True)
        return self._ends(partition) if told[1] < 0 else told

    def _ends(self, partition: int) -> tuple[int, int]:
        try:
            ends = self._consumer.get_watermark_offsets(TopicPartition(self._topic, partition), CALL_SECONDS)
        except KafkaException as error:
            raise unavailable(error, self._heard) from error
        if ends is None:
            raise UnavailableError("Kafka did not say in time which messages it has", field="kafka_url")
        return ends


def _received(message: Message) -> ReceivedMessage:
    kind, millis = message.timestamp()
    partition, offset = message.partition(), message.offset()
    if partition is None or offset is None:
        raise UnavailableError("Kafka gave a message without saying where it stands", field="kafka_url")
    return ReceivedMessage(
        partition=partition,
        offset=offset,
        time=0 if kind == TIMESTAMP_NOT_AVAILABLE else millis * 1_000,
        value=message.value() or b"",
        key=message.key(),
        headers=_headers(message),
    )


def _headers(message: Message) -> Headers:
    given: Iterable[tuple[str, bytes | str | None]] = dict(message.headers() or ()).items()
    return tuple((name, value.encode() if isinstance(value, str) else value or b"") for name, value in given)

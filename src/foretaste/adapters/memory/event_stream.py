"""Event streams in memory: a broker that ends with the process."""

import itertools
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from threading import Condition
from zlib import crc32

from foretaste.domain.clock import system_clock
from foretaste.domain.errors import UnavailableError
from foretaste.ports.event_stream import (
    Positions,
    ReceivedMessage,
    StreamBatch,
    StreamMessage,
    position_name,
)


class MemoryBroker:
    """Topics of `partitions` partitions each, made at first use.

    `writers` holds who may write to a topic, where a `MemoryFencedSink` took it over. While `available`
    is off nothing can be read or sent, as if the broker were away.
    """

    def __init__(self, partitions: int = 3) -> None:
        self.partitions = partitions
        self.available = True
        self.changed = Condition()
        self._numbers = itertools.count(1)
        self._topics: dict[str, tuple[str, list[list[ReceivedMessage]]]] = {}
        self._members: dict[tuple[str, str], list[object]] = {}
        self.writers: dict[str, object] = {}

    def topic(self, name: str) -> tuple[str, list[list[ReceivedMessage]]]:
        """Return the stream's name and its partitions."""
        if name not in self._topics:
            stream = f"memory:{name}:{next(self._numbers)}"
            self._topics[name] = stream, [[] for _ in range(self.partitions)]
        return self._topics[name]

    def delete(self, name: str) -> None:
        """Delete a topic; it is made anew at the next use."""
        with self.changed:
            self._topics.pop(name, None)
            self.changed.notify_all()

    def append(self, name: str, messages: Sequence[StreamMessage]) -> None:
        """Append messages, those with the same key to the same partition."""
        with self.changed:
            _, partitions = self.topic(name)
            for message in messages:
                number = crc32(message.key or b"") % self.partitions
                partitions[number].append(
                    ReceivedMessage(
                        partition=number,
                        offset=len(partitions[number]),
                        time=system_clock(),
                        value=message.value,
                        key=message.key,
                        headers=message.headers,
                    )
                )
            self.changed.notify_all()

    def join(self, group: tuple[str, str], member: object) -> None:
        """Let a member into a group (its name, the topic's name)."""
        with self.changed:
            self._members.setdefault(group, []).append(member)
            self.changed.notify_all()

    def leave(self, group: tuple[str, str], member: object) -> None:
        """Let a member go."""
        with self.changed:
            self._members[group] = [each for each in self._members[group] if each is not member]
            self.changed.notify_all()

    def share(self, group: tuple[str, str], member: object) -> frozenset[int]:
        """Return the partitions that belong to a member now."""
        members = self._members[group]
        place = next(place for place, each in enumerate(members) if each is member)
        return frozenset(range(place, self.partitions, len(members)))


class MemoryEventSource:
    """`EventSource` over a `MemoryBroker`."""

    def __init__(self, broker: MemoryBroker, topic: str, group: str, positions: Positions) -> None:
        self._broker = broker
        self._topic = topic
        self._group = group, topic
        self._positions = positions
        self._stream = ""
        self._next: dict[int, int] = {}
        self._closed = False
        broker.join(self._group, self)

    def poll(self, most: int, seconds: float) -> StreamBatch:
        """Return up to `most` messages as soon as there are some; none after `seconds`."""
        deadline = time.monotonic() + seconds
        with self._broker.changed:
            while True:
                batch = self._read(most) if self._broker.available else StreamBatch(stream=self._stream)
                left = deadline - time.monotonic()
                if batch.messages or left <= 0:
                    return batch
                self._broker.changed.wait(left)

    def acknowledge(self, reached: Mapping[str, int]) -> None:
        """Nobody looks."""

    def assigned(self) -> frozenset[int]:
        """Return the partitions that this member reads at present."""
        return frozenset(self._next)

    def lag(self) -> dict[int, int]:
        """Return how many messages of each assigned partition were not polled yet."""
        if not self._broker.available:
            raise UnavailableError("the broker is away")
        with self._broker.changed:
            _, partitions = self._broker.topic(self._topic)
            return {number: len(partitions[number]) - place for number, place in self._next.items()}

    def close(self) -> None:
        """Leave the group."""
        if not self._closed:
            self._closed = True
            self._broker.leave(self._group, self)

    def _read(self, most: int) -> StreamBatch:
        stream, partitions = self._broker.topic(self._topic)
        self._place(stream, self._broker.share(self._group, self))
        messages: list[ReceivedMessage] = []
        reached = {}
        for number, place in self._next.items():
            taken = partitions[number][place : place + most - len(messages)]
            if taken:
                messages += taken
                self._next[number] = place + len(taken)
                reached[position_name(stream, number)] = self._next[number]
        return StreamBatch(stream=stream, messages=tuple(messages), reached=reached)

    def _place(self, stream: str, share: frozenset[int]) -> None:
        if stream == self._stream and share == self.assigned():
            return
        known = self._positions(stream)
        self._next = {number: known.get(position_name(stream, number), 0) for number in sorted(share)}
        self._stream = stream


class MemoryEventSink:
    """`EventSink` into a `MemoryBroker`."""

    def __init__(self, broker: MemoryBroker, topic: str) -> None:
        self._broker = broker
        self._topic = topic
        self._writes = False

    @property
    def stream(self) -> str:
        """The name that the stream has for good."""
        if not self._broker.available:
            raise UnavailableError("the broker is away")
        return self._broker.topic(self._topic)[0]

    def submit(self, messages: Sequence[StreamMessage]) -> "Future[None]":
        """Send messages."""
        future: Future[None] = Future()
        if self._broker.available:
            self._broker.append(self._topic, messages)
            future.set_result(None)
        else:
            future.set_exception(UnavailableError("the broker is away"))
        return future

    def close(self) -> None:
        """Nothing is held."""


class MemoryFencedSink(MemoryEventSink):
    """`FencedSink` into a `MemoryBroker`."""

    def take_over(self) -> None:
        """Become the one who writes."""
        if not self._broker.available:
            raise UnavailableError("the broker is away")
        if not self._writes:
            self._broker.writers[self._topic] = self
            self._writes = True

    def submit(self, messages: Sequence[StreamMessage]) -> "Future[None]":
        """Send a batch; raises `UnavailableError` where another took over."""
        if not self._writes or self._broker.writers.get(self._topic) is not self:
            self._writes = False
            raise UnavailableError("another writes to this topic, or nobody took over")
        return super().submit(messages)

"""The promises of `ports.event_stream`: `EventSource` and `EventSink`."""

import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from foretaste.domain.clock import system_clock
from foretaste.ports.event_stream import (
    EventSink,
    EventSource,
    Positions,
    ReceivedMessage,
    StreamBatch,
    StreamMessage,
)

SECONDS = 30.0
PARTITIONS = 3


class StreamSite(Protocol):
    """One topic of three partitions, empty at first, and a group that reads it."""

    def sink(self) -> AbstractContextManager[EventSink]:
        """Open a sink into the topic."""
        ...

    def source(self, positions: Positions) -> AbstractContextManager[EventSource]:
        """Let a member into the group."""
        ...

    def make_anew(self) -> None:
        """Delete the topic and make one of the same name."""
        ...


class Reader:
    """Polls a source and keeps what came, with positions as a log would."""

    def __init__(self) -> None:
        self.reached: dict[str, int] = {}
        self.messages: list[ReceivedMessage] = []
        self.streams: set[str] = set()

    def positions(self, stream: str) -> Mapping[str, int]:
        """Return the positions in one stream."""
        return {name: offset for name, offset in self.reached.items() if name.startswith(f"{stream}/")}

    def take(self, batch: StreamBatch) -> None:
        """Keep a batch and its positions."""
        self.messages += batch.messages
        self.reached |= batch.reached
        if batch.messages:
            self.streams.add(batch.stream)

    @property
    def values(self) -> list[bytes]:
        """The messages' values, sorted."""
        return sorted(message.value for message in self.messages)


def poll_until(
    sources: Sequence[EventSource], reader: Reader, done: Callable[[], bool], *, most: int = 100
) -> None:
    """Poll the sources in turn until `done`; fail where that takes too long."""
    deadline = time.monotonic() + SECONDS
    while not done():
        for source in sources:
            reader.take(source.poll(most, 0.1))
        assert time.monotonic() < deadline, f"got {len(reader.messages)} messages within {SECONDS} s"


def numbered(start: int, stop: int, keys: int = 7) -> list[StreamMessage]:
    """Return messages with the numbers from `start` to before `stop`."""
    return [
        StreamMessage(
            value=b"%06d" % number, key=b"key-%d" % (number % keys), headers=(("number", b"%d" % number),)
        )
        for number in range(start, stop)
    ]


class EventStreamContract:
    """Subclass it with a fixture `stream_site` that gives a `StreamSite`."""

    def test_what_was_acknowledged_is_read_as_it_was_sent(self, stream_site: StreamSite) -> None:
        reader, sent = Reader(), numbered(0, 500)
        before = system_clock()
        with stream_site.sink() as sink, stream_site.source(reader.positions) as source:
            sink.submit(sent).result(SECONDS)
            poll_until([source], reader, lambda: len(reader.messages) >= 500)
        assert sorted((m.key, m.value, m.headers) for m in reader.messages) == sorted(
            (m.key, m.value, m.headers) for m in sent
        )
        assert all(before - 1_000 <= message.time <= system_clock() for message in reader.messages)

    def test_messages_of_one_key_come_in_order_and_offsets_rise_by_one(self, stream_site: StreamSite) -> None:
        reader = Reader()
        with stream_site.sink() as sink, stream_site.source(reader.positions) as source:
            for start in range(0, 300, 100):
                sink.submit(numbered(start, start + 100)).result(SECONDS)
            poll_until([source], reader, lambda: len(reader.messages) >= 300, most=17)
        by_key, by_partition = defaultdict(list), defaultdict(list)
        for message in reader.messages:
            by_key[message.key].append(message.value)
            by_partition[message.partition].append(message.offset)
        assert all(values == sorted(values) for values in by_key.values())
        assert all(offsets == list(range(len(offsets))) for offsets in by_partition.values())
        assert all(len({m.partition for m in reader.messages if m.key == key}) == 1 for key in by_key)

    def test_a_batch_says_where_to_go_on(self, stream_site: StreamSite) -> None:
        reader = Reader()
        with stream_site.sink() as sink:
            sink.submit(numbered(0, 200)).result(SECONDS)
            for enough in (30, 120, 200):
                with stream_site.source(reader.positions) as source:
                    poll_until([source], reader, lambda: len(reader.messages) >= enough, most=10)  # noqa: B023
        assert reader.values == [b"%06d" % number for number in range(200)]

    def test_positions_of_the_log_go_before_what_the_group_said(self, stream_site: StreamSite) -> None:
        first, second = Reader(), Reader()
        with stream_site.sink() as sink:
            sink.submit(numbered(0, 100)).result(SECONDS)
        with stream_site.source(first.positions) as source:
            poll_until([source], first, lambda: len(first.messages) >= 100)
            source.acknowledge(first.reached)
        with stream_site.source(second.positions) as source:
            poll_until([source], second, lambda: len(second.messages) >= 100)
        assert second.values == first.values

    def test_a_poll_takes_no_more_than_asked_and_returns_in_time(self, stream_site: StreamSite) -> None:
        reader = Reader()
        with stream_site.sink() as sink, stream_site.source(reader.positions) as source:
            began = time.monotonic()
            assert source.poll(10, 0.2).messages == ()
            assert time.monotonic() - began < 5.0
            sink.submit(numbered(0, 100)).result(SECONDS)
            while len(reader.messages) < 100:
                batch = source.poll(7, SECONDS)
                assert 1 <= len(batch.messages) <= 7
                reader.take(batch)

    def test_lag_counts_what_was_not_polled(self, stream_site: StreamSite) -> None:
        reader = Reader()
        with stream_site.sink() as sink, stream_site.source(reader.positions) as source:
            poll_until([source], reader, lambda: len(source.assigned()) == PARTITIONS)
            sink.submit(numbered(0, 60)).result(SECONDS)
            poll_until([source], reader, lambda: len(reader.messages) >= 20, most=5)
            assert set(source.lag()) == set(range(PARTITIONS))
            deadline = time.monotonic() + SECONDS
            while sum(source.lag().values()) != 60 - len(reader.messages):
                assert time.monotonic() < deadline
            poll_until([source], reader, lambda: not any(source.lag().values()))
        assert len(reader.messages) == 60

    def test_members_share_the_partitions_and_nothing_is_left_out(self, stream_site: StreamSite) -> None:
        reader = Reader()
        with (
            stream_site.sink() as sink,
            stream_site.source(reader.positions) as one,
            stream_site.source(reader.positions) as other,
        ):
            poll_until([one, other], reader, lambda: _shared(one, other))
            sink.submit(numbered(0, 300)).result(SECONDS)
            poll_until([one, other], reader, lambda: len(set(reader.values)) == 300)
            assert not one.assigned() & other.assigned()

    def test_who_stays_takes_over_where_the_log_says(self, stream_site: StreamSite) -> None:
        reader = Reader()
        with stream_site.sink() as sink, stream_site.source(reader.positions) as stays:
            with stream_site.source(reader.positions) as leaves:
                poll_until([stays, leaves], reader, lambda: _shared(stays, leaves))
                sink.submit(numbered(0, 200)).result(SECONDS)
                poll_until([stays, leaves], reader, lambda: len(reader.messages) >= 200)
            sink.submit(numbered(200, 400)).result(SECONDS)
            poll_until([stays], reader, lambda: len(reader.messages) >= 400)
        assert reader.values == [b"%06d" % number for number in range(400)]
        assert len(reader.messages) == 400

    def test_a_stream_made_anew_begins_at_its_beginning(self, stream_site: StreamSite) -> None:
        reader = Reader()
        for start in (0, 50):
            with stream_site.sink() as sink, stream_site.source(reader.positions) as source:
                named = sink.stream
                sink.submit(numbered(start, start + 50)).result(SECONDS)
                poll_until([source], reader, lambda: len(reader.messages) >= start + 50)  # noqa: B023
                assert named in reader.streams
            stream_site.make_anew()
        assert len(reader.streams) == 2
        assert reader.values == [b"%06d" % number for number in range(100)]


def _shared(one: EventSource, other: EventSource) -> bool:
    shares = one.assigned(), other.assigned()
    return all(shares) and not shares[0] & shares[1] and len(shares[0] | shares[1]) == PARTITIONS

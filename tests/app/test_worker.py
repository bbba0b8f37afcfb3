"""The worker, on streams in memory: what it takes in and publishes, and what it does when things are away."""

import threading
import time
from dataclasses import replace

import pytest
from worked_stream import TOPICS, click, send, streams_in

from foretaste.adapters.memory.event_stream import (
    MemoryBroker,
    MemoryEventSink,
    MemoryEventSource,
    MemoryFencedSink,
)
from foretaste.app import worker as worker_module
from foretaste.app import worker_lag
from foretaste.app.settings import Settings
from foretaste.app.wiring import home_in_memory
from foretaste.app.worker import LONGEST_PAUSE, Pauses
from foretaste.app.worker_wiring import Streams, open_worker, streams_of, topics_of
from foretaste.domain.errors import InvalidInputError, UnavailableError
from foretaste.events.validation import parse_event
from foretaste.testing.contracts.event_stream import Reader, poll_until
from foretaste.testing.contracts.telemetry import samples
from foretaste.testing.waiting import until
from foretaste.testing.working import working


def work(home, broker):
    with open_worker(home, streams_in(broker)) as worker:
        return worker.run(until_empty=True)


def messages_in(broker, topic):
    return [message for partition in broker.topic(topic)[1] for message in partition]


def test_what_is_in_the_stream_is_in_the_log_and_in_the_state(home, broker):
    send(broker, *[click(number) for number in range(100)])
    assert work(home, broker) == 100
    assert home.log.last_seq() == home.state.seq == 100
    assert [status.status for status in home.recorder.record([click(0)], now=1).events] == ["accepted"]


def test_a_second_worker_goes_on_where_the_log_says(home, broker):
    for batch in range(3):
        send(broker, *[click(number) for number in range(batch * 10, batch * 10 + 10)])
        assert work(home, broker) == 10
    assert home.log.last_seq() == 30


def test_reading_everything_again_changes_nothing(home, broker):
    send(broker, *[click(number) for number in range(50)], [click(1), click(1)])
    work(home, broker)
    before = home.log.events(0, 100)
    stream, _ = broker.topic(TOPICS.events)
    home.log.reached = lambda name: {} if name == stream else type(home.log).reached(home.log, name)
    assert work(home, broker) == 51
    assert home.log.events(0, 100) == before


def test_messages_that_are_no_events_go_to_the_dead_letters_and_the_rest_goes_on(home, broker):
    send(broker, click(1), b"not JSON", click(2), {"user_id": "u"})
    assert work(home, broker) == 4
    assert home.log.last_seq() == 2
    letters = messages_in(broker, TOPICS.dead)
    assert sorted(letter.value for letter in letters) == [b"not JSON", b'{"user_id": "u"}']
    assert work(home, broker) == 0


def test_the_position_waits_for_the_dead_letters(home, broker):
    send(broker, click(1), b"not JSON")
    streams = streams_in(broker)
    away = MemoryBroker()
    away.available = False
    broken = Streams(
        TOPICS, lambda: None, streams.source, lambda topic: MemoryEventSink(away, topic), streams.fenced_sink
    )
    stream, _ = broker.topic(TOPICS.events)
    with open_worker(home, broken) as worker:
        thread = threading.Thread(target=worker.run)
        thread.start()
        until(lambda: worker._ingest._batch is not None)
        assert home.log.reached(stream) == {}
        away.available = True
        until(lambda: home.log.last_seq() == 1)
        worker.stop.set()
        thread.join(30)
    assert [letter.value for letter in messages_in(away, TOPICS.dead)] == [b"not JSON"]
    assert sum(home.log.reached(stream).values()) == 2


def test_a_batch_that_the_log_refused_is_tried_again(home, broker):
    send(broker, *[click(number) for number in range(20)])
    refusals = iter([True, True])
    whole = home.log.submit

    def submit(events, *, reached=None):
        if events and next(refusals, False):
            raise UnavailableError("the log is away")
        return whole(events, reached=reached)

    home.log.submit = submit
    assert work(home, broker) == 20
    assert home.log.last_seq() == 20


def test_the_next_batch_is_read_while_one_is_stored_and_stored_after_it(home, broker):
    send(broker, *[click(number, event_id=f"e{number}") for number in range(30)])
    whole, submitted, refused = home.log.submit, [], iter([True])

    def submit(events, *, reached=None):
        submitted.append([event.event_id for event in events])
        if len(submitted) == 2 and next(refused, False):
            raise UnavailableError("the log is away")
        return whole(events, reached=reached)

    home.log.submit = submit
    with open_worker(home, streams_in(broker)) as worker:
        ingest = worker._ingest
        ingest._most = 10
        assert ingest.run_once(5.0) == 10
        assert len(submitted) == 1
        assert sum(ingest.source.lag().values()) == 10
        with pytest.raises(UnavailableError):
            ingest.run_once(5.0)
        assert [ingest.run_once(5.0), ingest.run_once(5.0), ingest.run_once(0.0)] == [10, 10, 0]
        assert ingest.is_empty()
    assert submitted[1] == submitted[2]
    assert [event.event_id for _, event in home.log.events(0, 100)] == submitted[0] + submitted[
        1
    ] + submitted[3]


def test_large_batches_are_written_in_portions_that_a_log_and_a_topic_take_in_time(home, broker):
    send(broker, *[[click(number) for number in range(1_000)] for _ in range(20)])
    send(broker, *[[{"user": "no id"}] * 90 for _ in range(200)])
    sizes = []
    stored, buried = type(home.log).submit, MemoryEventSink.submit
    with open_worker(home, streams_in(broker)) as worker:
        ingest = worker._ingest
        home.log.submit = lambda events, **more: sizes.append(len(events)) or stored(home.log, events, **more)
        letters = ingest._dead_letters
        letters.submit = lambda dead: sizes.append(len(dead)) or buried(letters, dead)
        assert worker.run(until_empty=True) == 220
    assert home.log.last_seq() == 20_000
    assert len(messages_in(broker, TOPICS.dead)) == 18_000
    assert max(sizes) <= 5_000


def test_events_of_our_own_api_are_published_in_log_order(home, broker):
    for number in range(30):
        home.recorder.record([click(number)], now=1_000_000 * number)
    work(home, broker)
    messages = messages_in(broker, TOPICS.log)
    seqs = [int(dict(message.headers)["seq"]) for message in messages]
    assert sorted(seqs) == list(range(1, 31))
    for partition in broker.topic(TOPICS.log)[1]:
        own = [int(dict(message.headers)["seq"]) for message in partition]
        assert own == sorted(own)
    first = next(message for message in messages if dict(message.headers)["seq"] == b"1")
    event = home.log.events(0, 1)[0][1]
    assert first.key == event.user_id.encode()
    assert dict(first.headers)["event_id"] == event.event_id.encode()
    assert parse_event(first.value, now=time.time_ns() // 1_000).event == event


def test_nothing_is_published_twice_by_one_worker_after_another(home, broker):
    for number in range(3):
        home.recorder.record([click(number)], now=1)
        work(home, broker)
    assert len(messages_in(broker, TOPICS.log)) == 3


def test_a_topic_made_anew_gets_the_whole_log(home, broker):
    home.recorder.record([click(1), click(2)], now=1)
    work(home, broker)
    broker.delete(TOPICS.log)
    work(home, broker)
    assert len(messages_in(broker, TOPICS.log)) == 2


def test_the_api_goes_on_without_the_broker_and_the_outbox_catches_up(home, broker):
    broker.available = False
    with working(home, streams_in(broker)):
        receipt = home.recorder.record([click(1), click(2)], now=1)
        assert receipt.accepted == 2
        broker.available = True
        until(lambda: len(messages_in(broker, TOPICS.log)) == 2)


def test_publishing_can_be_left_out(broker):
    with home_in_memory(Settings(publish_log=False)) as home:
        home.recorder.record([click(1)], now=1)
        work(home, broker)
    assert messages_in(broker, TOPICS.log) == []


def test_only_one_of_several_workers_publishes(home, broker):
    home.recorder.record([click(number) for number in range(50)], now=1)
    with working(home, streams_in(broker)), working(home, streams_in(broker)):
        send(broker, *[click(number) for number in range(200)])
        until(lambda: home.log.last_seq() == 250)
        until(lambda: len(messages_in(broker, TOPICS.log)) >= 250)
    seqs = [int(dict(message.headers)["seq"]) for message in messages_in(broker, TOPICS.log)]
    assert sorted(set(seqs)) == list(range(1, 251))


def test_a_worker_that_is_told_to_stop_stores_what_it_is_at(home, broker):
    send(broker, *[click(number) for number in range(100)])
    entered, leave = threading.Event(), threading.Event()
    whole = home.log.submit

    def slow(events, *, reached=None):
        if events:
            entered.set()
            leave.wait(20)
        return whole(events, reached=reached)

    home.log.submit = slow
    with working(home, streams_in(broker)) as worker:
        assert entered.wait(20)
        worker.stop.set()
        leave.set()
    stream, _ = broker.topic(TOPICS.events)
    assert home.log.last_seq() == sum(home.log.reached(stream).values()) > 0


def test_a_worker_that_is_told_to_stop_publishes_no_more_than_the_batch_in_hand(home, broker):
    home.recorder.record([click(number) for number in range(100)], now=1)
    published = MemoryFencedSink.submit
    with open_worker(home, streams_in(broker)) as worker:
        outbox = worker._tasks["outbox"]
        outbox._batch = 10

        def submit(messages):
            worker.stop.set()
            return published(outbox._sink, messages)

        outbox._sink.submit = submit
        worker.run(until_empty=True)
    assert len(messages_in(broker, TOPICS.log)) == 10
    work(home, broker)
    assert len(messages_in(broker, TOPICS.log)) == 100


def test_a_worker_that_never_reached_the_stream_does_not_say_that_others_have_it(home, broker, monkeypatch):
    def away():
        raise UnavailableError("the brokers are away")

    monkeypatch.setattr(worker_module, "JOIN_SECONDS", 0.0)
    with (
        open_worker(home, replace(streams_in(broker), make_topics=away)) as worker,
        pytest.raises(UnavailableError, match="the brokers are away") as left_out,
    ):
        worker.run(until_empty=True)
    assert left_out.value.field == "kafka_url"


def test_what_a_worker_counts_is_told_as_nought_before(home, broker):
    with open_worker(home, streams_in(broker)):
        found = samples(home.telemetry)
    for name in ("events_debounced_total", "events_dead_letter_total", "event_stream_lost_total"):
        assert found[name,] == 0


def test_what_a_worker_does_is_counted(home, broker):
    send(broker, [click(1), click(1), click(2)], b"?")
    work(home, broker)
    found = samples(home.telemetry)
    assert found["events_processed_total",] == 3
    assert found["events_debounced_total",] == 1
    assert found["events_dead_letter_total",] == 1
    assert found["event_processing_duration_seconds_count",] >= 1
    assert found["event_stream_delay_seconds_count",] >= 1
    assert found["event_stream_lag", "partition=0"] == 0


def test_what_is_in_hand_while_the_log_is_away_counts_as_lag(home, broker, monkeypatch):
    monkeypatch.setattr(worker_lag, "LAG_SECONDS", 0.0)
    send(broker, *[click(number) for number in range(30)])
    whole = home.log.submit

    def away(*_events, **_reached):
        raise UnavailableError("the log is away")

    with open_worker(home, streams_in(broker)) as worker:
        ingest = worker._ingest
        ingest._most = 10
        home.log.submit = away
        with pytest.raises(UnavailableError):
            ingest.run_once(5.0)
        assert lag_told(home) == 30
        send(broker, *[click(number) for number in range(30, 35)])
        with pytest.raises(UnavailableError):
            ingest.run_once(5.0)
        assert lag_told(home) == 35
        home.log.submit = whole
        while ingest.run_once(0.0):
            pass
        assert lag_told(home) == 0


def test_the_lag_of_partitions_that_went_to_another_worker_is_told_by_that_one(home, broker, monkeypatch):
    monkeypatch.setattr(worker_lag, "LAG_SECONDS", 0.0)
    with (
        home_in_memory() as its_home,
        open_worker(home, streams_in(broker)) as worker,
    ):
        send(broker, *[click(number) for number in range(40)])
        worker._ingest._most = 1
        worker._ingest.run_once(5.0)
        assert lag_told(home) >= 39
        with open_worker(its_home, streams_in(broker)) as other:
            other._ingest.run_once(0.0)
            worker._ingest.run_once(0.0)
            worker._ingest.run_once(0.0)
            own, lost = worker._ingest.source.assigned(), other._ingest.source.assigned()
            assert own
            assert lost
            found = samples(home.telemetry)
            assert [found["event_stream_lag", f"partition={number}"] for number in lost] == [0] * len(lost)


def lag_told(home):
    return sum(value for key, value in samples(home.telemetry).items() if key[0] == "event_stream_lag")


def test_topics_are_named_by_the_namespace_and_can_be_set():
    assert topics_of(Settings(namespace="shop")) == TOPICS
    assert topics_of(Settings(kafka_events_topic="clicks")).events == "clicks"
    with pytest.raises(InvalidInputError, match="must differ"):
        topics_of(Settings(kafka_events_topic="same", kafka_log_topic="same"))


def test_without_brokers_the_remedy_is_named():
    with pytest.raises(InvalidInputError, match="FORETASTE_KAFKA_URL"):
        streams_of(Settings())


def test_events_that_are_sent_to_the_stream_come_into_the_log_by_a_worker(home, broker):
    home.send_events_to(MemoryEventSink(broker, TOPICS.events))
    now = time.time_ns() // 1_000
    receipt = home.recorder.record([click(1), click(2, type="purchase"), {}], now=now)
    assert [status.status for status in receipt.events] == ["accepted", "accepted", "rejected"]
    assert [status.seq for status in receipt.events] == [None, None, None]
    assert home.log.last_seq() == 0
    work(home, broker)
    stored = {event.event_id: event for _, event in home.log.events(0, 10)}
    assert set(stored) == {status.event_id for status in receipt.events[:2]}
    assert all(event.timestamp == now for event in stored.values())


def test_what_the_stream_does_not_take_is_not_acknowledged(home, broker):
    home.send_events_to(MemoryEventSink(broker, TOPICS.events))
    broker.available = False
    with pytest.raises(UnavailableError):
        home.recorder.record([click(1)], now=time.time_ns() // 1_000)


def test_pauses_grow_to_a_bound_and_begin_anew():
    pauses = Pauses(lambda: 1.0)
    lengths = [pauses.next() for _ in range(10)]
    assert lengths == sorted(lengths)
    assert lengths[0] < 1.0 < lengths[-1] == LONGEST_PAUSE
    pauses.reset()
    assert pauses.next() == lengths[0]


def test_the_outbox_feeds_another_home_the_same_events(home, broker):
    home.recorder.record([click(number) for number in range(40)], now=1)
    work(home, broker)
    reader = Reader()
    source = MemoryEventSource(broker, TOPICS.log, "other", reader.positions)
    poll_until([source], reader, lambda: len(reader.messages) == 40)
    send(broker, *[message.value for message in reader.messages])
    with home_in_memory() as other:
        with open_worker(other, streams_in(broker)) as worker:
            worker.run(until_empty=True)
        mine, theirs = (dict(_by_id(each)) for each in (home, other))
    assert mine == theirs


def _by_id(home):
    return [(event.event_id, event) for _, event in home.log.events(0, 1000)]

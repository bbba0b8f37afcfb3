"""`foretaste worker` on Apache Kafka: events in, the log out, dead letters aside."""

import json
import signal
import time
from uuid import uuid4

import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient
from kafka_shop import Shop, assert_state_is_that_of_the_log, numbered, numbers_in

from foretaste.adapters.kafka.event_sink import KafkaEventSink
from foretaste.app.settings import Settings
from foretaste.app.wiring import open_home
from foretaste.app.worker_wiring import open_worker
from foretaste.domain.errors import UnavailableError
from foretaste.testing.waiting import until


@pytest.fixture
def shop(broker, tmp_path):
    return Shop(broker.url, tmp_path)


def take_in(shop):
    with shop.open() as home, open_worker(home) as worker:
        return worker.run(until_empty=True)


def test_the_command_takes_in_what_is_there_and_publishes_it(shop):
    shop.send([numbered(number) for number in range(200)])
    assert shop.work() == {"messages": 200, "state_seq": 200}
    with shop.open() as home:
        assert sorted(numbers_in(home.log)) == list(range(200))
        assert_state_is_that_of_the_log(home)
        stored = dict(home.log.events(0, 1000))
    published = shop.read(shop.topics.log, 200)
    assert sorted(int(dict(message.headers)["seq"]) for message in published) == list(range(1, 201))
    for message in published:
        event = stored[int(dict(message.headers)["seq"])]
        assert (message.key, dict(message.headers)["event_id"]) == (
            event.user_id.encode(),
            event.event_id.encode(),
        )
    for partition in range(3):
        seqs = [int(dict(m.headers)["seq"]) for m in published if m.partition == partition]
        assert seqs == sorted(seqs)


def test_the_first_worker_of_all_makes_its_topics_and_has_nothing_to_warn_of(broker, tmp_path, caplog):
    settings = Settings(namespace=f"new-{uuid4().hex[:8]}", kafka_url=broker.url, kafka_partitions=1)
    with (
        open_home(tmp_path / "home", settings=settings, create=True, with_model=False) as home,
        open_worker(home) as worker,
    ):
        time.sleep(1.0)  # long enough for a client to ask for a topic that is not there yet
        assert worker.run(until_empty=True) == 0
    assert [record.getMessage() for record in caplog.records if record.levelname == "WARNING"] == []


def test_sigterm_lets_the_worker_finish_and_the_next_one_goes_on(shop):
    with shop.worker() as process:
        shop.send([numbered(number) for number in range(100)])
        shop.read(shop.topics.log, 1)
        process.send_signal(signal.SIGTERM)
        said, complaint = process.communicate(timeout=60)
    assert process.returncode == 0, complaint
    first = json.loads(said)["messages"]
    assert first >= 1
    assert take_in(shop) == 100 - first
    with shop.open() as home:
        assert sorted(numbers_in(home.log)) == list(range(100))


def test_poison_goes_to_the_dead_letters_with_the_reason_and_the_rest_goes_on(shop):
    poison = [b"\x00\xff", b"{", {"user_id": "u"}, b"[]", b'"' + b"x" * 900_000 + b'"']
    shop.send([numbered(0), *poison, numbered(1), [numbered(2), {"item_id": "x"}, numbered(3)]])
    assert take_in(shop) == 8
    with shop.open() as home:
        assert sorted(numbers_in(home.log)) == [0, 1, 2, 3]
    letters = shop.read(shop.topics.dead, 6)
    assert len(letters) == 6
    assert all(dict(letter.headers)["foretaste-reason"] for letter in letters)
    by_value = {letter.value[:20]: dict(letter.headers)["foretaste-reason"] for letter in letters}
    assert b"user_id" in by_value[b'{"item_id": "x"}']
    assert take_in(shop) == 0


def test_without_a_topic_for_dead_letters_the_worker_stops_there(shop):
    shop.send([numbered(0), b"poison"])
    with shop.open() as home, open_worker(home) as worker:
        ingest = worker._ingest
        ingest._dead_letters._topic = "there-is-no-such-topic"
        ingest._dead_letters._producer = _impatient(shop)
        until(lambda: _refused(ingest))
        assert home.log.last_seq() == 0
        assert home.log.reached(ingest._batch.batch.stream) == {}
    assert take_in(shop) == 2
    assert len(shop.read(shop.topics.dead, 1)) == 1


def test_messages_that_retention_took_are_counted_and_the_worker_goes_on(shop):
    shop.send([numbered(number) for number in range(30)])
    take_in(shop)
    shop.send([numbered(number) for number in range(30, 60)])
    lost = _forget_everything(shop)
    shop.send([numbered(number) for number in range(60, 70)])
    with shop.open() as home, open_worker(home) as worker:
        worker.run(until_empty=True)
        counted = home.telemetry.exposition().decode()
        numbers = numbers_in(home.log)
    assert sorted(numbers) == [*range(30), *range(60, 70)]
    assert lost == 30
    assert "event_stream_lost_total 30" in counted


def test_an_event_in_the_stream_is_in_the_state_within_a_second_or_two(shop):
    with shop.open() as home, open_worker(home) as worker:
        shop.send([numbered(0)])
        until(lambda: worker._ingest.run_once(0.1) == 1)
        shop.send([numbered(1)])
        began = time.monotonic()
        assert worker._ingest.run_once(10.0) == 1
        assert home.state.seq == 2
        assert time.monotonic() - began < 5.0


def _refused(ingest):
    try:
        ingest.run_once(0.1)
    except UnavailableError:
        return True
    return False


def _impatient(shop):
    return KafkaEventSink(shop.cluster, "there-is-no-such-topic", seconds=1.0)._producer


def _forget_everything(shop):
    """Delete all messages there are, as retention would; return how many had not been taken in."""
    consumer = Consumer(shop.cluster.client(group_id="watermarks"))
    ends = {
        number: consumer.get_watermark_offsets(TopicPartition(shop.topics.events, number), timeout=10)
        for number in range(3)
    }
    consumer.close()
    admin = AdminClient(shop.cluster.client())
    places = [TopicPartition(shop.topics.events, number, high) for number, (_, high) in ends.items()]
    for done in admin.delete_records(places).values():
        done.result(10)
    with shop.open() as home:
        taken = home.log.last_seq()
    return sum(high for _, high in ends.values()) - taken

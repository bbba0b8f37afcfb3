"""The broker is killed, frozen, started again; workers are killed: nothing is lost, nothing counts twice."""

import random
import sqlite3
import time
from contextlib import closing
from dataclasses import replace

import pytest
from kafka_shop import Sender, Shop, assert_state_is_that_of_the_log, numbered, numbers_in

from foretaste.adapters.kafka.event_sink import KafkaEventSink
from foretaste.adapters.kafka.event_source import KafkaEventSource
from foretaste.app.worker_wiring import open_worker, streams_of
from foretaste.domain.errors import UnavailableError
from foretaste.testing.contracts.event_stream import numbered as numbered_messages
from foretaste.testing.kafka_faults import AcknowledgesUnheard, TakesTroubleForDone
from foretaste.testing.rounds import PLANTED, assert_none_lost_or_doubled, kill_rounds
from foretaste.testing.servers.fixtures import required
from foretaste.testing.servers.kafka import own_broker
from foretaste.testing.waiting import until
from foretaste.testing.working import working

ROUNDS = kill_rounds(1)
ROUNDS_PER_SHOP = 20
PAUSE = 0.1
"""Seconds between two batches, so that long runs stay small."""


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """A broker of these tests alone."""
    with required(own_broker(tmp_path_factory.mktemp("broker"))) as running:
        yield running


def kill_broker(broker, shop, rounds, *, seed=0, pause=PAUSE, sink=KafkaEventSink):
    """Kill the broker again and again; each time what was acknowledged is in the log, once."""
    chance = random.Random(seed)
    victim = "Kafka" if sink is KafkaEventSink else "Kafka" + PLANTED
    with shop.open() as home, working(home), Sender(shop, pause=pause, sink=sink) as sender:
        for done in range(1, rounds + 1):
            wanted = home.log.last_seq() + chance.randrange(1, 100)
            until(lambda: home.log.last_seq() >= wanted)  # noqa: B023
            time.sleep(chance.uniform(0.0, 0.05))
            broker.process.kill()
            acknowledged = set(sender.acknowledged)
            broker.process.start()
            take_in(home, shop.ends())
            assert_none_lost_or_doubled(victim, done, acknowledged, numbers_in(home.log))
        sender.finish()
        take_in(home, shop.ends())
        assert set(numbers_in(home.log)) >= sender.acknowledged
        assert_state_is_that_of_the_log(home)
        assert_published(shop, home)


def take_in(home, ends):
    """Wait until the log has what is before these positions."""
    stream = next(iter(ends)).rpartition("/")[0]
    until(lambda: all(home.log.reached(stream).get(name, 0) >= end for name, end in ends.items()))


def assert_published(shop, home):
    """Every event of the log is in its topic, as soon as the outbox says so."""
    until(lambda: _published(home) == home.log.last_seq())
    seqs = {int(dict(message.headers)["seq"]) for message in shop.published()}
    missing = set(range(1, home.log.last_seq() + 1)) - seqs
    assert not missing, "an event was not published"


def shop_on(broker, folder, **settings):
    """Return a shop whose clients look every moment whether the broker is back."""
    return Shop(f"{broker.url}?reconnect.backoff.max.ms=200", folder, **settings)


@pytest.mark.parametrize("begun", range(0, ROUNDS, ROUNDS_PER_SHOP))
def test_a_broker_killed_in_the_middle_loses_and_doubles_nothing(own, tmp_path, begun):
    kill_broker(own, shop_on(own, tmp_path), min(ROUNDS_PER_SHOP, ROUNDS - begun), seed=begun)


def test_the_check_would_notice_a_producer_that_takes_what_it_sent_for_stored(own, tmp_path):
    with pytest.raises(AssertionError, match="an acknowledged event was lost"):
        kill_broker(own, shop_on(own, tmp_path), 5, pause=0.001, sink=AcknowledgesUnheard)


def test_the_check_would_notice_an_outbox_that_goes_on_whatever_the_broker_said(own, tmp_path):
    shop = shop_on(own, tmp_path)
    streams = replace(
        streams_of(shop.settings),
        fenced_sink=lambda topic: TakesTroubleForDone(shop.cluster, topic, name=topic, seconds=1.0),
    )
    with shop.open() as home, working(home, streams):
        home.recorder.record([numbered(0)], now=time.time_ns() // 1_000)
        until(lambda: _published(home) == 1)
        own.process.kill()
        home.recorder.record([numbered(2)], now=time.time_ns() // 1_000)
        until(lambda: _published(home) == 2)
        own.process.start()
        with pytest.raises(AssertionError, match="an event was not published"):
            assert_published(shop, home)


def test_a_frozen_broker_holds_nobody_up_for_long(own, tmp_path):
    shop = Shop(own.url, tmp_path)
    with shop.open() as home, working(home):
        shop.send([numbered(0)])
        until(lambda: home.log.last_seq() == 1)
        with closing(KafkaEventSink(shop.cluster, shop.topics.events, seconds=1.0)) as sink:
            until(lambda: sink.submit(numbered_messages(0, 1)).exception(10) is None)
            own.process.pause()
            try:
                began = time.monotonic()
                with pytest.raises(UnavailableError):
                    sink.submit(numbered_messages(0, 1)).result(10)
                assert home.recorder.record([numbered(2)], now=time.time_ns() // 1_000).accepted == 1
                assert time.monotonic() - began < 10
            finally:
                own.process.resume()
        shop.send([numbered(4)])
        until(lambda: {0, 2, 4} <= set(numbers_in(home.log)))
        until(lambda: _published(home) == home.log.last_seq())


def test_a_worker_stops_in_time_though_the_broker_is_frozen(own, tmp_path):
    shop = Shop(own.url, tmp_path)
    with shop.open() as home:
        with working(home) as worker:
            shop.send([numbered(0)])
            until(lambda: home.log.last_seq() == 1)
            own.process.pause()
            worker.stop.set()
        own.process.resume()
        assert sum(home.log.reached(_stream_of(home)).values()) == 1


def test_a_poll_of_a_frozen_broker_ends_in_time(own, tmp_path):
    shop = Shop(own.url, tmp_path)
    source = KafkaEventSource(shop.cluster, shop.topics.events, "group", lambda _stream: {})
    with closing(source):
        until(lambda: source.poll(1, 0.1) is not None and source.assigned())
        own.process.pause()
        try:
            began = time.monotonic()
            assert source.poll(10, 0.5).messages == ()
            assert time.monotonic() - began < 5
        finally:
            own.process.resume()


def kill_worker(shop, rounds, *, seed=0, kind="sound"):
    """Kill a worker again and again, let a sound one finish, and compare log, state and what was sent."""
    chance = random.Random(seed)
    with Sender(shop, pause=PAUSE) as sender:
        for _ in range(rounds):
            before = _stored(shop)
            with shop.forked_worker(kind) as process:
                until(lambda: _stored(shop) > before or not process.is_running)  # noqa: B023
                time.sleep(chance.uniform(0.0, 0.3))
                process.kill()
                assert process.exitcode == -9
    with shop.open() as home, open_worker(home) as worker:
        worker.run(until_empty=True)
        victim = "worker" if kind == "sound" else "worker" + PLANTED
        assert_none_lost_or_doubled(victim, rounds, sender.acknowledged, numbers_in(home.log))
        assert set(numbers_in(home.log)) == sender.acknowledged
        assert_state_is_that_of_the_log(home)


@pytest.mark.parametrize("begun", range(0, ROUNDS, ROUNDS_PER_SHOP))
def test_a_worker_killed_at_any_moment_loses_and_doubles_nothing(own, tmp_path, begun):
    shop = shop_on(own, tmp_path, kafka_session_seconds=1.0)
    kill_worker(shop, min(ROUNDS_PER_SHOP, ROUNDS - begun), seed=begun)


def test_the_check_would_notice_a_worker_that_stores_positions_apart_from_events(own, tmp_path):
    with pytest.raises(AssertionError, match="an acknowledged event was lost"):
        kill_worker(shop_on(own, tmp_path, kafka_session_seconds=1.0), 3, kind="apart")


def _stored(shop):
    """Return how many events the log of a running worker has, read beside it."""
    path = shop.home / shop.settings.namespace / "foretaste.db"
    if not path.exists():
        return 0
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        try:
            return connection.execute("SELECT ifnull(max(seq), 0) FROM event").fetchone()[0]
        except sqlite3.OperationalError:
            return 0


def _stream_of(home):
    return next(name.rpartition("/")[0] for name in home.log._reached if name.startswith("kafka:"))


def _published(home):
    """Return how far the log was published."""
    return max((seq for name, seq in home.log._reached.items() if name.startswith("outbox:")), default=0)

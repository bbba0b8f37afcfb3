"""Several workers in one group on one log: they come, go and are killed, and every event counts once."""

import random
from collections import defaultdict
from contextlib import ExitStack, closing

import pytest
from kafka_shop import Sender, Shop, assert_state_is_that_of_the_log, numbers_in

from foretaste.adapters.memory.event_stream import (
    MemoryBroker,
    MemoryEventSink,
    MemoryEventSource,
    MemoryFencedSink,
)
from foretaste.app.settings import Settings
from foretaste.app.wiring import home_in_memory
from foretaste.app.worker_wiring import Streams, open_worker, streams_of, topics_of
from foretaste.testing.rounds import assert_none_lost_or_doubled, kill_rounds
from foretaste.testing.waiting import until

CHANGES = kill_rounds(1)
CHANGES_PER_SHOP = 20
"""How often a worker is killed and a new one started."""


@pytest.mark.parametrize("begun", range(0, CHANGES, CHANGES_PER_SHOP))
def test_workers_that_come_go_and_die_take_in_every_event_once(broker, tmp_path, postgres, schema, begun):
    changes = min(CHANGES_PER_SHOP, CHANGES - begun)
    shop = Shop(
        broker.url,
        tmp_path,
        kafka_session_seconds=1.5,
        database_url=postgres,
        database_schema=schema,
    )
    chance = random.Random(begun)
    with shop.open() as home, ExitStack() as started, Sender(shop, pause=0.1) as sender:

        def progress():
            known = home.log.last_seq()
            until(lambda: home.log.last_seq() > known + 20)

        workers = [started.enter_context(shop.forked_worker()) for _ in range(2)]
        for _ in range(changes):
            progress()
            workers.pop(chance.randrange(len(workers))).kill()
            workers.append(started.enter_context(shop.forked_worker()))
        progress()
        workers.pop(0).terminate()
        progress()
        sender.finish()
        until(lambda: sender.acknowledged <= set(numbers_in(home.log)))
        numbers = numbers_in(home.log)
        assert_none_lost_or_doubled("worker of several", changes, sender.acknowledged, numbers)
        assert set(numbers) == sender.acknowledged
        home.log.submit([]).result(60)
        assert_state_is_that_of_the_log(home)
        until(lambda: _published(home) == len(numbers))
    seqs_of = defaultdict(list)
    for message in shop.published():
        seqs_of[message.key].append(int(dict(message.headers)["seq"]))
    assert {seq for seqs in seqs_of.values() for seq in seqs} == set(range(1, len(numbers) + 1))
    for seqs in seqs_of.values():
        first_seen = list(dict.fromkeys(seqs))
        assert first_seen == sorted(first_seen)


def test_kafka_and_memory_come_to_the_same_log(broker, tmp_path):
    """Congruence: the same messages, of all sorts, give the same events and the same dead letters."""
    chance = random.Random(11)
    batches = [[_anything(chance) for _ in range(chance.randrange(1, 30))] for _ in range(6)]
    shop = Shop(broker.url, tmp_path)
    memory = MemoryBroker(partitions=3)
    topics = shop.topics
    streams = Streams(
        topics,
        lambda: None,
        lambda positions: MemoryEventSource(memory, topics.events, "group", positions),
        lambda topic: MemoryEventSink(memory, topic),
        lambda topic: MemoryFencedSink(memory, topic),
    )
    with shop.open() as home, home_in_memory(Settings(namespace=shop.settings.namespace)) as other:
        for batch in batches:
            shop.send(batch)
            with closing(MemoryEventSink(memory, topics.events)) as sink:
                sink.submit(shop.messages(batch)).result()
            with open_worker(home) as worker:
                worker.run(until_empty=True)
            with open_worker(other, streams) as worker:
                worker.run(until_empty=True)
        assert _facts(home) == _facts(other)
        letters = [each for partition in memory.topic(topics.dead)[1] for each in partition]
        assert letters
        found = shop.read(topics.dead, len(letters))
        assert sorted(_letter(each) for each in found) == sorted(_letter(each) for each in letters)


def _anything(chance):
    """Return an event, a batch, or something that is neither."""
    event = {
        "user_id": f"user-{chance.randrange(5)}",
        "item_id": f"item-{chance.randrange(9)}",
        "type": chance.choice(["view", "Product Clicked", "rating"]),
        "timestamp": 1_700_000_000 + chance.randrange(100),
    }
    bad = [{**event, "user_id": ""}, {**event, "timestamp": "never"}]
    return chance.choice([event, event, event, {"events": [event, *bad]}, bad[0], b"\xff", b"", b"[]"])


def _facts(home):
    return sorted((event.event_id, event.user_id, event.type) for _, event in home.log.events(0, 10**6))


def _letter(message):
    headers = dict(message.headers)
    return message.value, headers["foretaste-reason"], headers["foretaste-field"]


def _published(home):
    """Return how far the log was published."""
    stream = f"outbox:{streams_of(home.settings).fenced_sink(topics_of(home.settings).log).stream}"
    return max(home.log.reached(stream).values(), default=0)

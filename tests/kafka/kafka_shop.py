"""A shop whose events come through Kafka: its topics, numbered events, and workers as processes."""

import json
import os
import random
import subprocess
import sys
from contextlib import closing, contextmanager, suppress
from functools import cache
from threading import Event, Thread
from uuid import uuid4

import worker_child
from confluent_kafka import Consumer, KafkaException, TopicPartition

from foretaste.adapters.kafka.cluster import KafkaCluster
from foretaste.adapters.kafka.event_sink import KafkaEventSink
from foretaste.adapters.kafka.event_source import KafkaEventSource
from foretaste.app.settings import Settings
from foretaste.app.stores import state_config
from foretaste.app.wiring import open_home
from foretaste.app.worker_wiring import streams_of, topics_of
from foretaste.domain.errors import UnavailableError
from foretaste.features.state import State
from foretaste.ports.event_stream import StreamMessage, position_name
from foretaste.testing.contracts.event_stream import Reader, poll_until
from foretaste.testing.forks import Fork
from foretaste.testing.waiting import until

SECONDS = 120.0
TOLD = ("namespace", "kafka_url", "kafka_session_seconds", "database_url", "database_schema")
"""The settings of a shop that differ from the usual ones."""


@cache
def numbered(number):
    """Return the event with this number; every other one has no id of its own."""
    chance = random.Random(number)
    event = {
        "user_id": f"user-{chance.randrange(20)}",
        "item_id": f"item-{number}",
        "type": chance.choice(["view", "click", "purchase"]),
    }
    return event if number % 2 else {**event, "event_id": f"event-{number}"}


def message(value, key=None):
    """Return a value, or its JSON, as a message."""
    encoded = value if isinstance(value, bytes) else json.dumps(value).encode()
    return StreamMessage(value=encoded, key=key)


def numbers_in(log):
    """Return the numbers of all events in a log, in its order."""
    return [int(event.item_id.removeprefix("item-")) for _, event in log.events(0, 10**9)]


class Shop:
    """A namespace of its own on one broker, and a home for it in a folder."""

    def __init__(self, url, folder, **settings):
        self.url = url
        self.home = folder / f"home-{uuid4().hex[:8]}"
        self.settings = Settings(
            namespace=f"shop-{uuid4().hex[:8]}", kafka_url=url, kafka_partitions=3, **settings
        )
        self.topics = topics_of(self.settings)
        self.cluster = KafkaCluster.of(url)
        until(self._has_topics)

    def _has_topics(self):
        try:
            streams_of(self.settings).make_topics()
        except UnavailableError:
            return False
        return True

    @property
    def environment(self):
        """The variables that a process of this shop needs."""
        told = {name: getattr(self.settings, name) for name in TOLD}
        named = {f"FORETASTE_{name.upper()}": str(value) for name, value in told.items()}
        home = self.home.with_name(uuid4().hex) if self.settings.database_url else self.home
        return {**os.environ, **named, "FORETASTE_HOME": str(home)}

    def send(self, values, topic=None):
        """Send values, keyed by their user where they have one, and wait for the acknowledgement."""
        with closing(KafkaEventSink(self.cluster, topic or self.topics.events)) as sink:
            sink.submit(self.messages(values)).result(SECONDS)

    def messages(self, values):
        """Return values as messages, keyed by their user where they have one."""
        return [
            message(
                value, value["user_id"].encode() if isinstance(value, dict) and "user_id" in value else None
            )
            for value in values
        ]

    def open(self):
        """Open the home in this process."""
        return open_home(self.home, settings=self.settings, create=True, with_model=False)

    @contextmanager
    def worker(self, *options):
        """Run a worker by its command; killed in the end, if it still runs then."""
        command = [sys.executable, "-m", "foretaste.app.cli", "worker", "--json", *options]
        with subprocess.Popen(
            command, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def forked_worker(self, kind="sound"):
        """Return a worker that began at once, its log of this `kind`."""
        return Fork(worker_child.main, kind, environment=self.environment)

    def work(self):
        """Let a worker take in all there is."""
        with self.worker("--until-empty") as process:
            said, complaint = process.communicate(timeout=SECONDS)
        assert process.returncode == 0, complaint
        return json.loads(said)

    def read(self, topic, enough):
        """Return the messages of a topic, at least so many."""
        reader = Reader()
        group = f"test-{uuid4().hex[:8]}"
        with closing(KafkaEventSource(self.cluster, topic, group, reader.positions)) as source:
            poll_until([source], reader, lambda: len(reader.messages) >= enough)
        return reader.messages

    def published(self):
        """Return the messages that readers of the log's topic find in it, to its end."""
        reader = Reader()
        group = f"test-{uuid4().hex[:8]}"
        with closing(KafkaEventSource(self.cluster, self.topics.log, group, reader.positions)) as source:
            poll_until([source], reader, lambda: source.assigned() and not any(source.lag().values()))
        return reader.messages

    def ends(self):
        """Return the positions behind the last message of each partition of the events' topic.

        A broker that has just begun may not know yet that it leads a partition: then it asks again.
        """
        stream, found = self.cluster.stream_name(self.topics.events), {}

        def asked():
            with suppress(KafkaException):
                for number in range(self.settings.kafka_partitions):
                    place = TopicPartition(self.topics.events, number)
                    found[position_name(stream, number)] = consumer.get_watermark_offsets(place, timeout=5)[1]
                return True
            return False

        with closing(Consumer(self.cluster.client(group_id="ends"))) as consumer:
            until(asked)
        return found


class Sender:
    """Sends events in small batches from a thread of its own, and knows which were acknowledged.

    It sends as long as its context lasts, unless it has sent `total` before; `finish` ends it early.
    """

    def __init__(self, shop, total=10**6, *, batch=20, pause=0.02, sink=KafkaEventSink):
        self.acknowledged = set()
        self._shop, self._total, self._batch, self._pause = shop, total, batch, pause
        self._sink = sink
        self._ending = Event()
        self._thread = Thread(target=self._run)

    def finish(self):
        """Send no more."""
        self._ending.set()
        self._thread.join()

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.finish()

    def _run(self):
        with closing(self._sink(self._shop.cluster, self._shop.topics.events)) as sink:
            for start in range(0, self._total, self._batch):
                numbers = range(start, min(start + self._batch, self._total))
                messages = [
                    message(numbered(number), numbered(number)["user_id"].encode()) for number in numbers
                ]
                with suppress(UnavailableError):  # then it may be there or not: not acknowledged
                    sink.submit(messages).result(SECONDS)
                    self.acknowledged |= set(numbers)
                if self._ending.wait(self._pause):
                    return


def assert_state_is_that_of_the_log(home):
    """Fold the whole log anew and compare."""
    rebuilt = State(state_config(home.settings), lambda: home.id_map.names("type"))
    rebuilt.apply(home.log.read(0, 10**9))
    mine, again = home.state.snapshot(), rebuilt.snapshot()
    assert mine.keys() == again.keys()
    assert all((mine[name] == again[name]).all() for name in mine)

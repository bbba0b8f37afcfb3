"""A shop whose events come through Kafka: its topics, numbered events, and workers as processes."""

import json
import os
import random
import subprocess
import sys
import time
from contextlib import closing
from functools import cache
from uuid import uuid4

from foretaste.adapters.kafka.cluster import KafkaCluster
from foretaste.adapters.kafka.event_sink import KafkaEventSink
from foretaste.adapters.kafka.event_source import KafkaEventSource
from foretaste.app.settings import Settings
from foretaste.app.stores import state_config
from foretaste.app.wiring import open_home
from foretaste.app.worker_wiring import streams_of, topics_of
from foretaste.features.state import State
from foretaste.ports.event_stream import StreamMessage
from foretaste.testing.contracts.event_stream import Reader, poll_until

SECONDS = 60.0
SESSION_SECONDS = 1.0


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
        self.home = folder / "home"
        self.settings = Settings(
            namespace=f"shop-{uuid4().hex[:8]}", kafka_url=url, kafka_partitions=3, **settings
        )
        self.topics = topics_of(self.settings)
        self.cluster = KafkaCluster.of(url)
        streams_of(self.settings).make_topics()

    @property
    def environment(self):
        """The variables that a process of this shop needs."""
        told = {"KAFKA_URL": self.url, "NAMESPACE": self.settings.namespace, "HOME": str(self.home)}
        return {**os.environ, **{f"FORETASTE_{name}": value for name, value in told.items()}}

    def send(self, values, topic=None):
        """Send values, keyed by their user where they have one, and wait for the acknowledgement."""
        messages = [
            message(
                value, value["user_id"].encode() if isinstance(value, dict) and "user_id" in value else None
            )
            for value in values
        ]
        with closing(KafkaEventSink(self.cluster, topic or self.topics.events)) as sink:
            sink.submit(messages).result(SECONDS)

    def open(self):
        """Open the home in this process."""
        return open_home(self.home, settings=self.settings, create=True, with_model=False)

    def worker(self, *options):
        """Start a worker as a process."""
        command = [sys.executable, "-m", "foretaste.app.cli", "worker", "--json", *options]
        return subprocess.Popen(
            command, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

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


def assert_state_is_that_of_the_log(home):
    """Fold the whole log anew and compare."""
    rebuilt = State(state_config(home.settings), lambda: home.id_map.names("type"))
    rebuilt.apply(home.log.read(0, 10**9))
    mine, again = home.state.snapshot(), rebuilt.snapshot()
    assert mine.keys() == again.keys()
    assert all((mine[name] == again[name]).all() for name in mine)


def until(condition, seconds=SECONDS):
    """Wait for a condition."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "this did not come about in time"
        time.sleep(0.02)

"""Kafka through the worker: messages a second to visible state, and lag, beside raw produce and consume.

`python benchmarks/kafka_worker.py [--events N] [--rate N] [--json]`. It starts a broker of its own (Java 17
and Maven, or a broker named in FORETASTE_TEST_KAFKA_URL) and a home of files in a temporary folder.

Three measurements in one run, with the same client, messages and broker:

- raw: N messages produced (idempotent, acknowledged by all replicas) and read by a bare consumer;
- backlog: a worker takes N waiting messages in; each is validated, durable (fsync) and folded when counted;
- steady: messages come at RATE a second, and each one's lag is the time from its `produce` to the moment
  at which the next answer knows it.
"""

import argparse
import json
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import numpy as np
from confluent_kafka import Consumer

from foretaste.adapters.kafka.cluster import KafkaCluster
from foretaste.adapters.kafka.event_sink import KafkaEventSink
from foretaste.app.home import Home
from foretaste.app.settings import Settings
from foretaste.app.wiring import open_home
from foretaste.app.worker_wiring import open_worker, streams_of
from foretaste.domain.event import EventColumns
from foretaste.events.identity import event_key
from foretaste.ports.event_stream import StreamMessage
from foretaste.testing.servers.kafka import kafka_server

BATCH = 5_000
SECONDS = 600.0
PARTITIONS = 6
USERS, ITEMS = 5_000, 2_000


def messages_of(start: int, stop: int) -> list[StreamMessage]:
    """Return events of `USERS` people with `ITEMS` items as messages, keyed by user."""
    chance = np.random.default_rng(start)
    users, items = chance.integers(0, USERS, stop - start), chance.integers(0, ITEMS, stop - start)
    return [
        StreamMessage(
            value=b'{"event_id":"e-%d","user_id":"u-%d","item_id":"i-%d","type":"click"}'
            % (start + n, user, item),
            key=b"u-%d" % user,
        )
        for n, (user, item) in enumerate(zip(users.tolist(), items.tolist(), strict=True))
    ]


def produce(cluster: KafkaCluster, topic: str, messages: Sequence[StreamMessage]) -> float:
    """Send messages, wait for all acknowledgements; return the seconds it took."""
    began = time.perf_counter()
    with closing(KafkaEventSink(cluster, topic)) as sink:
        for start in range(0, len(messages), BATCH):
            sent = sink.submit(messages[start : start + BATCH])
        sent.result(SECONDS)
    return time.perf_counter() - began


def consume(cluster: KafkaCluster, topic: str, wanted: int) -> float:
    """Read messages with a bare consumer; return the seconds from the first to the last."""
    consumer = Consumer(
        cluster.client(group_id=uuid4().hex, auto_offset_reset="earliest", enable_auto_commit=False)
    )
    consumer.subscribe([topic])
    got, began = 0, 0.0
    while got < wanted:
        taken = consumer.consume(BATCH, 0.1)
        began = began or (time.perf_counter() if taken else 0.0)
        got += len(taken)
    took = time.perf_counter() - began
    consumer.close()
    return took


def backlog(home: Home, wanted: int) -> tuple[float, float]:
    """Let a worker take in what waits; return wall and CPU seconds from its first message to its last."""
    with open_worker(home) as worker:
        ingest = worker._ingest  # noqa: SLF001 # one step at a time, so that joining the group is not measured
        while not (done := ingest.run_once(0.5)):
            pass
        first, began, cpu = done, time.perf_counter(), time.process_time()
        while done < wanted:
            done += ingest.run_once(0.5)
        scale = wanted / max(wanted - first, 1)
        return (time.perf_counter() - began) * scale, (time.process_time() - cpu) * scale


def steady(home: Home, cluster: KafkaCluster, topic: str, events: range, rate: int) -> np.ndarray:
    """Send events at `rate` a second beside a running worker; return each one's lag in seconds."""
    seen: dict[int, float] = {}
    fold = home.state.apply

    def watched(events: EventColumns) -> int:
        done = fold(events)
        now = time.perf_counter()
        for key in events.key.tolist():
            seen[key] = now
        return done

    home.state.apply = watched  # type: ignore[method-assign] # the moment after which an answer knows them
    sent: dict[int, float] = {}
    with open_worker(home) as worker:
        thread = threading.Thread(target=worker.run)
        thread.start()
        with closing(KafkaEventSink(cluster, topic)) as sink:
            began = time.perf_counter()
            for place, message in enumerate(messages_of(events.start, events.stop)):
                wait = began + place / rate - time.perf_counter()
                if wait > 0:
                    time.sleep(wait)
                sent[event_key(f"e-{events.start + place}")] = time.perf_counter()
                sink.submit([message])
        deadline = time.monotonic() + SECONDS
        while len(seen) < len(events) and time.monotonic() < deadline:
            time.sleep(0.01)
        worker.stop.set()
        thread.join()
    return np.array([seen[key] - at for key, at in sent.items()])


def main() -> None:
    """Run all three and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--rate", type=int, default=500)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with kafka_server() as broker, tempfile.TemporaryDirectory() as folder:
        settings = Settings(namespace=f"bench-{uuid4().hex[:8]}", kafka_url=broker.url, publish_log=False)
        streams = streams_of(settings)
        streams.make_topics()
        cluster, topic = KafkaCluster.of(broker.url), streams.topics.events
        messages = messages_of(0, options.events)
        produce(cluster, streams.topics.log, messages[:1_000])  # the brokers and the client warm up
        produced = produce(cluster, topic, messages)
        consumed = consume(cluster, topic, options.events)
        with open_home(Path(folder), settings=settings, create=True, with_model=False) as home:
            home.recorder.record(
                [{"user_id": "u", "item_id": "i", "type": "click"}], now=1_700_000_000_000_000
            )
            wall, cpu = backlog(home, options.events)
            later = range(options.events, options.events + 20 * options.rate)
            lag = steady(home, cluster, topic, later, options.rate)
    p50, p99 = np.quantile(lag, [0.5, 0.99]) * 1_000
    figures = {
        "raw_produced_per_second": round(options.events / produced),
        "raw_consumed_per_second": round(options.events / consumed),
        "worker_events_per_second": round(options.events / wall),
        "worker_events_per_cpu_second": round(options.events / cpu),
        "worker_share_of_raw_produce": round(produced / wall, 3),
        "steady_rate": options.rate,
        "lag_p50_ms": round(float(p50), 1),
        "lag_p99_ms": round(float(p99), 1),
    }
    print(json.dumps(figures) if options.json else "\n".join(f"{k:32} {v:>12,}" for k, v in figures.items()))


if __name__ == "__main__":
    main()

"""The one place that assembles streams and a worker out of adapters, by the settings."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from threading import Thread
from types import ModuleType

from foretaste.app.archive_wiring import open_archive
from foretaste.app.archiving import ArchiveTask
from foretaste.app.home import Home
from foretaste.app.settings import Settings
from foretaste.app.worker import Task, Worker
from foretaste.app.worker_ingest import StreamIngest
from foretaste.app.worker_outbox import Outbox
from foretaste.domain.errors import InvalidInputError, UnavailableError
from foretaste.domain.extras import with_extra
from foretaste.ports.event_stream import EventSink, EventSource, FencedSink, Positions


@dataclass(frozen=True, slots=True)
class Topics:
    """What the streams of a namespace are called: events for us, our log for others, and dead letters."""

    events: str
    log: str
    dead: str


def topics_of(settings: Settings) -> Topics:
    """Return the names of the topics; raise `InvalidInputError` where two are the same."""
    name = settings.namespace
    topics = Topics(
        settings.kafka_events_topic or f"{name}.events",
        settings.kafka_log_topic or f"{name}.log",
        settings.kafka_dead_topic or f"{name}.events.dead",
    )
    if len({topics.events, topics.log, topics.dead}) < 3:
        raise InvalidInputError(
            "kafka_events_topic, kafka_log_topic and kafka_dead_topic must differ", field="kafka_log_topic"
        )
    return topics


@dataclass(frozen=True, slots=True)
class Streams:
    """The streams of a namespace, each opened when asked for."""

    topics: Topics
    make_topics: Callable[[], None]
    source: Callable[[Positions], EventSource]
    sink: Callable[[str], EventSink]
    fenced_sink: Callable[[str], FencedSink]


def streams_of(settings: Settings) -> Streams:
    """Return the streams at `kafka_url`, without connecting.

    Raises `InvalidInputError` where none is set, `MissingExtraError` without the extra `kafka`.
    """
    if not settings.kafka_url:
        raise InvalidInputError(
            "kafka_url is not set: FORETASTE_KAFKA_URL=kafka://host:port names the brokers", field="kafka_url"
        )
    cluster = _kafka("cluster").KafkaCluster.of(settings.kafka_url)
    topics = topics_of(settings)
    group = settings.kafka_group or f"foretaste.{settings.namespace}"

    def make_topics() -> None:
        cluster.make_topics([topics.events, topics.log, topics.dead], partitions=settings.kafka_partitions)

    def source(positions: Positions) -> EventSource:
        opened: EventSource = _kafka("event_source").KafkaEventSource(
            cluster, topics.events, group, positions, session_seconds=settings.kafka_session_seconds
        )
        return opened

    def sink(topic: str) -> EventSink:
        opened: EventSink = _kafka("event_sink").KafkaEventSink(cluster, topic)
        return opened

    def fenced_sink(topic: str) -> FencedSink:
        opened: FencedSink = _kafka("fenced_sink").KafkaFencedSink(cluster, topic, name=f"{group}.outbox")
        return opened

    return Streams(topics, make_topics, source, sink, fenced_sink)


@contextmanager
def open_worker(home: Home, streams: Streams | None = None) -> Iterator[Worker]:
    """Give a worker for a home, not running yet; what it holds is released in the end.

    Raises what `streams_of` does, where no `streams` are given.
    """
    settings = home.settings
    found = streams_of(settings) if streams is None else streams
    with ExitStack() as opened:
        source = opened.enter_context(closing(found.source(home.log.reached)))
        ingest = StreamIngest(
            source,
            home.log,
            opened.enter_context(closing(found.sink(found.topics.dead))),
            home.telemetry,
            largest=settings.body_limit_bytes,
        )
        tasks: dict[str, Task] = {}
        if settings.publish_log:
            tasks["outbox"] = Outbox(
                home.log, opened.enter_context(closing(found.fenced_sink(found.topics.log)))
            )
        if settings.archive_url:
            archive = open_archive(settings.archive_url, namespace=settings.namespace)
            tasks["archive"] = ArchiveTask(home.log, archive)
        worker = Worker(ingest, tasks, prepare=found.make_topics)
        home.condition.watch(worker.wrong)
        home.condition.measured_by(lambda: _measure(home, worker, tasks.get("archive")))
        yield worker


def _measure(home: Home, worker: Worker, archive: Task | None) -> None:
    """Set the gauges of a worker; of what only the leading one does the others say nothing waits."""
    leads = worker.leads()
    home.telemetry.gauge("worker_leads", float(leads))
    if isinstance(archive, ArchiveTask):
        events, seconds = archive.lag() if leads else (0, 0.0)
        home.telemetry.gauge("archive_lag_events", events)
        home.telemetry.gauge("archive_lag_seconds", seconds)


@contextmanager
def worker_beside(home: Home) -> Iterator[Worker]:
    """Run a worker in a thread of this process as long as the context lasts, then let it drain."""
    with open_worker(home) as worker:
        thread = Thread(target=worker.run, name="foretaste-worker", daemon=True)
        thread.start()
        try:
            yield worker
        finally:
            worker.stop.set()
            thread.join()


@contextmanager
def streams_beside(home: Home, *, worker: bool | None) -> Iterator[None]:
    """Connect a home that answers to its streams as long as the context lasts, where `kafka_url` is set.

    A worker runs beside it if `worker` says so, or if nothing is said and the home is one of files, which
    no other process can open. With `publish_events=stream` events go to the stream instead of the log.
    """
    settings = home.settings
    with ExitStack() as opened:
        if settings.publish_events == "stream":
            streams = streams_of(settings)
            with suppress(UnavailableError):  # a worker makes the topics too, once the brokers are there
                streams.make_topics()
            home.send_events_to(opened.enter_context(closing(streams.sink(streams.topics.events))))
        if worker or (worker is None and settings.kafka_url and not settings.database_url):
            opened.enter_context(worker_beside(home))
        yield


def _kafka(module: str) -> ModuleType:
    return with_extra(f"foretaste.adapters.kafka.{module}", "kafka_url")

"""What is wrong with a Kafka cluster, before it costs events."""

from collections.abc import Iterator, Sequence

from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import ConfigResource
from confluent_kafka.admin._resource import ResourceType

from foretaste.adapters.kafka.cluster import CALL_SECONDS, KafkaCluster
from foretaste.domain.check import Check

DAY_MILLIS = 86_400_000
LEAST_RETENTION_DAYS = 2.0
"""A worker that is away over a weekend's night must still find what came meanwhile."""


def checks(url: str, topics: Sequence[str]) -> list[Check]:
    """Return what was found of the cluster at `url` and of our topics.

    Raises `UnavailableError` where no broker answers, `InvalidInputError` for a URL that is none.
    """
    with KafkaCluster.of(url).admin().asked() as admin:
        return list(_checks(admin, topics))


def _checks(admin: AdminClient, topics: Sequence[str]) -> Iterator[Check]:
    known = admin.list_topics(timeout=CALL_SECONDS)
    brokers = len(known.brokers)
    yield Check(level="good", words=f"Kafka with {brokers} broker{'s' if brokers > 1 else ''}")
    if brokers == 1:
        yield Check(
            level="note",
            words="one broker: what it acknowledged is lost with its disk",
            remedy="three brokers, replication factor 3 and min.insync.replicas 2 for what must not be lost",
        )
    for topic in topics:
        if topic not in known.topics:
            yield Check(
                level="note",
                words=f"the topic {topic} is not there yet",
                remedy="foretaste worker makes it, or make it with the partitions and replicas you want",
            )
            continue
        partitions = known.topics[topic].partitions
        copies = min(len(partition.replicas) for partition in partitions.values())
        settings = _settings(admin, topic)
        words = f"{topic}: {len(partitions)} partitions, {copies} replica{'s' if copies > 1 else ''} each"
        yield Check(level="good", words=words)
        yield from _topic(topic, settings, copies)


def _topic(topic: str, settings: dict[str, str], copies: int) -> Iterator[Check]:
    if copies > 1 and int(settings.get("min.insync.replicas", "1")) < 2:
        yield Check(
            level="problem",
            words=f"{topic} acknowledges what a single replica has (min.insync.replicas 1)",
            remedy=f"set min.insync.replicas=2 on {topic}",
        )
    retention = int(settings.get("retention.ms", "-1"))
    if 0 <= retention < LEAST_RETENTION_DAYS * DAY_MILLIS:
        yield Check(
            level="problem",
            words=f"{topic} forgets messages after {retention / 3_600_000:.0f} hours, read or not",
            remedy=f"set retention.ms on {topic} to more than workers may be away",
        )
    if "compact" in settings.get("cleanup.policy", "delete"):
        yield Check(
            level="problem",
            words=f"{topic} is compacted: of a person's events only the last would stay",
            remedy=f"set cleanup.policy=delete on {topic}",
        )


def _settings(admin: AdminClient, topic: str) -> dict[str, str]:
    asked = ConfigResource(ResourceType.TOPIC, topic)
    found = admin.describe_configs([asked])[asked].result(CALL_SECONDS)
    return {name: str(entry.value) for name, entry in found.items()}

"""A Kafka cluster: its address and its topics."""

import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from foretaste.adapters.kafka.client import Admin
from foretaste.domain.errors import InvalidInputError

CALL_SECONDS = 10.0
"""How long the cluster may take to answer a question about itself."""

WAIT_SECONDS = 0.02

Options = dict[str, str | int | float | bool]


@dataclass(frozen=True, slots=True)
class KafkaCluster:
    """Where the brokers are and how to speak to them; `options` are librdkafka's, by its own names."""

    options: Options = field(repr=False)  # may hold a password

    @classmethod
    def of(cls, url: str) -> "KafkaCluster":
        """Return the cluster at `kafka://[user:password@]host:port[,host:port…][?option=value…]`.

        A user and a password mean SASL; options are librdkafka's, as `security.protocol=sasl_ssl`. Raises
        `InvalidInputError` for anything else.
        """
        parts = urlsplit(url)
        credentials, at, brokers = parts.netloc.rpartition("@")
        hosts = [host for host in brokers.split(",") if host]
        if parts.scheme != "kafka" or not hosts or parts.path not in {"", "/"}:
            raise InvalidInputError(
                "kafka_url must be kafka://host:port, several brokers separated by commas, and options of "
                "librdkafka after a question mark",
                field="kafka_url",
            )
        options: Options = {
            "bootstrap.servers": ",".join(host if ":" in host else f"{host}:9092" for host in hosts)
        }
        if at:
            user, _, password = credentials.partition(":")
            options |= {
                "security.protocol": "sasl_ssl",
                "sasl.mechanisms": "SCRAM-SHA-512",
                "sasl.username": unquote(user),
                "sasl.password": unquote(password),
            }
        return cls(options | dict(parse_qsl(parts.query)))

    def client(self, **extra: str | float | bool) -> Options:
        """Return the options of a client; `_` in the names of `extra` stands for `.`."""
        named = {name.replace("_", "."): value for name, value in extra.items()}
        quiet: Options = {
            "client.id": "foretaste",
            "log_level": 2,  # what matters comes as errors; a lost connection alone is no news
            "reconnect.backoff.max.ms": 2_000,
        }
        return quiet | self.options | named

    def admin(self) -> Admin:
        """Return a client to ask the brokers with; it ends when nothing refers to it."""
        return Admin(self.client())

    def make_topics(self, names: Sequence[str], *, partitions: int) -> None:
        """Make the topics that are absent, with as many replicas as the brokers say.

        Raises `UnavailableError` where no broker answers or it refuses.
        """
        with self.admin().asked() as admin:
            known = admin.list_topics(timeout=CALL_SECONDS).topics
            missing = [NewTopic(name, num_partitions=partitions) for name in names if name not in known]
            for made in admin.create_topics(missing).values() if missing else ():
                _wait_for_topic(made)
            _wait_until_known(admin, [topic.topic for topic in missing])

    def stream_name(self, topic: str, admin: Admin | None = None) -> str:
        """Return a name that no other topic has or will have, one of the same name made later neither.

        Who asks again and again gives the client to ask with. Raises `UnavailableError` where no broker
        answers or there is no such topic.
        """
        with (admin or self.admin()).asked() as client:
            asked = client.describe_topics(TopicCollection([topic]), request_timeout=CALL_SECONDS)
            return f"kafka:{topic}:{asked[topic].result(CALL_SECONDS).topic_id}"


def _wait_until_known(admin: AdminClient, names: Sequence[str]) -> None:
    """Wait until the brokers tell of new topics: they hear of them one after another.

    Raises `TimeoutError`.
    """
    deadline = time.monotonic() + CALL_SECONDS
    while names:
        known = admin.list_topics(timeout=CALL_SECONDS).topics
        if all(name in known and known[name].error is None for name in names):
            return
        if time.monotonic() > deadline:
            raise TimeoutError(f"topics were made but are not told of within {CALL_SECONDS:g} s")
        time.sleep(WAIT_SECONDS)


def _wait_for_topic(made: "Future[None]") -> None:
    try:
        made.result(CALL_SECONDS)
    except KafkaException as error:
        if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:  # another process was faster
            raise

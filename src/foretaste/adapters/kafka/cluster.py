"""A Kafka cluster: its address, its topics, and what its errors mean to us."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from foretaste.domain.errors import InvalidInputError, UnavailableError

CALL_SECONDS = 10.0
"""How long the cluster may take to answer a question about itself."""

WAIT_SECONDS = 0.02

Client = TypeVar("Client")
Options = dict[str, str | int | float | bool]
_log = logging.getLogger(__name__)


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

    def make_topics(self, names: Sequence[str], *, partitions: int) -> None:
        """Make the topics that are absent, with as many replicas as the brokers say.

        Raises `UnavailableError` where no broker answers or it refuses.
        """
        admin = client_of(AdminClient, self.client())
        try:
            known = admin.list_topics(timeout=CALL_SECONDS).topics
            missing = [NewTopic(name, num_partitions=partitions) for name in names if name not in known]
            for made in admin.create_topics(missing).values() if missing else ():
                _wait_for_topic(made)
            _wait_until_known(admin, [topic.topic for topic in missing])
        except (KafkaException, TimeoutError) as error:
            raise unavailable(error) from error

    def stream_name(self, topic: str, admin: AdminClient | None = None) -> str:
        """Return a name that no other topic has or will have, one of the same name made later neither.

        Who asks again and again gives the client to ask with. Raises `UnavailableError` where no broker
        answers or there is no such topic.
        """
        asking = admin or client_of(AdminClient, self.client())  # ends when nothing refers to it
        try:
            asked = asking.describe_topics(TopicCollection([topic]), request_timeout=CALL_SECONDS)
            return f"kafka:{topic}:{asked[topic].result(CALL_SECONDS).topic_id}"
        except (KafkaException, TimeoutError) as error:
            raise unavailable(error) from error


def client_of(kind: Callable[[dict[str, Any]], Client], options: Mapping[str, Any]) -> Client:
    """Return a client of librdkafka; raise `InvalidInputError` where it does not take an option."""
    try:
        return kind(dict(options))
    except KafkaException as error:
        raise InvalidInputError(
            f"kafka_url: {error.args[0].str()}; what follows the question mark are options of librdkafka",
            field="kafka_url",
        ) from error


def unavailable(error: Exception | KafkaError) -> UnavailableError:
    """Return what a caller is told where Kafka does not do what was asked."""
    said = error.args[0] if isinstance(error, KafkaException) else error
    reason = said.str() if isinstance(said, KafkaError) else str(said) or type(said).__name__
    return UnavailableError(
        f"Kafka does not answer as it should ({reason}); is the broker of kafka_url up, "
        "and may we use the topic?",
        field="kafka_url",
        retry_after=5.0,
    )


def note_error(error: KafkaError) -> None:
    """Log an error that librdkafka reports beside calls; what needs an answer is raised by the calls."""
    _log.log(logging.ERROR if error.fatal() else logging.DEBUG, "Kafka: %s", error.str())


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

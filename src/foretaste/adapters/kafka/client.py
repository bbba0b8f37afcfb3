"""Clients of librdkafka: how they are made and asked, and what their errors mean to us."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from foretaste.domain.errors import InvalidInputError, UnavailableError

HEARD_SECONDS = 30.0
"""For how long what a connection ended with explains why a call got no answer."""

PASSING = frozenset({KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN, KafkaError._TIMED_OUT})  # noqa: SLF001
"""Errors that librdkafka goes on from by itself."""

VAGUE = PASSING | {KafkaError._MSG_TIMED_OUT}  # noqa: SLF001
"""Errors of calls that say no more than that there was no answer."""

Client = TypeVar("Client")
_log = logging.getLogger(__name__)


class Heard:
    """What a client heard of its connections: refused, a wrong password, no TLS. Calls do not say that."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last: tuple[float, str] | None = None

    def note(self, error: KafkaError) -> None:
        """Take what librdkafka reports beside calls; what needs an answer is raised by the calls."""
        _log.log(logging.ERROR if error.fatal() else logging.DEBUG, "Kafka: %s", error.str())
        if error.code() != KafkaError._ALL_BROKERS_DOWN:  # noqa: SLF001 # comes with each of the others
            self._last = self._clock(), error.str()

    def forget(self) -> None:
        """Begin anew."""
        self._last = None

    def reason(self) -> str:
        """Return what was heard last, nothing where that is long ago."""
        last = self._last
        return last[1] if last is not None and self._clock() < last[0] + HEARD_SECONDS else ""


class Admin:
    """Asks the brokers about themselves, and says why where they do not answer."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._heard = Heard()
        self._client = client_of(AdminClient, {**options, "error_cb": self._heard.note})

    @contextmanager
    def asked(self) -> Iterator[AdminClient]:
        """Give the client for a question; what the brokers do not answer is an `UnavailableError`."""
        self._client.poll(0)  # what was heard since the last question explains nothing of this one
        self._heard.forget()
        try:
            yield self._client
        except (KafkaException, TimeoutError) as error:
            self._client.poll(0)
            raise unavailable(error, self._heard) from error


def client_of(kind: Callable[[dict[str, Any]], Client], options: Mapping[str, Any]) -> Client:
    """Return a client of librdkafka; raise `InvalidInputError` where it does not take an option."""
    try:
        return kind(dict(options))
    except KafkaException as error:
        raise InvalidInputError(
            f"kafka_url: {error.args[0].str()}; what follows the question mark are options of librdkafka",
            field="kafka_url",
        ) from error


def unavailable(error: Exception | KafkaError, heard: Heard | None = None) -> UnavailableError:
    """Return what a caller is told where Kafka does not do what was asked of a client that `heard`."""
    said = error.args[0] if isinstance(error, KafkaException) else error
    reason = said.str() if isinstance(said, KafkaError) else str(said) or type(said).__name__
    vague = said.code() in VAGUE if isinstance(said, KafkaError) else isinstance(said, TimeoutError)
    why = heard.reason() if heard is not None and vague else ""
    return UnavailableError(
        f"Kafka does not answer as it should ({reason}{': ' if why else ''}{why}); is the broker of "
        "kafka_url up, are user and password right, and may we use the topic?",
        field="kafka_url",
        retry_after=5.0,
    )

"""Where the brokers are, as a URL says."""

import socket
import threading

import pytest
from confluent_kafka import KafkaError

from foretaste.adapters.kafka import cluster as cluster_module
from foretaste.adapters.kafka.checks import checks
from foretaste.adapters.kafka.client import HEARD_SECONDS, Heard, unavailable
from foretaste.adapters.kafka.cluster import KafkaCluster
from foretaste.adapters.kafka.event_sink import KafkaEventSink
from foretaste.adapters.kafka.event_source import KafkaEventSource
from foretaste.domain.errors import InvalidInputError, UnavailableError
from foretaste.testing.servers.process import free_port


def test_several_brokers_are_separated_by_commas_and_have_a_usual_port():
    assert KafkaCluster.of("kafka://one:1234,two").options == {"bootstrap.servers": "one:1234,two:9092"}


def test_a_user_and_a_password_mean_sasl_over_tls():
    options = KafkaCluster.of("kafka://me:p%40ss@host:9093").options
    assert options["sasl.username"] == "me"
    assert options["sasl.password"] == "p@ss"
    assert options["security.protocol"] == "sasl_ssl"


def test_options_after_the_question_mark_go_before_ours():
    cluster = KafkaCluster.of("kafka://me:x@host?security.protocol=sasl_plaintext&client.id=mine")
    client = cluster.client(group_id="g")
    assert client["security.protocol"] == "sasl_plaintext"
    assert (client["client.id"], client["group.id"]) == ("mine", "g")


def test_a_password_is_not_shown():
    assert "secret" not in repr(KafkaCluster.of("kafka://me:secret@host"))


@pytest.mark.parametrize("option", ["no.such.option=1", "security.protocol=none", "fetch.wait.max.ms=soon"])
def test_an_option_that_the_client_does_not_take_is_named(option):
    cluster = KafkaCluster.of(f"kafka://127.0.0.1:9?{option}")
    for begin in (
        lambda: KafkaEventSource(cluster, "events", "group", {}.get),
        lambda: KafkaEventSink(cluster, "events"),
        lambda: cluster.make_topics(["events"], partitions=1),
        lambda: checks("kafka://127.0.0.1:9?" + option, ["events"]),
    ):
        with pytest.raises(InvalidInputError, match=option.partition("=")[0]) as refused:
            begin()
        assert refused.value.field == "kafka_url"


@pytest.mark.parametrize(
    "url", ["", "host:9092", "http://host", "kafka://", "kafka://host/topic", "kafka:///"]
)
def test_anything_else_is_refused_with_the_form(url):
    with pytest.raises(InvalidInputError, match="kafka://host:port"):
        KafkaCluster.of(url)


@pytest.fixture
def deaf():
    """A port where every connection is ended at once, as by a broker that takes no such client."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def end_all():
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                connection.close()

        threading.Thread(target=end_all, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def asked_in_vain(cluster, monkeypatch):
    monkeypatch.setattr(cluster_module, "CALL_SECONDS", 1.0)
    with pytest.raises(UnavailableError) as refused:
        cluster.make_topics(["events"], partitions=1)
    return refused.value.message


def test_brokers_that_are_not_there_are_told_by_what_the_connection_met(monkeypatch):
    said = asked_in_vain(KafkaCluster.of(f"kafka://127.0.0.1:{free_port()}"), monkeypatch)
    assert "Connection refused" in said


def test_brokers_that_do_not_take_a_password_are_told_by_what_the_connection_met(deaf, monkeypatch):
    said = asked_in_vain(KafkaCluster.of(f"kafka://me:secret@127.0.0.1:{deaf}"), monkeypatch)
    assert "SSL" in said
    assert "secret" not in said


def test_what_a_connection_met_explains_calls_without_an_answer_for_a_while_only():
    now = [0.0]
    heard = Heard(lambda: now[0])
    heard.note(KafkaError(KafkaError._AUTHENTICATION, "wrong password"))
    heard.note(KafkaError(KafkaError._ALL_BROKERS_DOWN, "1/1 brokers are down"))
    assert "wrong password" in unavailable(TimeoutError("late"), heard).message
    known = KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED, "not yours")
    assert "wrong password" not in unavailable(known, heard).message
    now[0] = HEARD_SECONDS
    assert "wrong password" not in unavailable(TimeoutError("late"), heard).message

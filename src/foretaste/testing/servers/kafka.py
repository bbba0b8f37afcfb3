"""Apache Kafka for tests: one node, broker and controller in one, on the Java that is there."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka import KafkaException, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from foretaste.app.datasets.cache import cache_directory
from foretaste.testing.servers.process import MissingServerError, ServerProcess, answers, free_port

VERSION = "4.1.0"
VARIABLE = "FORETASTE_TEST_KAFKA_URL"
FETCH_SECONDS = 600.0
START_SECONDS = 120.0
CALL_SECONDS = 5.0
PROBE = "foretaste-probe"
CLUSTER = "Zm9yZXRhc3RlLXRlc3RzMQ"
"""An id as Kafka wants it, 16 bytes in base64; each broker here is a cluster of its own."""

PROJECT = f"""<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>foretaste</groupId><artifactId>kafka-server</artifactId><version>1</version>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>{VERSION}</version>
    </dependency>
    <dependency>
      <groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId><version>2.24.3</version>
    </dependency>
    <dependency>
      <groupId>org.apache.logging.log4j</groupId><artifactId>log4j-core</artifactId><version>2.24.3</version>
    </dependency>
  </dependencies>
</project>
"""

PROPERTIES = """process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{control}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{control}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs={data}
auto.create.topics.enable=false
broker.heartbeat.interval.ms=200
broker.session.timeout.ms=1000
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
"""


@dataclass(frozen=True, slots=True)
class KafkaServer:
    """A broker that takes messages at `url` (`kafka://host:port`).

    `process` is None where `FORETASTE_TEST_KAFKA_URL` names a broker that others run: it cannot be killed.
    """

    url: str
    process: ServerProcess | None


@contextmanager
def kafka_server() -> Iterator[KafkaServer]:
    """Give a broker for as long as the context lasts, its data in a folder that goes with it.

    Looks for one in `FORETASTE_TEST_KAFKA_URL`, for `kafka-server-start.sh` on the path, then for jars in
    the cache folder, which Maven fills once (43 MB). Raises `MissingServerError` where none can be had.
    """
    given = os.environ.get(VARIABLE)
    if given:
        yield KafkaServer(given, None)
        return
    with tempfile.TemporaryDirectory(prefix="foretaste-kafka-") as folder, own_broker(Path(folder)) as broker:
        yield broker


@contextmanager
def own_broker(folder: Path, *, port: int | None = None) -> Iterator[KafkaServer]:
    """Give a broker of one's own in `folder`, which may be killed, paused and started again.

    It goes on with the data that are there. Without `port` it takes a free one.

    Raises `MissingServerError` without Java 17, or where the jars cannot be had.
    """
    java = _java()
    jars = f"{_jars()}/*"
    port, control = port or free_port(), free_port()
    properties = folder / "server.properties"
    properties.write_text(PROPERTIES.format(port=port, control=control, data=folder / "data"))
    storage = ["kafka.tools.StorageTool", "format", "-g", "-t", CLUSTER, "-c", str(properties)]
    _done([java, "-Xmx128m", "-cp", jars, *storage], CALL_SECONDS * 12)
    process = ServerProcess(
        [
            java,
            "-Xmx384m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",  # a test ends before the better compiler would pay
            "-cp",
            jars,
            "kafka.Kafka",
            str(properties),
        ],
        log=folder / "server.log",
        ready=lambda: answers(port) and _takes_messages(f"127.0.0.1:{port}"),
    )
    process.start(seconds=START_SECONDS)
    try:
        yield KafkaServer(f"kafka://127.0.0.1:{port}", process)
    finally:
        process.kill()  # its data goes with the folder: nothing needs an orderly end


def _takes_messages(address: str) -> bool:
    """Whether the broker's metadata answers and a message is acknowledged."""
    settings: dict[str, str | int | float | bool] = {"bootstrap.servers": address, "log_level": 0}
    admin = AdminClient(settings)
    try:
        topics = admin.list_topics(timeout=CALL_SECONDS / 5).topics
        if PROBE not in topics:
            admin.create_topics([NewTopic(PROBE, 1, 1)])[PROBE].result(CALL_SECONDS)
        failures: list[object] = []
        producer = Producer({**settings, "acks": "all", "message.timeout.ms": int(CALL_SECONDS * 1000)})
        producer.produce(PROBE, b"", on_delivery=lambda error, _: failures.append(error) if error else None)
        return producer.flush(CALL_SECONDS) == 0 and not failures
    except KafkaException:
        return False


def _java() -> str:
    home = os.environ.get("JAVA_HOME")
    java = f"{home}/bin/java" if home and Path(home, "bin/java").is_file() else shutil.which("java")
    if java is None:
        raise MissingServerError(
            f"Apache Kafka needs Java 17 or later: install it (Debian: openjdk-17-jre-headless), "
            f"or name a running broker in {VARIABLE}"
        )
    return java


def _jars() -> Path:
    """Return the folder of Kafka's jars, filled by Maven the first time."""
    for command in ("kafka-server-start.sh", "kafka-server-start"):
        found = shutil.which(command)
        if found:
            return Path(found).resolve().parent.parent / "libs"
    folder = cache_directory() / f"kafka-{VERSION}"
    if folder.is_dir():
        return folder
    maven = shutil.which("mvn")
    if maven is None:
        raise MissingServerError(
            f"there is no kafka-server-start.sh on the path, no jars in {folder}, and no Maven to fetch "
            f"them: install Kafka or Maven (Debian: maven), or name a running broker in {VARIABLE}"
        )
    with tempfile.TemporaryDirectory(dir=folder.parent) as place:
        Path(place, "pom.xml").write_text(PROJECT)
        command_line = [maven, "-q", "-B", "-f", f"{place}/pom.xml", "dependency:copy-dependencies"]
        _done([*command_line, f"-DoutputDirectory={place}/jars"], FETCH_SECONDS)
        try:
            Path(place, "jars").rename(folder)  # at once, so that nobody finds half of them
        except OSError:
            if not folder.is_dir():
                raise
    return folder


def _done(command: list[str], seconds: float) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)  # noqa: S603 # ours
    except (OSError, subprocess.TimeoutExpired) as error:
        raise MissingServerError(f"{command[0]} failed ({error}); {VARIABLE} may name a broker") from error
    if done.returncode:
        said = (done.stdout + done.stderr)[-2000:]
        raise MissingServerError(f"{' '.join(command[:1])} failed; {VARIABLE} may name a broker:\n{said}")

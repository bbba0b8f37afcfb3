"""A Qdrant that is away, slow or refuses: waited for so long, and then said in our words."""

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from foretaste.adapters.memory.telemetry import MemoryTelemetry
from foretaste.adapters.qdrant.server import QdrantServer
from foretaste.domain.errors import InvalidInputError, UnavailableError
from foretaste.testing.servers.process import free_port

WHO = b'{"title": "qdrant - vector search engine", "version": "1.16.0"}'
COUNTED = b'{"result": {"count": 3}, "status": "ok", "time": 0.0}'


@contextmanager
def answering(*answers: tuple[int, float]) -> Iterator[tuple[str, list[str]]]:
    """Serve these (status, seconds until it comes) in turn, the last for ever; give URL and keys seen."""
    left, keys = list(answers), []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            status, seconds = left.pop(0) if len(left) > 1 else left[0]
            keys.append(self.headers.get("api-key", ""))
            self.rfile.read(int(self.headers["Content-Length"]))
            time.sleep(seconds)
            self.send_response(status)
            self.send_header("Content-Length", str(len(COUNTED)))
            self.end_headers()
            self.wfile.write(COUNTED)

        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", str(len(WHO)))
            self.end_headers()
            self.wfile.write(WHO)

        def log_message(self, *_):
            """Write nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"qdrant://127.0.0.1:{server.server_port}", keys
        finally:
            server.shutdown()


def counted(url: str, **options) -> int:
    with closing(QdrantServer.at(url, MemoryTelemetry(), seconds=1)) as server:
        return server.ask(lambda client: client.count("items").count, **options)


def test_what_passes_is_waited_for():
    with answering((503, 0.0), (429, 0.0), (200, 0.0)) as (url, keys):
        assert counted(url) == 3
    assert len(keys) == 3


def test_a_server_that_stays_away_is_given_up_in_time():
    started = time.monotonic()
    with pytest.raises(UnavailableError, match="does not answer"):
        counted(f"qdrant://127.0.0.1:{free_port()}", seconds=0.5)
    assert time.monotonic() - started < 5.0


def test_building_is_more_patient_than_asking():
    with (
        answering((200, 1.5)) as (url, _),
        closing(QdrantServer.at(url, MemoryTelemetry(), seconds=1)) as server,
    ):
        assert server.build(lambda client: client.count("items").count) == 3


def test_to_build_at_a_server_that_is_not_there_is_given_up_as_soon_as_to_ask():
    started = time.monotonic()
    with (
        closing(QdrantServer.at(f"qdrant://127.0.0.1:{free_port()}", MemoryTelemetry(), seconds=1)) as server,
        pytest.raises(UnavailableError, match="does not answer"),
    ):
        server.build(lambda client: client.count("items").count)
    assert time.monotonic() - started < 5.0


def test_a_server_that_hangs_is_given_up_in_time():
    started = time.monotonic()
    with answering((200, 3.0)) as (url, _), pytest.raises(UnavailableError, match="does not answer"):
        counted(url, seconds=0.5)
    assert time.monotonic() - started < 10.0


@pytest.mark.parametrize(("status", "words"), [(401, "key"), (403, "key"), (404, "built anew"), (400, "400")])
def test_what_will_not_pass_is_said_at_once(status, words):
    with answering((status, 0.0)) as (url, keys), pytest.raises(UnavailableError, match=words):
        counted(url)
    assert len(keys) == 1


@pytest.mark.filterwarnings("ignore:Api key is used with an insecure connection")
def test_the_key_of_the_url_is_sent_and_in_no_message():
    with answering((401, 0.0)) as (url, keys):
        with pytest.raises(UnavailableError) as caught:
            counted(url.replace("qdrant://", "qdrant://:s%2Fecret@"))
        assert keys == ["s/ecret"]
        assert "ecret" not in caught.value.message


@pytest.mark.parametrize(
    "url", ["qdrant://", "redis://host", "nonsense", "qdrant://host:port", "qdrant://h:99999"]
)
def test_an_url_that_is_none_is_refused(url):
    with pytest.raises(InvalidInputError, match="no URL of a Qdrant server"):
        QdrantServer.at(url, MemoryTelemetry())


def test_time_is_measured_whatever_comes_of_it():
    telemetry = MemoryTelemetry()
    with (
        answering((404, 0.0)) as (url, _),
        closing(QdrantServer.at(url, telemetry)) as server,
        pytest.raises(UnavailableError),
    ):
        server.ask(lambda client: client.count("items"), measured="qdrant_search_duration_seconds")
    assert "qdrant_search_duration_seconds_count 1" in telemetry.exposition().decode()

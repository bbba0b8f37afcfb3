"""A worker that stands alone tells its measures, and what keeps it from its work."""

import json
import socket
import urllib.error
import urllib.request

import pytest
from worked_stream import click, send, streams_in

from foretaste.app.archiving import ArchiveTask
from foretaste.app.settings import Settings
from foretaste.app.wiring import home_in_memory
from foretaste.app.worker_http import page, told_over_http, worker_health
from foretaste.app.worker_wiring import open_worker
from foretaste.domain.errors import CorruptDataError, UnavailableError
from foretaste.testing.contracts.telemetry import samples
from foretaste.testing.waiting import until
from foretaste.testing.working import working

HOST = "127.0.0.1"


def fetched(address, path, method="GET"):
    request = urllib.request.Request(address + path, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.headers["content-type"], answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers["content-type"], error.read()


def test_measures_and_health_are_told_over_http(home, broker):
    send(broker, *[click(number) for number in range(20)])
    with working(home, streams_in(broker)), told_over_http(home, HOST, 0) as address:
        until(lambda: home.state.seq == 20)
        status, media, body = fetched(address, "/metrics")
        assert (status, media.partition(";")[0]) == (200, "text/plain")
        assert {"state_seq 20", "worker_leads 1"} <= {
            line.removesuffix(".0") for line in body.decode().split("\n")
        }
        assert json.loads(fetched(address, "/health/live")[2]) == {"status": "alive"}
        status, _, body = fetched(address, "/health/ready?")
        assert (status, json.loads(body)["status"], json.loads(body)["events"]) == (200, "ready", 20)


def test_another_path_says_which_there_are(home):
    with told_over_http(home, HOST, 0) as address:
        status, media, body = fetched(address, "/")
        assert (status, media) == (404, "application/problem+json")
        assert "/health/ready" in json.loads(body)["detail"]
        assert fetched(address, "/health/live", "HEAD")[2] == b""


def test_a_port_that_is_taken_is_said_to_be_so(home):
    with (
        socket.create_server((HOST, 0)) as taken,
        pytest.raises(UnavailableError, match="--metrics-port"),
        told_over_http(home, HOST, taken.getsockname()[1]),
    ):
        pass


def test_a_worker_whose_stream_is_away_is_not_ready_until_it_is_back(home, broker):
    broker.available = False
    with working(home, streams_in(broker)):
        until(lambda: page(home, "/health/ready").status == 503)
        assert "the stream" in worker_health(home).wrong[0]
        broker.available = True
        until(lambda: page(home, "/health/ready").status == 200)


def test_a_task_that_is_given_up_is_named(broker, monkeypatch):
    def other_log(_task, _stopped):
        raise CorruptDataError("the archive of another log")

    monkeypatch.setattr(ArchiveTask, "run_once", other_log)
    monkeypatch.setattr("foretaste.app.worker_wiring.open_archive", lambda _url, namespace: namespace)
    settings = Settings(archive_url="anywhere", publish_log=False)
    with home_in_memory(settings) as archived, working(archived, streams_in(broker)):
        until(lambda: worker_health(archived).wrong)
        assert worker_health(archived).wrong == (
            "archive is given up until a new start: the archive of another log",
        )


def test_a_task_that_ends_in_an_error_nobody_foresaw_is_named(broker, monkeypatch):
    def broken(_task, _stopped):
        raise RuntimeError("nobody thought of this")

    monkeypatch.setattr(ArchiveTask, "run_once", broken)
    monkeypatch.setattr("foretaste.app.worker_wiring.open_archive", lambda _url, namespace: namespace)
    settings = Settings(archive_url="anywhere", publish_log=False)
    with home_in_memory(settings) as archived, working(archived, streams_in(broker)):
        until(lambda: worker_health(archived).wrong, seconds=30.0)
        assert "nobody thought of this" in worker_health(archived).wrong[0]


def test_a_worker_that_ends_in_an_error_nobody_foresaw_is_not_ready(home, broker, monkeypatch):
    with open_worker(home, streams_in(broker)) as worker:
        monkeypatch.setattr(worker._ingest, "run_once", lambda _seconds: 1 // 0)
        with pytest.raises(ZeroDivisionError):
            worker.run()
        assert "until a new start" in worker_health(home).wrong[0]


def test_how_far_the_archive_is_behind_is_measured(broker, tmp_path):
    settings = Settings(archive_url=str(tmp_path / "archive"), publish_log=False)
    send(broker, *[click(number) for number in range(7)])
    with home_in_memory(settings) as archived, working(archived, streams_in(broker)):
        until(lambda: archived.state.seq == 7)
        until(lambda: measured(archived)["archive_lag_seconds"] > 0.0)
        assert measured(archived)["archive_lag_events"] == 7


def measured(home):
    home.measure()
    return {name[0]: value for name, value in samples(home.telemetry).items()}

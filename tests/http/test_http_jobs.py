"""`/retrain` and `/jobs`: training beside the service."""

import sys

import pytest
from asgi_client import FILMS, PAST, Client, problem

from foretaste.app.retraining.retraining import Retraining
from foretaste.app.settings import Settings
from foretaste.app.wiring import open_home
from foretaste.testing.waiting import until

IDLE = (sys.executable, "-c", "import sys; sys.stdin.read()")


@pytest.fixture
def client(tmp_path):
    with open_home(tmp_path / "home", settings=Settings(sources=("popularity",)), create=True) as home:
        home.put_items(FILMS)
        home.recorder.record(PAST, now=Client(home).now)
        with Retraining(home, command=IDLE) as retraining:
            yield Client(home, retraining=retraining)


@pytest.fixture
def training(tmp_path):
    """A service that really trains."""
    with open_home(tmp_path / "home", settings=Settings(sources=("popularity",)), create=True) as home:
        home.put_items(FILMS)
        home.recorder.record(PAST, now=Client(home).now)
        with Retraining(home) as retraining:
            yield Client(home, retraining=retraining)


def test_a_training_is_accepted_as_a_job_that_can_be_followed(client):
    begun = client.post("/retrain", {"effort": "quick", "seed": 4})
    assert begun.status == 202
    job = begun.json
    assert (job["state"], job["state_seq"]) == ("running", len(PAST))
    assert job["order"] == {"effort": "quick", "seed": 4, "publish": True, "fresh": False}
    assert client.get(f"/jobs/{job['job_id']}").json == job
    listed = client.get("/jobs").json
    assert listed["running"] == job["job_id"]
    assert [one["job_id"] for one in listed["jobs"]] == [job["job_id"]]


def test_the_body_may_be_left_out(client):
    assert client.post("/retrain", b"").status == 202


@pytest.mark.parametrize("body", [b"[", b'{"effort": "heroic"}', b'{"sede": 1}', b'{"seed": -1}', b"7"])
def test_a_body_that_says_something_else_is_refused(client, body):
    assert "how to train" in problem(client.post("/retrain", body), 400)["detail"]


def test_one_job_at_a_time_and_the_refusal_names_it(client):
    running = client.post("/retrain", b"").json["job_id"]
    refused = client.post("/retrain", b"")
    assert running in problem(refused, 409)["detail"]
    assert int(refused.headers["retry-after"]) > 0


def test_a_cancelled_job_says_so_and_makes_room(client):
    running = client.post("/retrain", b"").json["job_id"]
    assert client.send("DELETE", f"/jobs/{running}").json["state"] == "cancelled"
    assert client.send("DELETE", f"/jobs/{running}").json["state"] == "cancelled"
    assert client.get("/jobs").json["running"] is None
    assert client.post("/retrain", b"").status == 202


def test_an_unknown_job_is_not_found(client):
    problem(client.get("/jobs/nope"), 404)
    problem(client.send("DELETE", "/jobs/20260101T000000-abcdef"), 404)


def test_a_page_of_another_site_trains_and_cancels_nothing(client):
    running = client.post("/retrain", b"").json["job_id"]
    problem(client.send("DELETE", f"/jobs/{running}", origin="https://elsewhere.example"), 403)
    assert client.get(f"/jobs/{running}").json["state"] == "running"
    problem(client.post("/retrain", b"", origin="https://elsewhere.example"), 403)


def test_a_service_in_memory_has_no_jobs(empty):
    assert empty.get("/jobs").json == {"running": None, "jobs": []}
    problem(empty.post("/retrain", b""), 503)


def test_answers_go_on_while_a_job_trains_and_come_from_its_model_then(training):
    assert training.get("/recommend/ann").json["model_version"] == "untrained"
    job_id = training.post("/retrain", b"").json["job_id"]
    seen: list[tuple[int, str]] = []

    def served():
        answer = training.get("/recommend/ann")
        seen.append((answer.status, answer.json["model_version"]))
        return seen[-1][1] != "untrained"

    until(served)
    job = until(lambda: (found := training.get(f"/jobs/{job_id}").json)["ended_at"] and found)
    assert job["state"] == "succeeded"
    assert {status for status, _ in seen} == {200}
    assert {version for _, version in seen} == {"untrained", job["model_version"]}
    assert job["report"]["version"] == job["model_version"]
    assert 'retrain_jobs_total{state="succeeded"} 1' in until(
        lambda: (text := training.get("/metrics").body.decode()).count("retrain_jobs_total{") and text
    )

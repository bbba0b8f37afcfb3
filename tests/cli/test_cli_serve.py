"""`foretaste serve` and `demo`: a process of their own, beside which the other commands work."""

import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from foretaste.app import datasets
from foretaste.app.cli import demo, serve
from foretaste.app.recommender import Recommender

NOW = 1_800_000_000_000_000
PROGRAM = [sys.executable, "-W", "error", "-m", "foretaste.app.cli"]


@pytest.fixture
def home(tmp_path):
    """A small trained home."""
    events = datasets.synthetic(n_users=25, n_items=20, n_events=700, seed=4).events
    Recommender.train(events, home=tmp_path / "home").close()
    return tmp_path / "home"


@contextmanager
def serving(home: Path):
    """Give a client of `foretaste serve` and its process, which is stopped in the end."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FORETASTE_")}
    command = [*PROGRAM, "serve", "--home", str(home), "--port", "0", "--json"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
    try:
        announced = json.loads(process.stderr.readline())
        with httpx.Client(base_url=announced["address"], timeout=30) as client:
            yield client, process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_serve_announces_its_address_answers_and_ends_on_a_signal(home, number):
    snapshot = home / "state.safetensors"
    before = snapshot.read_bytes()
    with serving(home) as (client, process):
        assert client.get("/health/ready").status_code == 200
        answer = client.post("/events", json={"user_id": "u1", "item_id": "i2", "type": "purchase"})
        assert answer.status_code == 202
        items = client.get("/recommend/u1", params={"k": 20}).json()["items"]
        assert items
        assert "i2" not in [item["item_id"] for item in items]
        process.send_signal(number)
        assert process.wait(timeout=30) == 0
    assert snapshot.read_bytes() != before
    with Recommender.open(home) as rec:
        assert rec.home.state.seq == 701


def test_other_commands_work_beside_a_running_service(foretaste, home, shop_files):
    with serving(home) as (client, _):
        first = client.get("/recommend/u1").json()["model_version"]
        client.post("/events", json={"user_id": "late", "item_id": "i2", "type": "click"})
        assert foretaste("recommend", "late", "--home", home, "--json").json["source"] == "personalized"
        refused = foretaste("ingest", "events", shop_files / "log.parquet", "--home", home)
        assert refused.code == 4
        assert "POST /events" in refused.err
        report = foretaste("train", "--home", home, "--seed", "8", "--json").json
        assert report["promoted"]
        served = first
        while served == first:
            served = client.get("/recommend/u1").json()["model_version"]
        assert served == report["version"]
        assert foretaste("doctor", "--home", home).code == 0


def test_events_of_a_killed_service_are_there_again(home):
    with serving(home) as (client, process):
        assert (
            client.post("/events", json={"user_id": "u1", "item_id": "i2", "type": "like"}).status_code == 202
        )
        process.kill()
        process.wait()
    with Recommender.open(home) as rec:
        assert rec.home.state.seq == 701


def test_a_port_that_is_taken_is_exit_code_4(foretaste, home):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        outcome = foretaste("serve", "--home", home, "--port", other.getsockname()[1])
    assert outcome.code == 4
    assert "--port" in outcome.err


@pytest.mark.parametrize("host", ["shop.invalid", "192.0.2.1"])
def test_an_address_of_no_interface_is_told_from_a_port_that_is_taken(foretaste, home, host):
    outcome = foretaste("serve", "--home", home, "--host", host, "--port", "0")
    assert outcome.code == 4
    assert "--host" in outcome.err
    assert "--port" not in outcome.err


def test_an_untrained_home_is_served_too(foretaste, monkeypatch):
    answered = []

    def one_question(home, listener):
        answered.append((listener.getsockname()[0], Recommender(home).recommend("anyone").source))

    monkeypatch.setattr(serve, "serve_until_stopped", one_question)
    outcome = foretaste("serve", "--port", "0")
    assert outcome.code == 0
    assert "no model is trained yet" in outcome.err
    assert answered == [("127.0.0.1", "trending")]


def test_a_damaged_model_is_said_and_the_service_goes_on_without(foretaste, home, monkeypatch):
    weights = max((home / "models").rglob("*.safetensors"), key=lambda path: path.stat().st_size)
    weights.write_bytes(b"")
    answered = []
    monkeypatch.setattr(
        serve, "serve_until_stopped", lambda home, _: answered.append(Recommender(home).recommend("u1"))
    )
    outcome = foretaste("serve", "--home", home, "--port", "0")
    assert outcome.code == 0
    assert weights.name in outcome.err
    assert len(answered[0]) > 0


@pytest.fixture
def small_demo(monkeypatch, tmp_path):
    """The demonstration on made-up data, serving one look instead of a port; gives what was looked at."""
    seen = []

    def look(home, listener):
        seen.append((home.log.last_seq(), home.artifact.version, serve.address_of(listener)))
        Recommender(home).record(user_id="visitor", item_id="i1", type="click")

    monkeypatch.setenv("FORETASTE_CACHE", str(tmp_path / "cache"))
    data = datasets.synthetic(n_users=25, n_items=20, n_events=700, seed=4).events
    monkeypatch.setattr(demo, "movielens_100k", lambda: data)
    monkeypatch.setattr(demo, "serve_until_stopped", look)
    monkeypatch.setattr(demo, "system_clock", lambda: NOW)
    return seen


def test_the_demo_goes_from_data_to_service_and_says_each_step(foretaste, small_demo):
    outcome = foretaste("demo", "--port", "0", "--no-open")
    assert outcome.code == 0
    steps = [json.loads(line)["step"] for line in outcome.err.splitlines() if line.startswith("{")]
    assert [step.partition(":")[0] for step in steps[:2]] == ["data", "home"]
    assert "serving on http://127.0.0.1:" in outcome.err
    assert small_demo[0][0] == 700


@pytest.mark.usefixtures("small_demo")
def test_the_demo_begins_at_the_moment_of_its_last_event(foretaste, monkeypatch):
    moments = []
    monkeypatch.setattr(
        demo, "serve_until_stopped", lambda home, _: moments.append(home.log.read(0, 1000).time.max())
    )
    foretaste("demo", "--port", "0", "--no-open")
    assert moments == [NOW]


def test_the_demo_goes_on_where_it_was_and_begins_again_when_told(foretaste, small_demo):
    foretaste("demo", "--port", "0", "--no-open")
    foretaste("demo", "--port", "0", "--no-open")
    foretaste("demo", "--port", "0", "--no-open", "--fresh")
    assert [events for events, _, _ in small_demo] == [700, 701, 700]
    assert len({version for _, version, _ in small_demo}) == 1


def test_the_demo_opens_the_browser_unless_told_not_to(foretaste, small_demo, monkeypatch):
    opened = []
    monkeypatch.setattr(demo.webbrowser, "open", opened.append)
    foretaste("demo", "--port", "0")
    monkeypatch.setenv("OPEN", "0")
    foretaste("demo", "--port", "0")
    assert opened == [small_demo[0][2]]


def test_the_demo_never_touches_a_home_that_is_not_its_own(foretaste, small_demo, home):
    before = sorted(home.rglob("*"))
    outcome = foretaste("demo", "--home", home, "--fresh", "--no-open", "--port", "0")
    assert outcome.code == 2
    assert "holds something else" in outcome.err
    assert sorted(home.rglob("*")) == before
    assert small_demo == []


def test_addresses_are_shown_as_a_browser_takes_them():
    listener = serve.bind("0.0.0.0", 0)  # noqa: S104 # closed at once
    assert serve.address_of(listener).startswith("http://127.0.0.1:")
    listener.close()


def test_the_package_is_a_program_of_its_own(home):
    command = [*PROGRAM, "recommend", "u1", "--home", str(home), "-k", "1"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "for user u1" in done.stdout

"""Processes of one service are killed while it answers: others go on, nothing acknowledged is lost."""

import json
import random
from contextlib import closing, suppress
from http.client import HTTPConnection, HTTPException
from threading import Event, Thread

import pytest

from foretaste.app.wiring import open_home
from foretaste.testing.many_processes import Worker, many_processes
from foretaste.testing.rounds import assert_none_lost_or_doubled, kill_rounds
from foretaste.testing.waiting import until

ROUNDS = kill_rounds(2)
CLIENTS = 4
EVENT = {"user_id": "u1", "item_id": "i3", "type": "click"}


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """A service of a keeper and two workers, and its home: who is killed comes back."""
    home = tmp_path_factory.mktemp("killed") / "home"
    with many_processes(home, 2) as running:
        yield running, home


class Clients:
    """Threads that send numbered events, each until it is acknowledged; `acknowledged` gives its number."""

    def __init__(self, port):
        self.acknowledged = {}
        self._port = port
        self._ended = Event()
        self._threads = [Thread(target=self._run, args=(place,)) for place in range(CLIENTS)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _run(self, place):
        number = place
        while not self._ended.is_set():
            with suppress(OSError, HTTPException), closing(Worker(self._port)) as worker:
                while not self._ended.is_set():
                    named = {**EVENT, "event_id": f"e{number}", "user_id": f"u{number % 7}"}
                    status, receipt = worker.ask("POST", "/events", named)
                    assert status in {202, 503}, receipt
                    if status == 202:
                        self.acknowledged[f"e{number}"] = receipt["events"][0]["seq"]
                        number += CLIENTS


def test_what_was_acknowledged_outlives_kills_of_keeper_and_workers(service):
    running, home = service
    chance = random.Random(1)
    begun = stored_in(home)
    with Clients(running.port) as clients:
        for kills in range(ROUNDS):
            victim = ("keeper", "reader-0", "reader-1")[kills % 3]
            before = len(clients.acknowledged)
            wanted = before + chance.randrange(20, 200)
            until(lambda: len(clients.acknowledged) > wanted)  # noqa: B023
            was = running.processes()[victim]
            running.kill(victim)
            last = max(clients.acknowledged.values())
            until(lambda: running.processes().get(victim, was) != was)  # noqa: B023
            for name in ("reader-0", "reader-1"):
                with closing(running.worker(name)) as worker:
                    assert worker.recommend("u1")[1] >= last
    stored = [name for name in stored_in(home) if name not in begun]
    assert_none_lost_or_doubled("keeper and workers", ROUNDS, clients.acknowledged.keys(), stored)


def test_without_the_keeper_answers_go_on_and_writes_are_refused_until_it_is_back(service):
    running, _ = service
    with closing(running.worker("reader-1")) as worker:
        seq = worker.record("u8", "i8")
        running.kill("keeper")
        refused = 0
        while (outcome := worker.ask("POST", "/events", {**EVENT, "user_id": "u9"}))[0] != 202:
            assert outcome[0] == 503
            assert "keeper" in outcome[1]["detail"]
            source, state_seq, shown = worker.recommend("u9")
            assert (source == "stale", state_seq) == (False, seq)
            assert "i8" in shown
            refused += "keeper" in " ".join(worker.ask("GET", "/health/ready")[1]["wrong"])
        assert refused
        assert outcome[1]["state_seq"] == seq + 1
        until(lambda: worker.ask("GET", "/health/ready")[1]["wrong"] == [])


def send_until_refused(port, outcomes):
    """Send events, each in the connection of the one before if it is kept, until nobody takes connections."""
    sent_in_it = 0
    with closing(HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        while True:
            try:
                connection.request("POST", "/events", json.dumps(EVENT), {"content-type": "application/json"})
                answer = connection.getresponse()
                answer.read()
            except (OSError, HTTPException):
                if sent_in_it:
                    outcomes.append("a request was lost in a connection that was kept")
                return
            outcomes.append(answer.status)
            sent_in_it = 0 if answer.will_close else sent_in_it + 1


def test_a_service_that_is_told_to_end_loses_no_request_and_no_event(tmp_path):
    outcomes = []
    with many_processes(tmp_path / "home", 2) as running:
        clients = [Thread(target=send_until_refused, args=(running.port, outcomes)) for _ in range(CLIENTS)]
        for client in clients:
            client.start()
        until(lambda: len(outcomes) > 20)
        assert running.end() == 0
        for client in clients:
            client.join()
    assert set(outcomes) == {202}
    assert len(stored_in(tmp_path / "home")) == len(outcomes)


def stored_in(home):
    """Return the ids of all events in the log, in its order."""
    with open_home(home, read_only=True, with_model=False) as opened:
        return [event.event_id for _, event in opened.log.events(0, 10**6)]

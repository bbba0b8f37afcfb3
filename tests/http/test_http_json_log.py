"""Logs as JSON lines: what was asked, how it ended and how long it took, without ids of people."""

import json
import logging

import pytest
from asgi_client import Client, did

from foretaste.app.http.json_log import JsonLines, RequestLog
from foretaste.serving.answerer import Answerer


@pytest.fixture
def logged(home):
    """A client whose requests are logged, and the lines."""
    client, lines = Client(home), []
    client.app = RequestLog(client.app, write=lines.append)
    return client, lines


def test_a_request_is_told_by_its_route_without_who_asked(logged):
    client, lines = logged
    client.get("/recommend/ann?k=2")
    (line,) = lines
    assert (line["kind"], line["method"], line["path"]) == ("request", "GET", "/recommend/{user_id}")
    assert (line["status"], line["level"]) == (200, "info")
    assert line["milliseconds"] > 0.0
    assert "ann" not in json.dumps(line)


def test_events_are_interactions(logged):
    client, lines = logged
    client.post("/events", [did("ann", "big")])
    assert (lines[0]["kind"], lines[0]["status"]) == ("interaction", 202)


def test_what_fails_inside_is_an_error(logged, monkeypatch):
    client, lines = logged
    monkeypatch.setattr(Answerer, "recommend", lambda *_, **__: 1 / 0)
    client.get("/recommend/ann")
    assert (lines[0]["kind"], lines[0]["level"], lines[0]["status"]) == ("error", "error", 500)


def test_what_is_not_there_has_no_route(logged):
    client, lines = logged
    client.get("/nothing/here/ann")
    assert (lines[0]["path"], lines[0]["status"]) == (None, 404)


def test_a_setting_lets_addresses_in(home):
    client, lines = Client(home), []
    client.app = RequestLog(client.app, write=lines.append, personal=True)
    client.get("/recommend/ann")
    assert lines[0]["address"] == "/recommend/ann"


def test_the_programs_own_words_are_json_too():
    try:
        int("broken")
    except ValueError as error:
        caught = (type(error), error, error.__traceback__)
    record = logging.LogRecord("foretaste.app", logging.ERROR, "f", 1, "model %s failed", ("v1",), caught)
    line = json.loads(JsonLines().format(record))
    assert (line["level"], line["logger"], line["message"]) == ("error", "foretaste.app", "model v1 failed")
    assert "ValueError: invalid literal" in line["error"]

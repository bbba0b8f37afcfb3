"""When a client asks again, how long it waits, and what it says in the end."""

import asyncio
import json

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted_service import Scripted, problem

from foretaste.client import (
    AsyncClient,
    BusyError,
    Client,
    ConflictError,
    NoAnswerError,
    NotAllowedError,
    Patience,
    ServiceFailedError,
    TimedOutError,
    UnreadableAnswerError,
)
from foretaste.client.answers import Health
from foretaste.client.calls import Call

RECEIPT = {"accepted": 1, "duplicates": 0, "rejected": 0, "state_seq": 7, "events": []}
READY = {"status": "ready"}


def answered(content):
    return lambda _: httpx.Response(200, json=content)


def test_a_busy_service_is_asked_again_after_what_it_asks_for():
    service = Scripted(problem(503, headers={"Retry-After": "2"}), answered(READY))
    assert service.client().health().status == "ready"
    assert service.pauses == [2.05]


def test_pauses_grow_and_end():
    service = Scripted(problem(503))
    with pytest.raises(BusyError, match="not now"):
        service.client(patience=Patience(retries=3, first_pause=1.0, longest_pause=2.0)).health()
    assert service.pauses == [0.5, 1.0, 1.0]
    assert len(service.requests) == 4


def test_a_service_that_asks_for_too_much_patience_is_not_asked_again():
    service = Scripted(problem(429, headers={"Retry-After": "3600"}))
    with pytest.raises(BusyError) as refused:
        service.client().health()
    assert refused.value.retry_after == 3600
    assert service.pauses == []


def test_a_retried_event_keeps_its_id():
    service = Scripted(problem(503), httpx.ConnectError("gone"), answered(RECEIPT))
    service.client().record(user_id="u", item_id="i", type="click")
    sent = [json.loads(request.content) for request in service.requests]
    assert len(sent) == 3
    assert sent[0][0]["event_id"]
    assert sent[0] == sent[1] == sent[2]


def test_what_may_not_be_repeated_is_sent_once():
    service = Scripted(problem(503, headers={"Retry-After": "1"}))
    with pytest.raises(BusyError):
        service.client().send(Call("POST", "/retrain", Health, b"{}", repeatable=False))
    assert len(service.requests) == 1


@pytest.mark.parametrize(
    ("status", "kind"), [(403, NotAllowedError), (409, ConflictError), (500, ServiceFailedError)]
)
def test_other_refusals_are_final(status, kind):
    service = Scripted(problem(status, detail="no"))
    with pytest.raises(kind, match="no"):
        service.client().health()
    assert len(service.requests) == 1


def test_a_service_that_is_away_and_one_that_is_slow_are_told_apart():
    with pytest.raises(NoAnswerError, match="refused"):
        Scripted(httpx.ConnectError("refused")).client().health()
    with pytest.raises(TimedOutError, match="within 5 s"):
        Scripted(httpx.ReadTimeout("slow")).client().health()


def test_a_timeout_of_a_call_goes_along():
    service = Scripted(answered({"recommendation_id": "r", "items": []}))
    client = service.client()
    client.recommend("u", timeout=0.25)
    client.recommend("u")
    assert service.requests[0].headers["X-Request-Timeout"] == "0.25"
    assert service.requests[0].extensions["timeout"]["read"] == 0.25
    assert "X-Request-Timeout" not in service.requests[1].headers


def test_what_a_newer_service_says_besides_is_not_read():
    service = Scripted(answered(READY | {"mood": "sunny"}))
    assert service.client().health().status == "ready"


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}", b"\xff"])
def test_an_answer_of_something_else_is_said_so(body):
    with pytest.raises(UnreadableAnswerError, match="address of a Foretaste service"):
        Scripted(httpx.Response(200, content=body)).client().health()


def test_a_refusal_that_is_no_problem_document_is_shown():
    with pytest.raises(BusyError, match="Bad gateway"):
        Scripted(httpx.Response(502, content=b"Bad gateway")).client().health()


def test_headers_go_with_every_request():
    service = Scripted(answered(READY))
    service.client(headers={"Authorization": "Bearer t"}).health()
    assert service.requests[0].headers["Authorization"] == "Bearer t"


def test_the_asynchronous_client_waits_without_blocking():
    service, pauses = Scripted(problem(503), answered(READY)), []

    async def ask():
        async def pause(seconds):
            pauses.append(seconds)

        transport = httpx.MockTransport(service)
        async with AsyncClient(transport=transport, sleep=pause, draw=lambda: 0.5) as client:
            return await client.health()

    assert asyncio.run(ask()).status == "ready"
    assert pauses == [0.05]


@given(
    attempt=st.integers(0, 60), drawn=st.floats(0, 1, exclude_max=True), asked=st.floats(0, 10) | st.none()
)
def test_a_pause_is_never_shorter_than_asked_nor_longer_than_allowed(attempt, drawn, asked):
    patience = Patience(retries=61, first_pause=0.1, longest_pause=10.0)
    error = BusyError("busy", status=503, retry_after=asked)
    pause = patience.pause(error, attempt, lambda: drawn)
    assert (asked or 0.0) <= pause <= 10.0 + 0.1


def test_both_clients_have_the_same_methods():
    ours = {name for name in dir(Client) if not name.startswith("_")} - {"close"}
    theirs = {name for name in dir(AsyncClient) if not name.startswith("_")} - {"aclose"}
    assert ours == theirs
    assert Client.recommend.__doc__ == AsyncClient.recommend.__doc__

"""Events handed over at once and sent in the background: none lost, none doubled, bounds kept."""

import asyncio
import json
import os
import subprocess
import sys
import threading

import httpx
import pytest
from scripted_service import Scripted, problem

from foretaste.client import (
    Batching,
    BusyError,
    Client,
    ClosedError,
    EventBatcher,
    NoAnswerError,
    Patience,
    QueueFullError,
    Tally,
)

AT_ONCE = Patience(retries=0)
QUICK = Batching(size=10, seconds=60.0, most=50, pause=0.0)


def click(n):
    return {"user_id": "u", "item_id": f"i{n}", "type": "click", "event_id": f"e{n}"}


def taken(request):
    """Accept what a request holds; an item called `bad` is rejected."""
    events = json.loads(request.content)
    statuses = [
        {"status": "rejected" if event["item_id"] == "bad" else "accepted", "reason": "no such thing"}
        for event in events
    ]
    bad = sum(status["status"] == "rejected" for status in statuses)
    body = {
        "accepted": len(events) - bad,
        "duplicates": 0,
        "rejected": bad,
        "state_seq": 1,
        "events": statuses,
    }
    return httpx.Response(202, json=body)


def sent(service):
    return [[event["event_id"] for event in json.loads(request.content)] for request in service.requests]


def test_events_go_in_few_requests_in_their_order():
    service = Scripted(taken)
    with EventBatcher(service.client(), QUICK) as batcher:
        for n in range(25):
            batcher.add(click(n))
        assert batcher.flush() == Tally(accepted=25)
    assert [one for batch in sent(service) for one in batch] == [f"e{n}" for n in range(25)]
    assert max(map(len, sent(service))) <= 10


def test_closing_sends_what_waits_and_takes_no_more():
    service = Scripted(taken)
    batcher = EventBatcher(service.client(), QUICK)
    batcher.add(click(1))
    assert batcher.close() == Tally(accepted=1)
    with pytest.raises(ClosedError):
        batcher.add(click(2))


def test_an_event_without_an_id_gets_one_and_it_is_told():
    service = Scripted(taken)
    with EventBatcher(service.client(), QUICK) as batcher:
        event_id = batcher.add({"user_id": "u", "item_id": "i", "type": "view"})
    assert sent(service) == [[event_id]]


def test_a_lone_event_does_not_wait_for_company_for_ever():
    arrived = threading.Event()

    def answer(request):
        arrived.set()
        return taken(request)

    with EventBatcher(Scripted(answer).client(), Batching(seconds=0.01)) as batcher:
        batcher.add(click(1))
        assert arrived.wait(10)


def test_a_full_queue_refuses_and_says_why():
    service = Scripted(httpx.ConnectError("gone"))
    batcher = EventBatcher(service.client(patience=AT_ONCE), Batching(size=5, seconds=60.0, most=5))
    for n in range(5):
        batcher.add(click(n))
    with pytest.raises(QueueFullError, match="5 events wait"):
        batcher.add(click(6))
    with pytest.raises(NoAnswerError):
        batcher.close(timeout=0.2)


def test_what_fails_is_sent_again_in_order_and_not_lost():
    service = Scripted(problem(503), httpx.ReadTimeout("slow"), taken)
    with EventBatcher(service.client(patience=AT_ONCE), QUICK) as batcher:
        for n in range(12):
            batcher.add(click(n))
        assert batcher.flush() == Tally(accepted=12)
    batches = sent(service)
    assert batches[0] == batches[1] == batches[2]
    assert [one for batch in batches[2:] for one in batch] == [f"e{n}" for n in range(12)]


def test_a_flush_that_does_not_succeed_says_what_failed():
    service = Scripted(problem(503, detail="the disk is full"))
    batcher = EventBatcher(service.client(patience=AT_ONCE), Batching(seconds=0.0, pause=60.0))
    batcher.add(click(1))
    with pytest.raises(BusyError, match="the disk is full"):
        batcher.close(timeout=0.3)


def test_rejected_events_are_handed_over_with_the_reason():
    told = []
    service = Scripted(taken)
    with EventBatcher(service.client(), QUICK, lambda event, status: told.append((event, status))) as batcher:
        batcher.add(click(1))
        batcher.add(click(2) | {"item_id": "bad"})
        assert batcher.flush() == Tally(accepted=1, rejected=1)
    ((event, status),) = told
    assert (event["event_id"], status.reason) == ("e2", "no such thing")


def test_a_batch_that_is_refused_as_a_whole_is_not_sent_for_ever():
    told = []
    errors = [{"status": "rejected", "reason": "one"}, {"status": "rejected", "reason": "two"}]
    service = Scripted(problem(400, "invalid-event", "all", errors=errors))
    with EventBatcher(service.client(), QUICK, lambda _, status: told.append(status.reason)) as batcher:
        batcher.add(click(1))
        batcher.add(click(2))
        assert batcher.flush().rejected == 2
    assert told == ["one", "two"]


def test_batches_that_are_too_large_become_smaller():
    def bounded(request):
        return taken(request) if len(json.loads(request.content)) <= 3 else problem(413)

    service = Scripted(bounded)
    with EventBatcher(service.client(), QUICK) as batcher:
        for n in range(10):
            batcher.add(click(n))
        assert batcher.flush() == Tally(accepted=10)


def test_in_an_event_loop_nothing_blocks(address):
    async def work():
        with Client(address) as client:
            async with EventBatcher(client) as batcher:
                batcher.add({"user_id": "loop", "item_id": "i1", "type": "click"})
                return await batcher.aflush()

    assert asyncio.run(work()) == Tally(accepted=1)


def test_an_event_that_is_no_json_is_refused_at_once_and_those_after_it_go():
    service = Scripted(taken)
    with EventBatcher(service.client(), QUICK) as batcher:
        with pytest.raises(TypeError, match="object"):
            batcher.add(click(1) | {"context": {"seen": object()}})
        batcher.add(click(2))
        assert batcher.flush(timeout=5.0) == Tally(accepted=1)


def test_who_fails_when_told_of_a_rejected_event_stops_no_others(caplog):
    def fails(_event, _status):
        raise ZeroDivisionError

    with EventBatcher(Scripted(taken).client(), QUICK, on_rejected=fails) as batcher:
        batcher.add(click(1) | {"item_id": "bad"})
        batcher.flush(timeout=5.0)
        batcher.add(click(2))
        assert batcher.flush(timeout=5.0) == Tally(accepted=1, rejected=1)
    assert "ZeroDivisionError" in caplog.text


def test_a_batcher_over_a_closed_client_says_so_without_waiting():
    client = Scripted(taken).client()
    batcher = EventBatcher(client, QUICK)
    client.close()
    batcher.add(click(1))
    with pytest.raises(ClosedError, match="this client was closed"):
        batcher.close(timeout=20.0)


def program(address, text):
    """Run a program that has a client and a batcher that does not send by itself; return what it wrote."""
    began = f"""
import os, sys
from foretaste.client import Batching, Client, EventBatcher
shop = Client({address!r})
events = EventBatcher(shop, Batching(size=500, seconds=600.0))
def view(user, n):
    events.add({{"user_id": user, "item_id": f"i{{n}}", "type": "view"}})
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", began + text],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stdout + done.stderr


def test_a_program_that_ends_without_closing_sends_what_waits(address):
    assert not program(address, "for n in range(20): view('forgetful', n)")
    with Client(address) as shop:
        assert shop.profile("forgetful").total_events == 20


def test_a_program_that_cannot_send_at_its_end_says_how_much_is_lost():
    told = program("http://127.0.0.1:1", "view('nobody', 1); shop.close()")
    assert "1 events were never sent: this client was closed" in told


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system forks nothing")
def test_a_forked_process_sends_its_own_events_over_connections_of_its_own(address):
    told = program(
        address,
        """
shop.health()
view("parent", 1)
child = os.fork()
if not child:
    view("child", 1)
    view("child", 2)
    print(events.flush(20.0).accepted, shop.health().events > 0, flush=True)
    os._exit(0)
os.waitpid(child, 0)
print(events.close().accepted)
""",
    )
    assert told.split() == ["2", "True", "1"]
    with Client(address) as shop:
        assert [shop.profile(user).total_events for user in ("parent", "child")] == [1, 2]

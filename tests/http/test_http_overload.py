"""More requests than can be done: some are answered, others are told at once to come back."""

import json
import select
import socket
import time
from contextlib import ExitStack, contextmanager
from unittest.mock import Mock
from urllib.parse import urlsplit

import pytest
from asgi_client import FILMS
from uvicorn.server import ServerState

from foretaste.app.http.admitting import DRAINED_BYTES, plain_address
from foretaste.app.http.application import create_app
from foretaste.app.http.bounded import BoundedProtocol
from foretaste.app.http.priorities import priority_of
from foretaste.app.http.server import KEEP_ALIVE_SECONDS, server_config
from foretaste.app.settings import Settings
from foretaste.app.wiring import home_in_memory
from foretaste.serving.admission import Admission, AdmissionLimits, Priority
from foretaste.testing.served import served, served_home
from foretaste.testing.waiting import until

RECOMMEND = b"GET /recommend/ann?k=2 HTTP/1.1\r\nHost: x\r\n\r\n"
HEALTH = b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"
EVENT = b'{"user_id": "ann", "item_id": "f1", "type": "click"}'


def posted(body, *headers):
    head = [b"POST /events HTTP/1.1", b"Host: x", b"Content-Length: %d" % len(body), *headers]
    return b"\r\n".join(head) + b"\r\n\r\n" + body


class Closed(Admission):
    """Lets nobody in but health."""

    def __init__(self, telemetry):
        super().__init__(AdmissionLimits(), telemetry)

    def enter(self, priority):
        return priority is Priority.HEALTH


class Full(Closed):
    """Says so before a request is read."""

    def is_full(self, priority):
        return not self.enter(priority)


def exchanged(address, sent, answers=1):
    """Send bytes; return the status, the headers and the JSON of each answer."""
    place, found = urlsplit(address), []
    with socket.create_connection((place.hostname, place.port), timeout=10) as connection:
        connection.sendall(sent)
        received = b""
        while len(found) < answers:
            part = connection.recv(65536)
            assert part, received
            received += part
            while b"\r\n\r\n" in received:
                head, _, rest = received.partition(b"\r\n\r\n")
                headers = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
                length = int(headers[b"content-length"])
                if len(rest) < length:
                    break
                found.append((int(head.split()[1]), headers, json.loads(rest[:length])))
                received = rest[length:]
    return found


@contextmanager
def connected(address):
    """One connection; yields what sends the parts of a request and returns the status of its answer."""
    place = urlsplit(address)
    with socket.create_connection((place.hostname, place.port), timeout=10) as connection:

        def ask(*parts):
            for part in parts:
                connection.sendall(part)
                time.sleep(0.01 * (len(parts) - 1))
            answer = connection.recv(65536)
            assert answer.count(b"HTTP/1.1 ") == 1
            return int(answer.split()[1])

        yield ask


@pytest.fixture(scope="module")
def home():
    with home_in_memory() as opened:
        opened.put_items(FILMS)
        yield opened


@pytest.fixture(params=[Closed, Full])
def refusing(request):
    return request.param


@contextmanager
def closed(home, refusing=Closed):
    """A service that lets nobody in."""
    with served(create_app(home), refusing(home.telemetry)) as address:
        yield address


def test_who_is_turned_away_is_told_why_and_when_to_come_back(home, refusing):
    with closed(home, refusing) as address:
        [(status, headers, problem)] = exchanged(address, RECOMMEND)
    assert status == 503
    assert headers[b"retry-after"] == b"1"
    assert headers[b"content-type"] == b"application/problem+json"
    assert problem["type"] == "urn:foretaste:problem:overloaded"
    assert "try again" in problem["detail"]
    assert problem["error"] == problem["detail"]


def test_health_is_answered_all_the_same(home, refusing):
    with closed(home, refusing) as address:
        assert exchanged(address, HEALTH)[0][0] == 200


def test_the_connection_stays_for_the_next_request(home, refusing):
    with closed(home, refusing) as address:
        answers = exchanged(address, RECOMMEND + posted(EVENT) + HEALTH, 3)
    assert [status for status, _, _ in answers] == [503, 503, 200]


def test_an_event_that_was_turned_away_is_not_recorded(home, refusing):
    before = home.log.last_seq()
    with closed(home, refusing) as address:
        assert exchanged(address, posted(EVENT))[0][0] == 503
    assert home.log.last_seq() == before


def test_a_connection_is_answered_again_after_refusals(home):
    full = Full(home.telemetry)
    with served(create_app(home), full) as address, connected(address) as ask:
        assert [ask(RECOMMEND), ask(RECOMMEND)] == [503, 503]
        full.enter, full.is_full = (lambda _: True), (lambda _: False)
        assert [ask(RECOMMEND), ask(HEALTH)] == [200, 200]


@pytest.mark.parametrize("parts", [(RECOMMEND[:9], RECOMMEND[9:]), (RECOMMEND[:-1], RECOMMEND[-1:])])
def test_a_request_that_comes_in_parts_is_refused_once(home, parts):
    with closed(home, Full) as address, connected(address) as ask:
        assert ask(*parts) == 503
        assert ask(HEALTH) == 200


def test_who_wants_the_connection_to_end_with_a_refusal_is_heard(home):
    with closed(home, Full) as address:
        leaving = RECOMMEND[:-2] + b"CONNECTION: close\r\n\r\n"
        [(status, headers, _)] = exchanged(address, leaving)
    assert (status, headers[b"connection"]) == (503, b"close")


class SlowLoop:
    """An event loop whose time passes as told."""

    def __init__(self):
        self.now, self.timers = 0.0, []

    def time(self):
        return self.now

    def call_later(self, seconds, call):
        self.timers.append((self.now + seconds, call))
        return Mock()

    def pass_to(self, moment):
        self.now = moment
        due = [timer for timer in self.timers if timer[0] <= moment]
        self.timers = [timer for timer in self.timers if timer[0] > moment]
        for _, call in due:
            call()


def test_who_is_refused_is_not_idle(home):
    config = server_config(create_app(home), Full(home.telemetry))
    config.load()
    loop, transport = SlowLoop(), Mock(**{"is_closing.return_value": False})
    protocol = config.http_protocol_class(config=config, server_state=ServerState(), app_state={}, _loop=loop)
    protocol.connection_made(transport)
    protocol.data_received(RECOMMEND)
    loop.timers = [timer for timer in loop.timers if timer[0] == KEEP_ALIVE_SECONDS]
    loop.pass_to(50.0)
    protocol.data_received(RECOMMEND)
    loop.pass_to(KEEP_ALIVE_SECONDS)
    assert not transport.close.called
    loop.pass_to(50.0 + KEEP_ALIVE_SECONDS)
    assert transport.close.called
    assert transport.write.call_count == 2


PLAIN = b"GET /recommend/ann HTTP/1.1\r\nHost: x\r\n\r\n"


def test_a_whole_request_with_nothing_to_be_told_is_plain():
    assert plain_address(PLAIN) == b"/recommend/ann"


@pytest.mark.parametrize(
    "other",
    [
        PLAIN[:-1],
        PLAIN + b"x",
        PLAIN + PLAIN,
        PLAIN.replace(b"GET", b"HEAD"),
        PLAIN.replace(b"1.1", b"1.0"),
        PLAIN.replace(b"/recommend/ann ", b"/recommend/ann"),
        PLAIN.replace(b"GET /", b"GET http://x/"),
        PLAIN.replace(b"Host", b"Content-Length: 3\r\nHost"),
        PLAIN.replace(b"Host", b"TRANSFER-ENCODING: chunked\r\nHost"),
        PLAIN.replace(b"Host", b"Connection: close\r\nHost"),
        b"",
        b"\r\n\r\n",
    ],
)
def test_whatever_may_say_more_is_left_to_the_parser(other):
    assert plain_address(other) is None


def test_a_client_that_waits_before_it_sends_its_body_is_told_at_once(home):
    with closed(home) as address:
        head = posted(EVENT, b"Expect: 100-continue")[: -len(EVENT)]
        [(status, headers, _)] = exchanged(address, head)
    assert (status, headers[b"connection"]) == (503, b"close")


@contextmanager
def turned_away_within_its_body(home):
    """A connection whose request was refused while most of its body is still to come."""
    with closed(home) as address:
        place = urlsplit(address)
        with socket.create_connection((place.hostname, place.port), timeout=10) as connection:
            head = b"POST /events HTTP/1.1\r\nHost: x\r\nContent-Length: 90000000\r\n\r\n"
            connection.sendall(head + b"x" * (DRAINED_BYTES + 1))
            assert select.select([connection], [], [], 10)[0]
            yield connection


def test_a_client_that_still_sends_a_huge_body_sees_its_answer(home):
    with turned_away_within_its_body(home) as connection:
        for _ in range(20):
            connection.sendall(b"x" * 65_536)
            time.sleep(0.005)
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b"connection: close" in answer


def is_cut_off_from(connection):
    """Send a little more; return whether nobody takes it any more."""
    try:
        connection.sendall(b"x" * 1_000)
    except ConnectionError:
        return True
    return False


def test_a_client_that_goes_on_sending_a_huge_body_is_cut_off(home, monkeypatch):
    monkeypatch.setattr(BoundedProtocol, "lingering_seconds", 0.1)
    with turned_away_within_its_body(home) as connection:
        until(lambda: is_cut_off_from(connection))


def test_the_rest_of_a_huge_body_is_not_read(home):
    with closed(home) as address:
        head = b"POST /events HTTP/1.1\r\nHost: x\r\nContent-Length: 90000000\r\n\r\n"
        [(status, headers, _)] = exchanged(address, head + b"x" * 3_000_000)
    assert (status, headers[b"connection"]) == (503, b"close")


def test_requests_sent_ahead_are_refused_in_their_turn(home):
    admission = Admission(AdmissionLimits(most=1), home.telemetry)
    with served(create_app(home), admission) as address:
        answers = exchanged(address, RECOMMEND * 3, 3)
        assert [status for status, _, _ in answers] == [200, 503, 503]
        assert exchanged(address, RECOMMEND)[0][0] == 200
    assert admission.under_way == 0


def test_a_client_that_leaves_makes_room(home):
    admission = Admission(AdmissionLimits(most=1), home.telemetry)
    with served(create_app(home), admission) as address:
        place = urlsplit(address)
        with socket.create_connection((place.hostname, place.port)) as connection:
            connection.sendall(posted(EVENT)[:-1])
            until(lambda: admission.under_way == 1)
        until(lambda: admission.under_way == 0)


def test_one_connection_too_many_is_told_so():
    with home_in_memory(Settings(connections=2)) as own, served_home(own) as address:
        place = urlsplit(address)
        with ExitStack() as opened:
            for _ in range(2):
                opened.enter_context(socket.create_connection((place.hostname, place.port)))
            [(status, headers, _)] = exchanged(address, b"")
            assert (status, headers[b"connection"]) == (503, b"close")
        until(lambda: exchanged(address, HEALTH)[0][0] == 200)


def send_for_ever(connection, sent):
    while True:
        connection.sendall(sent)


def test_a_client_that_does_not_read_is_left(home, monkeypatch):
    monkeypatch.setattr(BoundedProtocol, "stuck_seconds", 0.05)
    with served(create_app(home)) as address:
        place = urlsplit(address)
        with socket.create_connection((place.hostname, place.port), timeout=10) as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            with pytest.raises(OSError, match=r"reset|[Bb]roken"):
                send_for_ever(connection, b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 100)


def timed(seconds):
    return RECOMMEND[:-2] + b"X-Request-Timeout: " + seconds + b"\r\n\r\n"


def test_a_request_within_its_time_is_answered(home):
    with served_home(home) as address:
        assert exchanged(address, timed(b"30"))[0][0] == 200


def test_a_request_whose_time_is_over_is_not_worked_on(home):
    with served_home(home) as address:
        [(status, headers, problem)] = exchanged(address, timed(b"0.0000001"))
    assert (status, headers[b"retry-after"]) == (503, b"1")
    assert problem["type"] == "urn:foretaste:problem:too-late"


@pytest.mark.parametrize("seconds", [b"soon", b"-1", b"0", b"nan", b"inf"])
def test_a_time_that_is_none_is_refused(home, seconds):
    with served_home(home) as address:
        [(status, _, problem)] = exchanged(address, timed(seconds))
    assert status == 400
    assert "X-Request-Timeout" in problem["detail"]


@pytest.mark.parametrize(
    ("line", "priority"),
    [
        ("GET /health/ready", Priority.HEALTH),
        ("GET /metrics?profile=shop", Priority.HEALTH),
        ("GET /recommend/ann?k=3", Priority.ANSWERS),
        ("GET /items/f1/similar", Priority.ANSWERS),
        ("POST /personalize", Priority.ANSWERS),
        ("POST /events", Priority.EVENTS),
        ("DELETE /items/f1", Priority.EVENTS),
        ("POST /api/record_engagement", Priority.EVENTS),
        ("GET /models", Priority.ADMIN),
        ("POST /models/m1/promote", Priority.ADMIN),
        ("POST /retrain", Priority.ADMIN),
    ],
)
def test_what_a_request_is_for_is_told_by_its_first_line(line, priority):
    method, address = line.encode().split(b" ")
    assert priority_of(method, address) is priority

"""The server itself, over real sockets: what is no request gets a refusal, and nothing hangs."""

import json
import socket
import sys
import time
from urllib.parse import urlsplit

import pytest
from asgi_client import FILMS

from foretaste.app.http.bounded import BoundedProtocol
from foretaste.app.http.server import settle_threads
from foretaste.app.wiring import home_in_memory
from foretaste.testing.served import served_home


@pytest.fixture(scope="module")
def address():
    with home_in_memory() as home:
        home.put_items(FILMS)
        with served_home(home) as found:
            place = urlsplit(found)
            yield place.hostname, place.port


def exchange(address, *parts: bytes) -> tuple[int, dict]:
    """Send bytes as they are; return the status and the JSON of the first answer."""
    with socket.create_connection(address, timeout=10) as connection:
        for part in parts:
            try:
                connection.sendall(part)
            except (BrokenPipeError, ConnectionResetError):
                break
        answer = b""
        while b"\r\n\r\n" not in answer:
            part = connection.recv(65536)
            assert part, "the connection ended without an answer"
            answer += part
        head, _, body = answer.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        while len(body) < length:
            body += connection.recv(65536)
    return int(head.split()[1]), json.loads(body[:length])


def test_a_request_is_answered(address):
    status, answer = exchange(address, b"GET /recommend/ann?k=2 HTTP/1.1\r\nHost: x\r\n\r\n")
    assert status == 200
    assert len(answer["items"]) == 2


def test_an_encoded_slash_reaches_the_item(address):
    put = b'PUT /items/AC%2FDC HTTP/1.1\r\nHost: x\r\nContent-Length: 16\r\n\r\n{"title": "T.N"}'
    assert exchange(address, put)[0] == 200
    status, item = exchange(address, b"GET /items/AC%2FDC HTTP/1.1\r\nHost: x\r\n\r\n")
    assert (status, item["item_id"]) == (200, "AC/DC")


def test_several_requests_share_a_connection_and_keep_their_order(address):
    asked = b"".join(b"GET /recommend/u%d?k=1 HTTP/1.1\r\nHost: x\r\n\r\n" % number for number in range(5))
    with socket.create_connection(address, timeout=10) as connection:
        connection.sendall(asked)
        answer = b""
        while answer.count(b'"user_id"') < 5:
            answer += connection.recv(65536)
    places = [answer.index(b'"user_id":"u%d"' % number) for number in range(5)]
    assert places == sorted(places)


@pytest.mark.parametrize(
    "sent",
    [
        b"nonsense\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET /recommend/\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /events HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        b"POST /events HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n12345",
        b"POST /events HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_what_is_no_http_is_refused_with_a_problem_document(address, sent):
    status, problem = exchange(address, sent)
    assert status == problem["status"] == 400
    assert problem["detail"]


def test_an_address_of_a_megabyte_is_refused(address):
    status, problem = exchange(
        address, b"GET /recommend/" + b"x" * 1_000_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n"
    )
    assert status == problem["status"]
    assert status in {400, 431}


def test_headers_without_end_are_refused(address):
    status, _ = exchange(address, b"GET / HTTP/1.1\r\nHost: x\r\n", *[b"A: " + b"b" * 8000 + b"\r\n"] * 20)
    assert status == 431


def test_a_body_over_the_limit_is_refused_and_the_connection_ends(address):
    head = b"POST /events HTTP/1.1\r\nHost: x\r\nContent-Length: 50000000\r\n\r\n"
    assert exchange(address, head)[0] == 413


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"POST /events HTTP/1.1\r\nHost: x\r\nContent-Length: 20000000\r\n\r\n", b"413"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nA: ", b"431"),
        (b"nonsense\r\n\r\n", b"400"),
    ],
)
def test_a_client_that_sends_twenty_megabytes_before_it_reads_is_told_what_is_wrong(address, head, status):
    with socket.create_connection(address, timeout=10) as connection:
        connection.sendall(head)
        for _ in range(200):
            connection.sendall(b"x" * 100_000)
        assert connection.recv(65536).split()[1] == status


def test_a_request_that_does_not_arrive_is_given_up(address, monkeypatch):
    monkeypatch.setattr(BoundedProtocol, "head_seconds", 0.05)
    assert exchange(address, b"GET / HTTP/1.1\r\nHos")[0] == 408


def test_a_connection_that_says_nothing_is_closed(address, monkeypatch):
    monkeypatch.setattr(BoundedProtocol, "head_seconds", 0.05)
    with socket.create_connection(address, timeout=10) as connection:
        assert connection.recv(10) == b""


def test_an_idle_client_may_come_back_after_the_wait_for_its_first_request(address, monkeypatch):
    monkeypatch.setattr(BoundedProtocol, "head_seconds", 0.1)
    with socket.create_connection(address, timeout=10) as connection:
        for _ in range(2):
            connection.sendall(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
            assert b"alive" in connection.recv(65536)
            time.sleep(0.15)


def test_head_is_answered_without_a_body(address):
    with socket.create_connection(address, timeout=10) as connection:
        connection.sendall(b"HEAD /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = b""
        while part := connection.recv(65536):
            answer += part
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b" 200 " in head
    assert b"content-length: 18" in head
    assert body == b""


def test_the_server_does_not_say_what_it_is(address):
    with socket.create_connection(address, timeout=10) as connection:
        connection.sendall(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"\r\nserver:" not in connection.recv(65536).lower()


def test_threads_of_the_service_hand_over_within_a_millisecond():
    usual = sys.getswitchinterval()
    try:
        settle_threads()
        assert sys.getswitchinterval() <= 0.001
    finally:
        sys.setswitchinterval(usual)

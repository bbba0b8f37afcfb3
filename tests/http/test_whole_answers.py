"""An answer is one write: its head waits for its body."""

import asyncio
from functools import partial

import pytest
import uvicorn

from foretaste.app.http.server import server_config
from foretaste.app.http.whole_answers import WholeAnswers

HEAD, BODY, INTERIM = b"HTTP/1.1 200 OK\r\n\r\n", b"{}", b"HTTP/1.1 100 Continue\r\n\r\n"


class Written(asyncio.Transport):
    """Keeps what is written to it."""

    def __init__(self):
        super().__init__()
        self.parts = []

    def write(self, data):
        self.parts.append(bytes(data))

    def close(self):
        self.parts.append("closed")

    def is_closing(self):
        return "closed" in self.parts


@pytest.fixture
def written():
    return Written()


def test_head_and_body_are_one_write(written):
    answer = WholeAnswers(written, written.close)
    answer.write(HEAD)
    assert written.parts == []
    answer.write(BODY)
    answer.finish()
    assert written.parts == [HEAD + BODY]


def test_what_comes_after_the_body_is_written_at_once(written):
    answer = WholeAnswers(written, written.close)
    for part in (HEAD, BODY, b"more"):
        answer.write(part)
    assert written.parts == [HEAD + BODY, b"more"]


def test_an_interim_head_does_not_wait(written):
    answer = WholeAnswers(written, written.close)
    for part in (INTERIM, HEAD, BODY):
        answer.write(part)
    assert written.parts == [INTERIM, HEAD + BODY]


def test_a_head_without_a_body_is_written_in_the_end(written):
    answer = WholeAnswers(written, written.close)
    answer.write(HEAD)
    answer.finish()
    assert written.parts == [HEAD]


def test_what_waits_is_written_before_the_connection_is_closed(written):
    answer = WholeAnswers(written, written.close)
    answer.write(HEAD)
    answer.close()
    assert written.parts == [HEAD, "closed"]
    assert answer.is_closing()


async def _answer(_scope, _receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


@pytest.mark.parametrize(
    ("methods", "bodies"), [(("GET",), 1), (("HEAD",), 0), (("HEAD", "GET", "HEAD", "GET"), 2)], ids=str
)
def test_answers_of_one_connection_come_whole_and_in_order(methods, bodies):
    """Requests are sent at once, so that they wait for each other."""

    async def asked():
        config = server_config(_answer)
        config.load()
        loop = asyncio.get_running_loop()
        state = uvicorn.Server(config).server_state
        protocol = partial(config.http_protocol_class, config=config, server_state=state, app_state={})
        server = await loop.create_server(protocol, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"".join(b"%b / HTTP/1.1\r\nHost: x\r\n\r\n" % method.encode() for method in methods))
        told = b""
        while told.count(b"\r\n\r\n") < len(methods) or not told.endswith(b"ok" if bodies else b"\r\n\r\n"):
            told += await asyncio.wait_for(reader.read(4096), 10)
        writer.close()
        await writer.wait_closed()
        server.close()
        for _ in range(20):  # the other side closes too
            await asyncio.sleep(0.001)
        assert not state.connections
        return told

    told = asyncio.run(asked())
    assert told.count(b"HTTP/1.1 200 OK") == len(methods)
    assert told.count(b"\r\n\r\nok") == bodies

"""The line between two processes: many calls on one connection, and an end that is not there."""

import asyncio
from contextlib import asynccontextmanager, suppress

import pytest
import uvloop

from foretaste.app.processes import link
from foretaste.app.processes.link import Call, Line, Listening, Reply
from foretaste.domain.errors import UnavailableError


async def echoed(call):
    """Answer with the body, after as many hundredths of a second as the query says."""
    await asyncio.sleep(int(call.query or b"0") / 100)
    return Reply(call.number, 200, ((b"path", call.path),), call.body)


@asynccontextmanager
async def line_to(path, answer=echoed):
    """A line to a process that answers by `answer`, and its other end."""
    listening, line = Listening(path, answer), Line(path, "the other")
    await listening.open()
    try:
        yield line, listening
    finally:
        await line.close()
        await listening.close(0.1)


def call(body=b"", query=b""):
    return Call(0, "POST", b"/echo", query, (), body)


def test_answers_find_their_calls_in_whatever_order_they_come(tmp_path):
    async def ask():
        async with line_to(tmp_path / "socket") as (line, _):
            calls = [call(b"%d" % number, b"%d" % (9 - number)) for number in range(10)]
            replies = await asyncio.gather(*[line.ask(each, 10) for each in calls])
            assert [reply.body for reply in replies] == [each.body for each in calls]
            large = bytes(3_000_000)
            assert (await line.ask(call(large), 10)).body == large

    asyncio.run(ask())


def test_without_the_other_end_a_call_is_refused_and_later_ones_find_it_again(tmp_path):
    async def ask():
        line = Line(tmp_path / "socket", "the other")
        with pytest.raises(UnavailableError, match="the other is away") as refused:
            await line.ask(call(), 10)
        assert refused.value.retry_after == 1.0
        for _ in range(2):
            listening = Listening(tmp_path / "socket", echoed)
            await listening.open()
            assert (await line.ask(call(b"there"), 10)).body == b"there"
            waiting = asyncio.create_task(line.ask(call(b"", b"9999"), 60))
            await asyncio.sleep(0.05)
            await listening.close(0.0)
            with pytest.raises(UnavailableError, match="away"):
                await waiting
        await line.close()

    asyncio.run(ask())


def test_a_call_that_takes_too_long_is_given_up_and_others_go_on(tmp_path):
    async def ask():
        async with line_to(tmp_path / "socket") as (line, _):
            with pytest.raises(UnavailableError, match="may have done it nevertheless"):
                await line.ask(call(b"", b"9999"), 0.02)
            assert (await line.ask(call(b"next"), 10)).body == b"next"

    asyncio.run(ask())


def test_a_call_that_waits_for_long_is_complained_of_until_it_is_answered(tmp_path, monkeypatch):
    monkeypatch.setattr(link, "SLOW_SECONDS", 0.0)

    async def ask():
        async with line_to(tmp_path / "socket") as (line, _):
            assert line.complaint() is None
            waiting = asyncio.create_task(line.ask(call(b"", b"20"), 10))
            await asyncio.sleep(0.05)
            assert "the other has not answered" in line.complaint()
            await waiting
            assert line.complaint() is None

    asyncio.run(ask())


def test_only_so_many_calls_may_wait(tmp_path, monkeypatch):
    monkeypatch.setattr(link, "MOST_PENDING", 3)

    async def ask():
        async with line_to(tmp_path / "socket") as (line, _):
            waiting = [asyncio.create_task(line.ask(call(b"", b"20"), 10)) for _ in range(3)]
            await asyncio.sleep(0)
            with pytest.raises(UnavailableError, match="too much to do"):
                await line.ask(call(), 10)
            await asyncio.gather(*waiting)

    asyncio.run(ask())


def test_what_was_taken_is_answered_before_the_end(tmp_path):
    async def ask():
        async with line_to(tmp_path / "socket") as (line, listening):
            waiting = asyncio.create_task(line.ask(call(b"taken", b"20"), 10))
            await asyncio.sleep(0.05)
            await listening.close(10)
            assert (await waiting).body == b"taken"

    asyncio.run(ask())


def test_however_long_ago_a_connection_ended_a_call_is_refused_or_has_a_new_one(tmp_path):
    async def ask():
        async with line_to(tmp_path / "socket") as (line, _):
            for rounds in range(8):
                await line.ask(call(), 10)
                line._writer.transport.abort()
                for _ in range(rounds):
                    await asyncio.sleep(0)
                with suppress(UnavailableError):
                    await line.ask(call(), 10)
                await asyncio.sleep(0.02)
            assert (await line.ask(call(b"again"), 10)).body == b"again"

    uvloop.run(ask())

"""Where the processes of one service meet."""

import asyncio
import shutil
import tempfile

import pytest

from foretaste.app.processes.link import Call, Line, Listening, Reply
from foretaste.app.processes.supervisor import meeting_place


@pytest.mark.parametrize("length", [10, 200])
def test_processes_meet_however_long_the_path_for_temporary_files_is(tmp_path, monkeypatch, length):
    place = tmp_path / ("x" * length)
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    folder = meeting_place()

    async def echoed(call):
        return Reply(call.number, 200, (), call.body)

    async def ask():
        listening = Listening(folder / "reader-1000.sock", echoed)
        await listening.open()
        line = Line(folder / "reader-1000.sock", "the other")
        try:
            return (await line.ask(Call(0, "POST", b"/", b"", (), b"hello"), 10)).body
        finally:
            await line.close()
            await listening.close(0.1)

    try:
        assert asyncio.run(ask()) == b"hello"
        assert (folder.stat().st_mode & 0o077) == 0
    finally:
        shutil.rmtree(folder)

"""Kernels are compiled by a process beside the one that needs them later, once."""

import subprocess

import numba
import pytest

from foretaste.app import compiling
from foretaste.app.cli import demo, serve, train
from foretaste.app.compiling import compiling_beside
from foretaste.app.wiring import open_home
from foretaste.domain.kernel_cache import are_compiled, note_compiled
from foretaste.pipeline import warming


@pytest.fixture(autouse=True)
def started(tmp_path, monkeypatch):
    """What was started; there are an empty folder of compiled kernels, and two cores to use."""
    processes = []

    class Slow(subprocess.Popen):
        def __init__(self, command, **options):
            super().__init__([command[0], "-c", "import time; time.sleep(60)"], **options)
            processes.append(self)

    monkeypatch.setitem(vars(numba.config), "CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(compiling, "usable_cores", lambda: 2)
    monkeypatch.setattr(subprocess, "Popen", Slow)
    return processes


@pytest.fixture
def parts(monkeypatch):
    """What was compiled, in order, and whether all was noted to be by then."""
    done = []
    stages = tuple(lambda n=n: done.append((n, are_compiled())) for n in range(3))
    monkeypatch.setattr(warming, "PARTS", stages)
    return done


def test_the_other_process_runs_no_longer_than_the_block(started):
    with compiling_beside():
        (process,) = started
        assert process.poll() is None
    assert process.poll() is not None


def test_nothing_is_started_where_all_is_compiled(started):
    note_compiled()
    with compiling_beside():
        assert started == []


@pytest.mark.parametrize("folder", ["", "absent"])
def test_nothing_is_started_where_nothing_can_be_kept(started, tmp_path, monkeypatch, folder):
    monkeypatch.setitem(vars(numba.config), "CACHE_DIR", folder and str(tmp_path / folder))
    with compiling_beside():
        assert started == []


def test_nothing_is_started_on_a_single_core(started, monkeypatch):
    monkeypatch.setattr(compiling, "usable_cores", lambda: 1)
    with compiling_beside():
        assert started == []


class FarEnoughError(Exception):
    """The command came to what it would need kernels for."""


@pytest.mark.parametrize(
    ("command", "needs_kernels", "options"),
    [
        (train, "train_home", {"seed": None, "effort": None, "publish": False, "fresh": False}),
        (demo, "_prepare", {"host": "127.0.0.1", "port": 0, "open_browser": False, "fresh": False}),
        (demo, "warm", {"host": "127.0.0.1", "port": 0, "open_browser": False, "fresh": False}),
        (serve, "warm", {"host": "127.0.0.1", "port": 0, "workers": 1, "worker": None}),
    ],
)
def test_commands_have_a_process_compile_beside_them(
    started, tmp_path, monkeypatch, command, needs_kernels, options
):
    found = []

    def come_to_it(*_, **__):
        found.extend(process.poll() for process in started)
        raise FarEnoughError

    monkeypatch.setattr(command, "_prepare", lambda *_: None, raising=False)
    monkeypatch.setattr(command, needs_kernels, come_to_it)
    home = tmp_path / "home"
    with open_home(home, create=True):
        pass
    if command is demo:
        (home / demo.MARK).touch()
    with pytest.raises(FarEnoughError):
        command.run(home=home, as_json=True, **options)
    assert found == [None]
    assert [process.poll() is None for process in started] == [False]


def test_what_was_compiled_is_noted_in_the_end(parts):
    warming.warm_up()
    assert parts == [(0, False), (1, False), (2, False)]
    assert are_compiled()


def test_the_process_beside_begins_at_the_end(parts):
    exec(compiling._AHEAD)  # noqa: S102 - our own line
    assert [part for part, _ in parts] == [2, 1, 0]
    assert are_compiled()

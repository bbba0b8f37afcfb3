"""Forks `foretaste` and `python` of the pages from one process that has all code imported.

To start Python and to import everything takes ten times as long as most of what the pages run. Each is a
process of its own all the same, with the arguments, the folder, the variables and the streams it was given.
It lives no longer than whoever asked for it, and the server (`forking_server.py SOCKET`) no longer than its
standard input.
"""

import gc
import json
import os
import pkgutil
import runpy
import selectors
import signal
import socket
import sys
import warnings
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import few_films
import scipy.optimize  # noqa: F401 # training imports it late

import foretaste.testing.warmed  # noqa: F401 # imports what serves and compiles its kernels
from foretaste.app import cli


@dataclass(frozen=True)
class Command:
    """What was asked for, to be done in a process of its own."""

    argv: list[str]
    folder: str
    environment: dict[str, str]
    streams: list[int]

    def run(self) -> None:
        os.chdir(self.folder)
        os.environ.clear()
        os.environ.update(self.environment)
        for number, stream in enumerate(self.streams):
            os.dup2(stream, number)
            os.close(stream)
        name, *arguments = self.argv
        if Path(name).name == "python":
            run_python(arguments)
        else:
            sys.argv = self.argv
            cli.main()


def run_python(arguments: list[str]) -> None:
    """Do what `python FILE` and `python -c CODE` do."""
    sys.path[0] = str(Path.cwd())
    first, *rest = arguments
    if first == "-c":
        sys.argv = [first, *rest[1:]]
        main = sys.modules["__main__"] = ModuleType("__main__")
        exec(rest[0], vars(main))  # noqa: S102 # the page says so
    else:
        sys.argv = arguments
        runpy.run_path(first, run_name="__main__")


class ForkingServer:
    def __init__(self, address: str) -> None:
        self._running: dict[int, socket.socket] = {}
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(f"{address}.new")
        self._listener.listen(64)
        Path(f"{address}.new").rename(address)  # who finds it can connect
        self._ended, wakeup = os.pipe()
        os.set_blocking(wakeup, False)
        signal.set_wakeup_fd(wakeup, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._selector = selectors.DefaultSelector()
        for source, react in ((self._listener, self._accept), (self._ended, self._reap), (0, None)):
            self._selector.register(source, selectors.EVENT_READ, react)

    def serve(self) -> Command | None:
        """Fork what is asked for until standard input ends; in each fork return its command."""
        while True:
            for key, _ in self._selector.select():
                if key.data is None:
                    for pid in self._running:
                        os.kill(pid, signal.SIGKILL)
                    self._listener.close()
                    return None
                command = key.data()
                if command is not None:
                    return command

    def _accept(self) -> Command | None:
        connection, _ = self._listener.accept()
        length, streams, *_ = socket.recv_fds(connection, 8, 3)
        asked: dict[str, Any] = json.loads(connection.recv(int.from_bytes(length, "big"), socket.MSG_WAITALL))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # libraries' idle threads are not missed
            pid = os.fork()
        if pid == 0:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            self._selector.close()
            for opened in (self._listener, connection, *self._running.values()):
                opened.close()
            return Command(**asked, streams=streams)
        for stream in streams:
            os.close(stream)
        self._running[pid] = connection
        self._selector.register(connection, selectors.EVENT_READ, lambda: self._pass_on(pid, connection))
        return None

    def _pass_on(self, pid: int, connection: socket.socket) -> None:
        """Pass a signal on; who is not there any more leaves no process behind."""
        sent = b""
        with suppress(ConnectionError):
            sent = connection.recv(1)
        os.kill(pid, sent[0] if sent else signal.SIGKILL)
        if not sent:
            self._selector.unregister(connection)

    def _reap(self) -> None:
        os.read(self._ended, 4096)
        while self._running:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            connection = self._running.pop(pid)
            with suppress(KeyError):
                self._selector.unregister(connection)
            with suppress(ConnectionError):
                connection.send(os.waitstatus_to_exitcode(status).to_bytes(2, "big", signed=True))
            connection.close()


if __name__ == "__main__":
    for name in {module.name for module in pkgutil.iter_modules(cli.__path__)} - {"__main__"}:
        import_module(f"{cli.__name__}.{name}")
    few_films.instead_of_all()
    gc.freeze()  # what is imported stays, and forks go on sharing it
    command = ForkingServer(sys.argv[1]).serve()
    if command is not None:
        command.run()

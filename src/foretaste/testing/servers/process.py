"""A server as a child process that can be started, killed, frozen and started again."""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

from foretaste.domain.errors import ForetasteError

READY_SECONDS = 60.0
PORTS = range(20_000, 32_000)
_POLL_SECONDS = 0.02


class MissingServerError(ForetasteError):
    """This machine has no such server; the message says what was looked for and how to get it."""


class ServerProcess:
    """One server process with all its children, its output in `log`.

    `ready` says whether it takes connections; it may raise `OSError` or `ForetasteError` for "not yet".
    `remedy` says how to get the program where this machine has none. It is a context manager that starts and
    stops the server; between the two it may be killed, paused, resumed and started again on the same data and
    the same port.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        log: Path,
        ready: Callable[[], bool],
        user: str | None = None,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
        remedy: str = "",
    ) -> None:
        self._command = list(command)
        self._remedy = remedy
        self._log = log
        self._ready = ready
        self._user = user
        self._environment = environment
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *, seconds: float = READY_SECONDS) -> None:
        """Start and wait until ready; raise `MissingServerError` with the end of its output if not."""
        if shutil.which(self._command[0]) is None:
            raise MissingServerError(f"no {self._command[0]}: {self._remedy}")
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 # the command of a server, by the module that knows it
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                user=self._user,
                env=None if self._environment is None else dict(self._environment),
                cwd=self._folder,
                start_new_session=True,
            )
        deadline = time.monotonic() + seconds
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                written = self._log.read_text(errors="replace")[-2000:]
                raise MissingServerError(f"{self._command[0]} did not become ready:\n{written}")
            time.sleep(_POLL_SECONDS)

    def stop(self, *, seconds: float = 20.0) -> None:
        """Ask it to end and wait; after `seconds` it is killed."""
        if self._process is None:
            return
        self._signal(signal.SIGCONT)
        self._process.terminate()
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
        self._process = None

    def kill(self) -> None:
        """End it and its children at once, as a crash of the machine would (`kill -9`)."""
        if self._process is not None:
            self._signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def pause(self) -> None:
        """Freeze it: connections stay open and nothing is answered."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on after `pause`."""
        self._signal(signal.SIGCONT)

    @property
    def is_running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.poll() is None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _is_ready(self) -> bool:
        try:
            return self._ready()
        except (OSError, ForetasteError):
            return False

    def _signal(self, number: int) -> None:
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, number)


def free_port() -> int:
    """Return a TCP port of the loopback address that nobody listens on, drawn at random.

    It lies below those that systems give to outgoing connections, so that none of these takes it before the
    server that it is meant for.
    """
    while True:
        port = secrets.choice(PORTS)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def answers(port: int, *, host: str = "127.0.0.1", seconds: float = 0.2) -> bool:
    """Return whether something takes connections there."""
    try:
        with socket.create_connection((host, port), timeout=seconds):
            return True
    except OSError:
        return False

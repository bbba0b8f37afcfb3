"""The process of a job as the service has it: begun, told to end, killed."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress

import msgspec

from foretaste.app.retraining.process import Task

COMMAND = (sys.executable, "-m", "foretaste.app.retraining.process")


class Child:
    """A process that does what `tell` says, and holds `lock`, a descriptor, for as long as it lives."""

    def __init__(self, command: Sequence[str], lock: int) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            command, stdin=subprocess.PIPE, pass_fds=(lock,), start_new_session=True
        )
        self.pid = self._process.pid

    def tell(self, task: Task) -> None:
        """Say what is to be done."""
        with suppress(OSError):  # it died already: whoever waits for it learns that
            if self._process.stdin is not None:
                self._process.stdin.write(msgspec.json.encode(task) + b"\n")
                self._process.stdin.flush()

    def leave(self) -> None:
        """Let it know that nobody waits for it any more: it ends."""
        with suppress(OSError):
            if self._process.stdin is not None:
                self._process.stdin.close()

    def wait(self) -> str | None:
        """Return once it has ended: why, in words, where it was killed, else None."""
        code = self._process.wait()
        self.leave()
        if code >= 0:
            return None
        name = signal.Signals(-code).name
        return f"the process that trained was killed ({name}); the memory may have run out"


def end(pid: int, *, kill: bool) -> None:
    """Tell a process to end, or kill it; one that is gone is left alone."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL if kill else signal.SIGTERM)

"""Processes for tests that kill them often: forked from one that has all code imported, not started anew."""

import multiprocessing
import os
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Self

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["__main__", "foretaste.testing.warmed"])


class Fork:
    """A process that runs `main(*arguments)`, its standard output readable as the binary file `stdout`.

    `main` and the arguments must be picklable. The variables of `environment` are set in the process. It is
    a context manager: what still runs in the end is killed.
    """

    def __init__(
        self, main: Callable[..., object], *arguments: object, environment: Mapping[str, str] | None = None
    ) -> None:
        reader, writer = _FORKS.Pipe(duplex=False)
        given = (writer, dict(environment or {}), main, arguments)
        self._process = _FORKS.Process(target=_run, args=given, daemon=True)
        self._process.start()
        writer.close()
        self.stdout = os.fdopen(os.dup(reader.fileno()), "rb")
        reader.close()

    @property
    def pid(self) -> int:
        """The number of the process."""
        assert self._process.pid is not None
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether the process lives."""
        return self._process.is_alive()

    @property
    def exitcode(self) -> int | None:
        """The exit code, the negative number of the signal that ended the process, or None while it runs."""
        return self._process.exitcode

    def kill(self) -> None:
        """End it at once (`kill -9`) and wait until it is gone."""
        self._process.kill()
        self._process.join()

    def terminate(self) -> None:
        """Ask it to end."""
        self._process.terminate()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        self.stdout.close()


def _run(
    writer: Connection,
    environment: Mapping[str, str],
    main: Callable[..., object],
    arguments: tuple[object, ...],
) -> None:
    os.environ.update(environment)
    os.dup2(writer.fileno(), 1)
    writer.close()
    main(*arguments)

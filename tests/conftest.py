"""What tests of several folders share: one server of each technology for a whole run, and the command line.

A test that hurts a server starts its own.
"""

import json
import os
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from threadpoolctl import threadpool_limits
from typer.testing import CliRunner

from foretaste.app.cli import app
from foretaste.testing.servers.fixtures import required
from foretaste.testing.servers.kafka import kafka_server
from foretaste.testing.servers.postgres import own_schema, postgres_url
from foretaste.testing.servers.redis import running_redis

if sys.dont_write_bytecode:
    # Else each worker, and each of the hundreds of processes that tests start, would compile all it imports.
    kept = str(Path(__file__).resolve().parents[1] / ".pytest_cache" / "bytecode")
    sys.dont_write_bytecode, sys.pycache_prefix = False, kept
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = kept

settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")
"""How long an example takes is the machine's affair, and no test's."""

os.environ.setdefault(
    "XLA_FLAGS", "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
)
"""Tests fit tiny networks: to compile them well takes longer than to run them."""

threadpool_limits(limits=1, user_api="blas")
for library in ("OPENBLAS", "OMP"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")
"""As in a service, linear algebra keeps to one thread, here and in child processes: threads that share small
work wait for each other by spinning, on the cores that other tests need."""

os.environ.setdefault("FORETASTE_ANSWER_SECONDS", "0")
"""Child processes leave nothing out of their answers because this machine is busy."""


def pytest_xdist_auto_num_workers():
    """Run one test more than there are cores: those that wait for servers and processes leave theirs idle."""
    return len(os.sched_getaffinity(0)) + 1


@pytest.fixture(scope="session")
def postgres():
    """The URL of a PostgreSQL; each test uses a schema of its own."""
    with required(postgres_url()) as url:
        yield url


@pytest.fixture
def schema(postgres):
    """The name of a schema that nobody else uses, dropped in the end."""
    with own_schema(postgres) as name:
        yield name


@pytest.fixture(scope="session")
def redis_at():
    """Give the URL of a Redis or Valkey by family, started when asked for; tests differ in namespace."""
    with ExitStack() as servers:
        urls = {}

        def url_of(family):
            if family not in urls:
                urls[family] = servers.enter_context(required(running_redis(family)))
            return urls[family]

        yield url_of


@pytest.fixture(scope="session")
def broker():
    """An Apache Kafka that nobody stops; each test uses topics of its own."""
    with required(kafka_server()) as running:
        yield running


@dataclass(frozen=True)
class Outcome:
    """What a command left: exit code, standard output, standard error."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def foretaste(tmp_path, monkeypatch):
    """Run `foretaste ARGUMENTS` in a folder of its own, without settings of the machine."""
    monkeypatch.chdir(tmp_path)
    for name in ("FORETASTE_HOME", "FORETASTE_PORT", "FORETASTE_HOST", "PORT", "OPEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "110")

    def run(*arguments: str | Path) -> Outcome:
        result = CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)
        return Outcome(result.exit_code, result.stdout, result.stderr)

    return run

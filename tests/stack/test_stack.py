"""`make stack`: real servers without containers, which go on with their data."""

import shutil
import tempfile
from pathlib import Path

import psycopg
import pytest
import redis

from foretaste.testing.servers.fixtures import required
from foretaste.testing.servers.process import free_port
from foretaste.testing.servers.stack import stack


@pytest.fixture
def folder():
    """A folder that servers which do not run as root can reach too."""
    made = Path(tempfile.mkdtemp(prefix="foretaste-stack-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


def test_the_servers_keep_what_they_were_told(folder):
    ports = {"postgres": free_port(), "redis": free_port(), "kafka": None}
    with required(stack(folder, **ports)) as urls:
        with psycopg.connect(urls["FORETASTE_DATABASE_URL"], autocommit=True) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS number")
        with redis.Redis.from_url(urls["FORETASTE_REDIS_URL"]) as client:
            client.set("kept", "42")
    with required(stack(folder, **ports)) as urls:
        with psycopg.connect(urls["FORETASTE_DATABASE_URL"]) as connection:
            assert connection.execute("SELECT number FROM kept").fetchone() == (42,)
        with redis.Redis.from_url(urls["FORETASTE_REDIS_URL"]) as client:
            assert client.get("kept") == b"42"

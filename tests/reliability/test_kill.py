"""`kill -9` at random moments of ingest: nothing acknowledged is lost, nothing is applied twice."""

import random
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from ingest_child import numbered

from foretaste.adapters.sqlite.database import SqliteDatabase
from foretaste.adapters.sqlite.event_log import SqliteEventLog
from foretaste.adapters.sqlite.id_map import SqliteIdMap
from foretaste.testing.contracts.event_log import expected, told
from foretaste.testing.rounds import PLANTED, assert_none_lost_or_doubled, kill_rounds
from foretaste.testing.sites import Stores

CHILD = Path(__file__).with_name("ingest_child.py")
ROUNDS = kill_rounds(20)
ROUNDS_PER_LOG = 20


def ingest_until_killed(path: Path, first: int, chance: random.Random, log: str) -> set[int]:
    """Return the numbers of the events that a child acknowledged before it was killed."""
    command = [sys.executable, str(CHILD), str(path), str(first), str(chance.randrange(2**32)), log]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        lines = [child.stdout.readline() for _ in range(chance.randrange(1, 200))]
        moment = time.perf_counter() + chance.uniform(0.0, 0.005)
        while time.perf_counter() < moment:
            pass
        child.kill()
        lines += child.stdout.read().splitlines(keepends=True)
    assert child.returncode == -9, "the child ended by itself"
    whole = [line.split() for line in lines if line.endswith(b"\n")]
    return {number for start, stop in whole for number in range(int(start), int(stop))}


def stored(path: Path) -> list[int]:
    """Return the numbers of all events in the log, in its order, after checking each of them."""
    with closing(SqliteDatabase(path)) as database:
        id_map = SqliteIdMap(database)
        log = SqliteEventLog(database, id_map)
        with database.reading() as connection:
            (health,) = connection.execute("PRAGMA integrity_check").fetchone()
            ids = [event_id for (event_id,) in connection.execute("SELECT event_id FROM event ORDER BY seq")]
        assert health == "ok"
        numbers = [int(event_id.removeprefix("event-")) for event_id in ids]
        columns = log.read(0, 10**9)
        assert told(Stores(log, id_map, None), columns) == expected([numbered(number) for number in numbers])
        for kind in ("user", "item", "type"):
            assert len(set(id_map.names(kind))) == len(id_map.names(kind))
        theirs = [numbered(number) for number in numbers if numbered(number).user_id == "user-7"]
        assert log.of_user("user-7", 10**9) == sorted(theirs, key=lambda one: (one.timestamp, one.event_id))
    return numbers


def kill(path: Path, rounds: int, chance: random.Random, log: str) -> None:
    """Let clients ingest, kill the process, check what is left; the next one resends what it must."""
    acknowledged: set[int] = set()
    for done in range(1, rounds + 1):
        first = next(number for number in range(10**9) if number not in acknowledged)
        acknowledged |= ingest_until_killed(path, first, chance, log)
        numbers = stored(path)
        victim = "embedded" if log == "sound" else "embedded" + PLANTED
        assert_none_lost_or_doubled(victim, done, acknowledged, numbers)
    assert len(acknowledged) > 100 * rounds


@pytest.mark.parametrize("begun", range(0, ROUNDS, ROUNDS_PER_LOG))
def test_no_acknowledged_event_is_lost_and_none_is_applied_twice(tmp_path, begun):
    rounds = min(ROUNDS_PER_LOG, ROUNDS - begun)
    kill(tmp_path / "foretaste.db", rounds, random.Random(begun), "sound")


def test_the_check_would_notice_a_log_that_acknowledges_before_its_commit(tmp_path):
    with pytest.raises(AssertionError, match="an acknowledged event was lost"):
        kill(tmp_path / "foretaste.db", 10, random.Random(0), "hasty")

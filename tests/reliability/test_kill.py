"""`kill -9` at random moments of ingest: nothing acknowledged is lost, nothing is applied twice."""

import random
import time
from pathlib import Path

import ingest_child
import pytest
from ingest_checks import acknowledged_in, first_unacknowledged, stored

from foretaste.testing.forks import Fork
from foretaste.testing.rounds import PLANTED, assert_none_lost_or_doubled, kill_rounds

ROUNDS = kill_rounds(5)
ROUNDS_PER_LOG = 10


def ingest_until_killed(path: Path, first: int, chance: random.Random, log: str) -> set[int]:
    """Return the numbers of the events that a child acknowledged before it was killed."""
    with Fork(ingest_child.main, path, first, chance.randrange(2**32), log) as child:
        lines = [child.stdout.readline() for _ in range(chance.randrange(1, 200))]
        moment = time.perf_counter() + chance.uniform(0.0, 0.005)
        while time.perf_counter() < moment:
            pass
        child.kill()
        lines += child.stdout.read().splitlines(keepends=True)
        assert child.exitcode == -9, "the child ended by itself"
    return acknowledged_in(lines)


def kill(path: Path, rounds: int, chance: random.Random, log: str) -> None:
    """Let clients ingest, kill the process, check what is left; the next one resends what it must."""
    acknowledged: set[int] = set()
    for done in range(1, rounds + 1):
        acknowledged |= ingest_until_killed(path, first_unacknowledged(acknowledged), chance, log)
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
